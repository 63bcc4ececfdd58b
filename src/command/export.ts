import { once } from 'node:events';
import type { ApiAccessOptions } from '../config/api-access.ts';
import { GaitError } from '../core/errors.ts';
import { sinceOf } from './ask.ts';
import { openTextFile, type TextFile } from './line-file.ts';
import { askSql, visibleLines } from './sql.ts';

export type ExportOptions = ApiAccessOptions & {
  readonly ocsf?: boolean | undefined;
  readonly ecs?: boolean | undefined;
  readonly csv?: boolean | undefined;
  /** Calls instead of findings. */
  readonly events?: boolean | undefined;
  readonly since?: string | undefined;
  readonly out?: string | undefined;
};

type Row = Readonly<Record<string, unknown>>;
/** A view, and what puts its rows in an order: a time in milliseconds, then an id. */
type Source = { readonly view: string; readonly time: string; readonly id: string; readonly shape?: string };

/** As RFC 3339, which ECS asks for. */
const iso = "REPLACE (formatDateTime(`@timestamp`, '%Y-%m-%dT%H:%i:%S.%fZ') AS `@timestamp`)";

const sources: Readonly<Record<string, Source>> = {
  'ocsf findings': { view: 'ocsf_findings', time: 'time', id: 'metadata.uid' },
  'ecs findings': { view: 'ecs_findings', time: 'toUnixTimestamp64Milli(`@timestamp`)', id: 'event.id', shape: iso },
  'ecs events': { view: 'ecs_events', time: 'toUnixTimestamp64Milli(`@timestamp`)', id: 'event.id', shape: iso },
  'csv findings': {
    view: 'findings',
    time: 'toUnixTimestamp64Milli(last_seen)',
    id: 'finding_id',
    shape: 'EXCEPT (shard, version, stored_at, cause)',
  },
  'csv events': { view: 'events', time: 'toUnixTimestamp64Milli(ts)', id: 'event_id' },
};
/** A page of OCSF records is some 10 MB. */
const rowsPerPage = 3000;

/** `gait export`: findings, or calls, one record per line in the words of others, the oldest first. */
export async function exportRecords(options: ExportOptions): Promise<void> {
  const chosen = (['ocsf', 'ecs', 'csv'] as const).filter((name) => options[name]);
  const source = sources[`${chosen.join(' ')} ${options.events ? 'events' : 'findings'}`];
  if (source === undefined) {
    throw new GaitError('USAGE', 'one of --ocsf, --ecs and --csv; --events goes with --ecs and --csv');
  }
  // Opened when the first answer is there: a question that fails leaves the file of yesterday as it is.
  let out: TextFile | undefined;
  const write = async (text: string): Promise<void> => {
    out ??= await open(options.out);
    await out.write(text);
  };
  let columns: readonly string[] | undefined;
  let count = 0;
  for await (const rows of pages(options, source)) {
    count += rows.length;
    if (options.csv) {
      if (columns === undefined) {
        columns = Object.keys(rows[0] ?? {});
        await write(`${columns.map(csvCell).join(',')}\r\n`);
      }
      await write(rows.map((row) => `${(columns ?? []).map((name) => csvCell(row[name])).join(',')}\r\n`).join(''));
    } else await write(rows.map((row) => `${JSON.stringify(withoutBlanks(row))}\n`).join(''));
  }
  await write('');
  await out?.close();
  if (count === 0)
    process.stderr.write(`there are none${options.since === undefined ? '' : ` since ${options.since}`}\n`);
}

/** What goes into a file is as it was written; what goes to a person's eyes is not. */
async function open(path: string | undefined): Promise<TextFile> {
  if (path !== undefined) return openTextFile(path);
  const { stdout } = process;
  return {
    write: async (text) => {
      if (!stdout.write(stdout.isTTY ? visibleLines(text) : text)) await once(stdout, 'drain');
    },
    close: async () => {},
  };
}

async function* pages(options: ExportOptions, { view, time, id, shape = '' }: Source): AsyncGenerator<readonly Row[]> {
  let after: { readonly time: number; readonly id: string } = { time: sinceOf(options.since) ?? 0, id: '' };
  for (;;) {
    const page = `SELECT ${time} AS export_time, ${id} AS export_id, * FROM ${view}
      WHERE (${time}, ${id}) > ({time:Int64}, {id:String}) ORDER BY export_time, export_id LIMIT ${rowsPerPage}`;
    const query = `SELECT * ${shape} FROM (${page}) ORDER BY export_time, export_id`;
    const answer = await askSql(options, query, { format: 'JSONEachRow', parameters: after });
    const rows = answer
      .toString('utf8')
      .split('\n')
      .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row]));
    if (rows.length > 0) yield rows.map(({ export_time: _, export_id: __, ...row }) => row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < rowsPerPage) return;
    after = { time: Number(last.export_time), id: String(last.export_id) };
  }
}

/** Neither schema knows empty: what says nothing is left out. */
export function withoutBlanks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutBlanks);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value)
    .map(([name, inside]) => [name, withoutBlanks(inside)] as const)
    .filter(([, inside]) => !isBlank(inside));
  return Object.fromEntries(kept);
}

function isBlank(value: unknown): boolean {
  if (value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

/** RFC 4180. A text that a spreadsheet would take for a formula, also one in full-width signs, gets an apostrophe before it; a number, or the lone sign of a tenant that is none, is no formula. */
export function csvCell(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  const text = typeof value === 'string' ? value : value === null || value === undefined ? '' : JSON.stringify(value);
  const harmless = text !== '-' && /^\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
