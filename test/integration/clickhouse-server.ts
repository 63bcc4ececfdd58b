import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type ChdbConnection, createChdbConnection } from 'chdb/connection';

/**
 * A ClickHouse that several processes can share in tests: the real engine (chdb) in a process of its own, behind a small HTTP listener that speaks
 * as much of ClickHouse's HTTP interface as `@clickhouse/client` and curl use. The engine is real; only the door is ours.
 * Not spoken: users and passwords, sessions, compressed answers, multipart parameters, array parameters.
 */
export type ClickHouseServer = {
  readonly url: string;
  /** Starts the process again on the same port and data, after `stop`. */
  readonly start: () => Promise<void>;
  /** Ends the process; with SIGKILL without letting it finish anything. */
  readonly stop: (signal?: 'SIGTERM' | 'SIGKILL') => Promise<void>;
  readonly query: <T = Record<string, unknown>>(sql: string) => Promise<readonly T[]>;
};

/** `port` 0 takes a free one and keeps it over restarts. The caller removes `dir`. */
export async function startClickHouse({ dir, port }: { dir: string; port: number }): Promise<ClickHouseServer> {
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = fork(fileURLToPath(import.meta.url), [dir, String(port)], { stdio: 'inherit', execArgv: [] });
    const ready = once(child, 'message');
    const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`ClickHouse ended with ${code}`)));
    failed.catch(() => {});
    [port] = (await Promise.race([ready, failed])) as [number];
  };
  await start();
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    start,
    stop: async (signal = 'SIGTERM') => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      // The engine has been seen to wait minutes for a statement that nobody reads any more.
      const impatience = setTimeout(() => child?.kill('SIGKILL'), 10_000);
      await gone;
      clearTimeout(impatience);
    },
    query: async <T>(sql: string) => {
      const settings = 'default_format=JSONEachRow&output_format_json_quote_64bit_integers=0';
      const response = await fetch(`${url}/?${settings}`, { method: 'POST', body: sql });
      const text = await response.text();
      if (!response.ok) throw new Error(text);
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
    },
  };
}

type Engine = { readonly writer: ChdbConnection; readonly reader: ChdbConnection };

/** Parameters of the URL that are not settings. */
const ownParameters = new Set(['query', 'query_id', 'database', 'session_id', 'role', 'wait_end_of_query']);

async function answer(engine: Engine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname === '/ping') {
    response.end('Ok.\n');
    return;
  }
  const body = await bodyOf(request);
  const settings: Record<string, string> = {};
  const parameters: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    if (name.startsWith('param_')) parameters[name.slice(6)] = unescapeTsv(value);
    else if (!ownParameters.has(name)) settings[name] = value;
  }
  const asked = url.searchParams.get('query');
  response.setHeader('X-ClickHouse-Query-Id', url.searchParams.get('query_id') ?? '');
  const insert = /^\s*INSERT INTO (\S+) FORMAT JSONEachRow\s*$/.exec(asked ?? '');
  if (insert) {
    const target = { table: insert[1]!, values: body, format: 'JSONEachRow', settings } as const;
    const { rowsWritten } = await engine.writer.chdb.rawInsert(target);
    response.setHeader('X-ClickHouse-Summary', JSON.stringify({ written_rows: String(rowsWritten) }));
    response.end();
    return;
  }
  // A setting stays with a connection, so a reader's `readonly` must never meet the writer's.
  const connection = settings.readonly === undefined ? engine.writer : engine.reader;
  const query = [asked, body.toString()].filter((part) => part !== null && part !== '').join('\n');
  const result = await connection.query({ query, query_params: parameters, clickhouse_settings: settings });
  result.stream.pipe(response);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

/** Values arrive as in a tab-separated file; the engine's own binding escapes them again. */
function unescapeTsv(value: string): string {
  const named: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', '0': '\0' };
  return value.replace(/\\(.)/gs, (_, letter: string) => named[letter] ?? letter);
}

function fail(response: ServerResponse, error: unknown): void {
  const { clickhouseCode, code, type, message } = error as Record<string, unknown>;
  const number = Number(clickhouseCode ?? code) || 1002;
  const text =
    clickhouseCode === undefined ? `Code: ${number}. DB::Exception: ${message} (${type ?? 'UNKNOWN'})` : message;
  response.writeHead(number === 60 || number === 81 ? 404 : 500, { 'X-ClickHouse-Exception-Code': String(number) });
  response.end(`${text}\n`);
}

/** The process that `startClickHouse` starts. */
function serve(path: string, port: number): void {
  const engine = { writer: createChdbConnection({ path }), reader: createChdbConnection({ path }) };
  const server = createServer((request, response) => {
    answer(engine, request, response).catch((error) => fail(response, error));
  });
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.send?.(address.port);
  });
  const end = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await Promise.all([engine.reader.close(), engine.writer.close()]);
    process.exit(0);
  };
  process.once('SIGTERM', () => void end());
  // Nobody is left to ask questions when the test has gone.
  process.once('disconnect', () => void end());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) serve(process.argv[2]!, Number(process.argv[3]));
