import { Readable } from 'node:stream';
import { ClickHouseLogLevel, createClient, type DataFormat } from '@clickhouse/client';
import { describeError, GaitError } from '../core/errors.ts';
import { type Answer, createReadOnlyPool, type EngineConnection, openEngine } from './engine.ts';

/**
 * Store: what people ask questions of. In: NDJSON lines for a table, and SQL with bound parameters. Out: rows.
 * One ClickHouse, two connections: a server over HTTP, or the same engine in this process (chdb), with the same SQL and migrations.
 * Never true: a value from outside inside the text of a statement. The database's name is the only text put into SQL, and it is checked.
 */
export type Store = {
  readonly kind: 'server' | 'embedded';
  readonly database: string;
  /**
   * Inserts whole NDJSON lines, each beginning with `{`, as one block: all of them or none. `token` names the block: the same block under the same token has no second effect,
   * neither in the table nor in its materialised views. STORE_REJECTED: a line's content was refused; everything else is STORE_UNAVAILABLE and worth a retry.
   */
  readonly insert: (table: string, lines: Buffer, token?: string) => Promise<void>;
  /** A statement without a result, such as a migration's. */
  readonly command: (statement: string) => Promise<void>;
  /** Rows of a read-only query under the limits of `QueryLimits`; `{name:Type}` in the text is bound from `parameters`. */
  readonly query: <T>(sql: string, parameters?: Readonly<Record<string, unknown>>) => Promise<readonly T[]>;
  /**
   * A statement that a person wrote and `analyst.ts` let pass, under `askLimits` and in the format that it names or `format`. In process it runs with a reader's rights.
   * Fails with what ClickHouse said, which is for the person's eyes.
   */
  readonly ask: (sql: string, options: { readonly parameters: object; readonly format: string }) => Promise<Answer>;
  readonly ping: () => Promise<boolean>;
  readonly close: () => Promise<void>;
};

export type QueryLimits = {
  readonly seconds: number;
  readonly memoryBytes: number;
  readonly rows: number;
};

export type StoreOptions = {
  /** Letters, digits and underscores; default `gait`. */
  readonly database?: string;
  readonly limits?: Partial<QueryLimits>;
  /** For what people ask. */
  readonly askLimits?: Partial<QueryLimits>;
} & (
  | { readonly path: string }
  | {
      readonly url: string;
      readonly username?: string;
      readonly password?: string;
      /** For an insert; queries are ended by their own limit. */
      readonly timeoutMs?: number;
    }
);

const pingMs = 2000;
const defaultLimits: QueryLimits = { seconds: 10, memoryBytes: 1024 ** 3, rows: 100_000 };
const defaultAskLimits: QueryLimits = { ...defaultLimits, seconds: 30 };
/** An answer is held in memory as a whole. */
export const answerBytesMax = 64 * 1024 ** 2;
export const queryBytesMax = 64 * 1024;

/**
 * ClickHouse's codes for content that it cannot take: unreadable text, numbers, dates, maps, arrays; too deep; out of range; a violated constraint.
 * Whatever is not in here is retried, because a wrongly retried line waits while a wrongly dropped one is lost.
 */
const contentCodes = new Set([
  6, 25, 26, 27, 33, 38, 41, 53, 69, 70, 72, 117, 128, 130, 131, 306, 321, 349, 407, 467, 469, 563, 632,
]);

/** Async inserts would give up the token; unknown fields are ours to add first and ClickHouse's to learn later. */
const insertSettings = {
  async_insert: 0,
  deduplicate_blocks_in_dependent_materialized_views: 1,
  input_format_skip_unknown_fields: 1,
  input_format_null_as_default: 1,
  input_format_json_throw_on_bad_escape_sequence: 0,
  input_format_parallel_parsing: 0,
  max_partitions_per_insert_block: '0',
} as const;

/** Connects lazily to a server, at once to the embedded engine. STORE_UNAVAILABLE when the engine is not installed or its folder is taken. */
export async function openStore(options: StoreOptions): Promise<Store> {
  const { database = 'gait' } = options;
  if (!/^[A-Za-z_]\w*$/.test(database)) {
    throw new GaitError('CONFIG_INVALID', `store database "${database}" is not a name of letters, digits and _`);
  }
  return 'path' in options ? openEmbedded({ ...options, database }) : openServer({ ...options, database });
}

type Opened<T> = Extract<StoreOptions, T> & { readonly database: string };

function openServer(options: Opened<{ readonly url: string }>): Store {
  const connection = {
    url: options.url,
    ...(options.username !== undefined && { username: options.username }),
    ...(options.password !== undefined && { password: options.password }),
    request_timeout: options.timeoutMs ?? 30_000,
    log: { level: ClickHouseLogLevel.OFF },
  };
  const writer = createClient(connection);
  const reader = createClient({ ...connection, clickhouse_settings: readSettings(options.limits) });
  const asker = createClient({
    ...connection,
    database: options.database,
    clickhouse_settings: { readonly: '2', ...askSettings(options.askLimits) },
  });
  const ask: Store['ask'] = async (query, { parameters, format }) => {
    const result = await asker.exec({
      query,
      query_params: { ...parameters },
      // Whole before it is sent, so that a failure is one and not half an answer.
      clickhouse_settings: { default_format: format as DataFormat, wait_end_of_query: 1 },
    });
    const chunks: Buffer[] = [];
    for await (const chunk of result.stream) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    return {
      body,
      rowsRead: Number(result.summary?.read_rows ?? 0),
      bytesRead: Number(result.summary?.read_bytes ?? 0),
    };
  };
  const clients = { writer, reader, ask, closeAsk: () => asker.close() };
  return storeOf({ kind: 'server', database: options.database, ...clients }, async (table, lines, token) => {
    const { stream } = await writer.exec({
      query: `INSERT INTO ${table} FORMAT JSONEachRow`,
      values: Readable.from([lines], { objectMode: false }),
      clickhouse_settings: { ...insertSettings, insert_deduplication_token: token ?? '' },
    });
    for await (const _ of stream.resume());
  });
}

