import { GaitError } from '../core/errors.ts';
import { answerBytesMax, clickHouseCode, queryBytesMax, type Store } from './clickhouse.ts';
import {
  type AllowedFunctions,
  allowedFunctions,
  checkText,
  checkTree,
  functionsQuery,
  type SqlRefusal,
} from './sql-gate.ts';
import { valuesFor } from './sql-values.ts';

/** A question of a person: one statement, values for its `{name:Type}` as they come over HTTP, and the format where it names none. */
export type SqlQuestion = {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly format: string | undefined;
};

export type SqlAnswer =
  | {
      readonly kind: 'answered';
      readonly body: Buffer;
      readonly format: string;
      readonly rowsRead: number;
      readonly bytesRead: number;
    }
  | ({ readonly kind: 'refused' } & SqlRefusal);

export type Analyst = (question: SqlQuestion) => Promise<SqlAnswer>;

/** Questions under way or waiting; what comes beyond is refused at once, so that a dashboard gone wild cannot fill the memory. */
const questionsMax = 32;
const saidMax = 2000;
/** Formats that only write the rows. Missing are those that read a schema or a template from a file. */
const formats = new Set([
  ...['TabSeparated', 'TabSeparatedRaw', 'TabSeparatedWithNames', 'TabSeparatedWithNamesAndTypes', 'TSV', 'TSVRaw'],
  ...[
    'TSVWithNames',
    'TSVWithNamesAndTypes',
    'CSV',
    'CSVWithNames',
    'CSVWithNamesAndTypes',
    'Values',
    'Vertical',
    'Null',
  ],
  ...[
    'JSON',
    'JSONStrings',
    'JSONCompact',
    'JSONCompactStrings',
    'JSONColumns',
    'JSONColumnsWithMetadata',
    'JSONCompactColumns',
  ],
  ...['JSONEachRow', 'JSONLines', 'NDJSON', 'JSONStringsEachRow', 'JSONCompactEachRow', 'JSONCompactEachRowWithNames'],
  ...['JSONCompactEachRowWithNamesAndTypes', 'JSONCompactStringsEachRow', 'JSONObjectEachRow', 'XML', 'Markdown'],
  ...[
    'Pretty',
    'PrettyCompact',
    'PrettySpace',
    'PrettyNoEscapes',
    'PrettyCompactNoEscapes',
    'PrettyCompactMonoBlock',
    'PrettyMonoBlock',
  ],
  ...[
    'RowBinary',
    'RowBinaryWithNames',
    'RowBinaryWithNamesAndTypes',
    'Native',
    'Parquet',
    'Arrow',
    'ArrowStream',
    'ORC',
    'MsgPack',
  ],
]);

/**
 * Answers questions over the documented views and refuses everything else. ClickHouse's own parser reads the statement, writes it anew and shows its tree; the tree is held
 * against lists (sql-gate.ts), and what is run is the text that the parser wrote, not the one that came.
 */
export function createAnalyst(store: Store): Analyst {
  let functions: Promise<AllowedFunctions> | undefined;
  let underWay = 0;
  const readFunctions = (): Promise<AllowedFunctions> => {
    functions ??= store
      .query<{ name: string; is_aggregate: number }>(functionsQuery.sql, functionsQuery.parameters)
      .then(allowedFunctions);
    functions.catch(() => {
      functions = undefined;
    });
    return functions;
  };
  const text = async (sql: string, parameters: object): Promise<string> =>
    (await store.ask(sql, { parameters, format: 'TSVRaw' })).body.toString('utf8');

  async function answer({ sql, parameters: given, format = 'TabSeparated' }: SqlQuestion): Promise<SqlAnswer> {
    if (Buffer.byteLength(sql) > queryBytesMax) return refused(62, 'SYNTAX_ERROR', 'the query is too long');
    const known = await readFunctions();
    const written = (await text('SELECT formatQuery({sql:String})', { sql })).replace(/\n$/, '');
    const fault = checkText(written);
    if (fault !== undefined) return { kind: 'refused', ...fault };
    const parameters = valuesFor(written, given);
    const checked = checkTree(await text(`EXPLAIN AST ${written}`, parameters), {
      database: store.database,
      functions: known,
    });
    if (checked.kind === 'refused') return checked;
    const chosen = checked.format ?? format;
    if (!formats.has(chosen))
      return refused(73, 'UNKNOWN_FORMAT', `the format ${chosen.slice(0, 60)} is not given here`);
    const answered = await store.ask(written, { parameters, format: chosen });
    // The engine counts a constant column once, however often it is written down.
    if (answered.body.length > answerBytesMax) {
      return refused(396, 'TOO_MANY_ROWS_OR_BYTES', `the answer is larger than ${answerBytesMax} bytes; use LIMIT`);
    }
    return { kind: 'answered', format: chosen, ...answered };
  }

  return async (question) => {
    if (underWay >= questionsMax) {
      return refused(202, 'TOO_MANY_SIMULTANEOUS_QUERIES', `${questionsMax} queries are under way; come back soon`);
    }
    underWay++;
    try {
      return await answer(question);
    } catch (error) {
      const said = whatWasSaid(error);
      if (said === undefined) throw error;
      return { kind: 'refused', ...said };
    } finally {
      underWay--;
    }
  };
}

function refused(code: number, name: string, message: string): SqlAnswer {
  return { kind: 'refused', code, name, message };
}

/** ClickHouse's own words about the statement. Undefined when it did not speak at all (the network, a folder that is gone). */
function whatWasSaid(error: unknown): SqlRefusal | undefined {
  if (error instanceof GaitError || !(error instanceof Error)) return undefined;
  // The text may quote a question of 64 KB: only its beginning and its end are looked at.
  const [, code, begun] =
    /^(?:Query failed: )?Code: (\d+)\. (?:DB::Exception: )?(.*)$/s.exec(error.message.slice(0, saidMax)) ?? [];
  const name = /\(([A-Z0-9_]{1,80})\)(?: \(version [^()]{1,80}\))?\s?$/.exec(error.message.slice(-200))?.[1];
  const number = Number(code ?? clickHouseCode(error));
  if (!Number.isInteger(number) || number <= 0) return undefined;
  const type = (error as { readonly type?: unknown }).type;
  const said = (begun ?? error.message.slice(0, saidMax))
    // What the parser was asked to read is said by us, not by the caller.
    .replace(/: In scope SELECT formatQuery\(.*$/s, '')
    .replace(name === undefined ? '' : ` (${name})`, '')
    // On one line, because clients look for the name of the error at its end.
    .replace(/\s+/g, ' ');
  return { code: number, name: name ?? (typeof type === 'string' ? type : 'UNKNOWN'), message: said };
}
