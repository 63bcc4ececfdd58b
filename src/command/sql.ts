import { readFileSync } from 'node:fs';
import { type ApiAccessOptions, readApiAccess } from '../config/api-access.ts';
import { GaitError } from '../core/errors.ts';
import { visible } from '../core/visible.ts';
import { exchange, refusal } from './api-client.ts';
import { table, visibleJson } from './table.ts';

export type SqlOptions = ApiAccessOptions & {
  readonly json?: boolean | undefined;
  readonly format?: string | undefined;
};

/** Longer than a question may take at its default limit. */
const timeoutMs = 120_000;
/** More than an answer may have. */
const bytesMax = 128 * 1024 * 1024;

/** `gait sql [QUERY]`: asks a running Gait; without a query what stands on standard input. A table on a terminal, lines of values parted by tabs elsewhere. */
export async function sql(query: string | undefined, options: SqlOptions): Promise<void> {
  const asked = query ?? readFileSync(0, 'utf8');
  const isTerminal = process.stdout.isTTY === true;
  const { format } = options;
  if (format !== undefined || (!isTerminal && !options.json)) {
    const bytes = await askSql(options, asked, { format: format ?? 'TabSeparated' });
    // What goes into a file is as ClickHouse wrote it; what goes to a person's eyes is not.
    process.stdout.write(isTerminal ? visibleLines(bytes.toString('utf8')) : bytes);
    return;
  }
  const bytes = await askSql(options, asked, { format: 'JSONCompact' });
  if (options.json) process.stdout.write(`${visibleJson(JSON.parse(bytes.toString('utf8')))}\n`);
  else process.stdout.write(asTable(bytes.toString('utf8'), Math.max(40, process.stdout.columns || 80)));
}

type Compact = { readonly meta: readonly { readonly name: string }[]; readonly data: readonly (readonly unknown[])[] };

/** A question that names a format of its own is shown as it came. */
export function asTable(text: string, columns: number): string {
  let answer: Compact;
  try {
    answer = JSON.parse(text) as Compact;
  } catch {
    return visibleLines(text);
  }
  if (!Array.isArray(answer.data) || !Array.isArray(answer.meta)) return visibleLines(text);
  const titles = answer.meta.map(({ name }, i) => ({
    title: visible(name, 100),
    value: (row: readonly unknown[]) => (typeof row[i] === 'object' ? JSON.stringify(row[i]) : row[i]),
    isFlexible: true,
  }));
  return table(titles, answer.data, columns);
}

/** With tabs and line feeds as they are. */
export function visibleLines(text: string): string {
  return text
    .split('\n')
    .map((line) =>
      line
        .split('\t')
        .map((part) => visible(part, 10_000))
        .join('\t'),
    )
    .join('\n');
}

export type Asked = { readonly format: string; readonly parameters?: Readonly<Record<string, string | number>> };

/** The bytes of the answer. What ClickHouse had against the question is a mistake of the one who asks. */
export async function askSql(options: ApiAccessOptions, query: string, asked: Asked): Promise<Buffer> {
  const access = readApiAccess(options);
  const given = new URLSearchParams({ default_format: asked.format });
  for (const [name, value] of Object.entries(asked.parameters ?? {})) given.set(`param_${name}`, String(value));
  const path = `/clickhouse?${given}`;
  const { response, body } = await exchange(access, path, {
    method: 'POST',
    body: query,
    type: 'text/plain',
    timeoutMs,
    bytesMax,
  });
  if (response.ok) return body;
  const [, code, said] = /^Code: (\d+)\. DB::Exception: (.*)$/s.exec(body.toString('utf8')) ?? [];
  if (response.status === 401 || code === undefined || said === undefined) throw refusal(access, response, body);
  throw new GaitError(
    response.status === 400 || response.status === 404 ? 'USAGE' : 'API_REFUSED',
    `${visible(said.trim(), 1000)}, code ${code}`,
  );
}