async function openEmbedded(options: Opened<{ readonly path: string }>): Promise<Store> {
  const { path, database, limits } = options;
  const engine = await openEngine(path, database);
  const log = { level: ClickHouseLogLevel.OFF };
  const writer = createClient({ connection: asConnection(engine.writer), log });
  const reader = createClient({
    connection: asConnection(engine.reader),
    log,
    clickhouse_settings: readSettings(limits),
  });
  const pool = createReadOnlyPool(() => engine.openReadOnly(askSettings(options.askLimits)));
  return storeOf(
    { kind: 'embedded', database, writer, reader, ask: pool.query, closeAsk: pool.close },
    async (table, values, token) => {
      const settings = { ...insertSettings, insert_deduplication_token: token ?? '' };
      // The engine parses the bytes itself; through the client they would become one string together with the statement.
      await engine.writer.chdb.rawInsert({ table, values, format: 'JSONEachRow', settings });
    },
  );
}

type ClientConnection = NonNullable<NonNullable<Parameters<typeof createClient>[0]>['connection']>;

/** The client and the engine carry the same contract in two copies, which TypeScript takes for two because of a private field in a class. */
function asConnection(connection: EngineConnection): ClientConnection {
  return connection as unknown as ClientConnection;
}

type Client = ReturnType<typeof createClient>;
type Clients = Pick<Store, 'kind' | 'database' | 'ask'> & {
  readonly writer: Client;
  readonly reader: Client;
  readonly closeAsk: () => Promise<void> | void;
};

function storeOf({ kind, database, writer, reader, ask, closeAsk }: Clients, insert: Store['insert']): Store {
  return {
    kind,
    database,
    insert: async (table, lines, token) => {
      refuseOtherThanObjects(lines);
      await guarded(insert(`${database}.${table}`, lines, token));
    },
    command: async (statement) => {
      await guarded(writer.command({ query: statement }));
    },
    query: async <T>(sql: string, parameters?: Readonly<Record<string, unknown>>) => {
      const result = await guarded(
        reader.query({ query: sql, format: 'JSONEachRow', ...(parameters && { query_params: parameters }) }),
      );
      return guarded(result.json<T>());
    },
    ask,
    ping: async () => (await writer.ping({ select: true, abort_signal: AbortSignal.timeout(pingMs) })).success,
    close: async () => {
      await Promise.all([closeAsk(), reader.close(), writer.close()]);
    },
  };
}

/**
 * In the embedded engine an empty line ends the data of an insert, and what follows is run as a statement. So every line must begin with a brace:
 * then none is empty, and nothing that could follow the data's end is SQL.
 */
function refuseOtherThanObjects(lines: Buffer): void {
  for (let start = 0; start < lines.length; ) {
    if (lines[start] !== 0x7b) throw new GaitError('STORE_REJECTED', 'a line does not begin with {');
    const end = lines.indexOf(0x0a, start);
    start = end < 0 ? lines.length : end + 1;
  }
}

/** readonly=2: nothing is written and the limits below may still be set by the client, which sends them with each query. */
function readSettings(limits: Partial<QueryLimits> = {}): Record<string, number | string> {
  const { seconds, memoryBytes, rows } = { ...defaultLimits, ...limits };
  return {
    readonly: '2',
    max_execution_time: seconds,
    max_memory_usage: String(memoryBytes),
    max_result_rows: String(rows),
    output_format_json_quote_64bit_integers: 0,
    date_time_output_format: 'iso',
  };
}

function askSettings(limits: Partial<QueryLimits> = {}): Record<string, number> {
  const { seconds, memoryBytes, rows } = { ...defaultAskLimits, ...limits };
  return {
    max_execution_time: seconds,
    max_memory_usage: memoryBytes,
    max_result_rows: rows,
    max_result_bytes: answerBytesMax,
    // The parser writes a statement longer than it came.
    max_query_size: 8 * queryBytesMax,
    // A statement that nests deeper would take the parser's stack.
    max_parser_depth: 300,
    max_ast_depth: 300,
    max_subquery_depth: 20,
  };
}

async function guarded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const code = contentCodes.has(clickHouseCode(cause)) ? 'STORE_REJECTED' : 'STORE_UNAVAILABLE';
    // The text may quote a line of the input: cut, because it goes into logs and dead letters.
    throw new GaitError(code, `ClickHouse: ${describeError(cause).slice(0, 500)}`, { cause });
  }
}

/** ClickHouse's own number of an error, 0 when it was not ClickHouse that spoke. The engine in process and the client name it differently. */
export function clickHouseCode(error: unknown): number {
  if (error instanceof GaitError) return clickHouseCode(error.cause);
  if (!(error instanceof Error)) return 0;
  const { clickhouseCode, code } = error as { readonly clickhouseCode?: unknown; readonly code?: unknown };
  return Number(clickhouseCode ?? code) || 0;
}
