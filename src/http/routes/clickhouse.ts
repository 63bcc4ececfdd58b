import { randomId } from '../../core/random.ts';
import { decompress } from '../body.ts';
import type { SqlAnswered, SqlDoor } from '../parts.ts';
import type { Reply, Request, Route } from '../route.ts';

/**
 * ClickHouse's HTTP interface, read-only, over Gait's views: what curl, Grafana and the clients of ClickHouse that speak HTTP expect at a server. The query comes in the URL,
 * in the body, or begun in the one and ended in the other; `{name:Type}` in it is bound from `param_name`.
 */
const path = '/clickhouse';
/** Of the URL, besides `param_…`; whatever else is there is a setting, and settings are not for the caller to make. */
const known = new Set(['query', 'database', 'default_format', 'query_id', 'user', 'session_id', 'session_timeout']);
/** Settings that clients send by themselves, and that change nothing in an answer that is read-only, whole and not compressed. */
const harmless = new Set([
  ...['readonly', 'wait_end_of_query', 'send_progress_in_http_headers', 'http_headers_progress_interval_ms'],
  ...['enable_http_compression', 'max_execution_time'],
  ...['buffer_size', 'cancel_http_readonly_queries_on_client_close', 'max_result_rows', 'result_overflow_mode'],
]);

/** Media types as ClickHouse names them; all else is bytes. */
const types: readonly (readonly [RegExp, string])[] = [
  [
    /^(JSON|JSONStrings|JSONCompact|JSONCompactStrings|JSONColumns\w*|JSONCompactColumns|JSONObjectEachRow)$/,
    'application/json; charset=UTF-8',
  ],
  [/^(JSON\w*EachRow\w*|JSONLines|NDJSON)$/, 'application/x-ndjson; charset=UTF-8'],
  [/^CSV/, 'text/csv; charset=UTF-8; header=present'],
  [/^(TSV|TabSeparated)/, 'text/tab-separated-values; charset=UTF-8'],
  [/^(Pretty|Vertical|Values|Null)/, 'text/plain; charset=UTF-8'],
  [/^Markdown$/, 'text/markdown; charset=UTF-8'],
  [/^XML$/, 'application/xml; charset=UTF-8'],
];
/** Errors of ClickHouse that are not the server's fault, with the status that it gives them. */
const statuses: Readonly<Record<number, number>> = {
  60: 404,
  81: 404,
  497: 403,
  164: 403,
  202: 429,
  159: 408,
  516: 403,
};
const ours = new Set([241, 999, 1000, 1001, 1002]);

export function clickHouseRoutes(door: SqlDoor, bytesMax: number): readonly Route[] {
  const replies = {
    200: { description: 'The rows, in the format that was asked for' },
    400: { description: 'What ClickHouse said; its number is in X-ClickHouse-Exception-Code' },
  };
  const route = (method: 'GET' | 'POST', url: string): Route => ({
    method,
    url,
    summary: "SQL over the views, read-only, as ClickHouse's HTTP interface",
    access: ['analyst'],
    isClickHouse: true,
    bodyBytesMax: bytesMax,
    replies,
    ...(method === 'POST' && { body: { 'text/plain': { type: 'string', description: 'SQL' } } }),
    handle: (request) => answer(door, request, bytesMax),
  });
  return [
    route('GET', path),
    route('POST', path),
    // As most clients write it.
    route('GET', `${path}/`),
    route('POST', `${path}/`),
    {
      method: 'GET',
      url: `${path}/ping`,
      summary: 'Answers `Ok.` as ClickHouse does',
      access: 'public',
      replies: { 200: { description: 'Ok.' } },
      handle: async () => ({ status: 200, body: 'Ok.\n', type: 'text/html; charset=UTF-8' }),
    },
  ];
}

async function answer(door: SqlDoor, request: Request, bytesMax: number): Promise<Reply> {
  const asked = new URL(request.url, 'http://localhost').searchParams;
  const id = asked.get('query_id') ?? randomId('qry');
  const setting = [...asked.keys()].find(
    (name) => !known.has(name) && !harmless.has(name) && !name.startsWith('param_'),
  );
  if (setting !== undefined) {
    return failed({ code: 164, name: 'READONLY', message: `Cannot modify '${setting}' setting in readonly mode` }, id);
  }
  const database = asked.get('database') ?? one(request.headers['x-clickhouse-database']) ?? '';
  if (!['', 'default', door.database].includes(database)) {
    return failed({ code: 81, name: 'UNKNOWN_DATABASE', message: `Database ${database} does not exist` }, id);
  }
  const body = await decompress(request.body, one(request.headers['content-encoding']) ?? '', bytesMax);
  const parts = [asked.get('query') ?? '', body.toString('utf8')].filter((part) => part !== '');
  const named = [...asked].filter(([name]) => name.startsWith('param_'));
  const question = {
    sql: parts.join('\n'),
    parameters: Object.fromEntries(named.map(([name, value]) => [name.slice('param_'.length), value])),
    format: asked.get('default_format') ?? one(request.headers['x-clickhouse-format']) ?? undefined,
  };
  const got = await door.ask(question, { caller: request.caller, from: request.from });
  return got.kind === 'refused' ? failed(got, id) : succeeded(got, id);
}

function succeeded({ body, format, rowsRead, bytesRead }: SqlAnswered, id: string): Reply {
  const summary = { read_rows: String(rowsRead), read_bytes: String(bytesRead), written_rows: '0', written_bytes: '0' };
  return {
    status: 200,
    body,
    type: types.find(([name]) => name.test(format))?.[1] ?? 'application/octet-stream',
    headers: {
      ...headersOf(id),
      'x-clickhouse-format': format,
      'x-clickhouse-timezone': 'UTC',
      'x-clickhouse-summary': JSON.stringify(summary),
    },
  };
}

function failed({ code, name, message }: { code: number; name: string; message: string }, id: string): Reply {
  return {
    status: statuses[code] ?? (ours.has(code) ? 500 : 400),
    body: `Code: ${code}. DB::Exception: ${message} (${name})\n`,
    type: 'text/plain; charset=UTF-8',
    headers: { ...headersOf(id), 'x-clickhouse-exception-code': String(code) },
  };
}

function headersOf(id: string): Record<string, string> {
  return {
    'x-clickhouse-query-id': id.replace(/[^\w.:-]/g, '').slice(0, 100),
    'x-clickhouse-server-display-name': 'gait',
  };
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
