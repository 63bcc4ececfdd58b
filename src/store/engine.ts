import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChdbConnection } from 'chdb/connection';
import { describeError, GaitError } from '../core/errors.ts';
import { makeFolder } from '../core/folder.ts';

/**
 * ClickHouse in this process. The engine is started once, with two roles of its own access control: what Gait does runs as owner of everything, what people ask
 * runs on connections that gave up all but reading one database. There, `file()`, `url()`, other databases and writes fail for lack of rights, whatever the text.
 */
export type Engine = {
  /** Two connections run side by side, so that a slow question never holds an insert up. */
  readonly writer: EngineConnection;
  readonly reader: EngineConnection;
  /** A connection that can only read `database`, under limits that it cannot change. The database must exist. */
  readonly openReadOnly: (limits: Readonly<Record<string, number | string>>) => Promise<ReadOnlyConnection>;
};

export type EngineConnection = ChdbConnection;

export type ReadOnlyConnection = {
  /** One query at a time; others wait. The engine cannot be interrupted, so a query lasts until it ends or meets its own limit. */
  readonly query: (sql: string, options: { readonly parameters: object; readonly format: string }) => Promise<Answer>;
  readonly close: () => void;
};
export type Answer = { readonly body: Buffer; readonly rowsRead: number; readonly bytesRead: number };

const analystRole = 'gait_analyst';
const accessFile = 'gait-access.xml';

/** STORE_UNAVAILABLE when the engine is not installed, STATE_INVALID when its folder is taken or broken. */
export async function openEngine(path: string, database: string): Promise<Engine> {
  const [{ Session }, { createChdbConnection }] = await loadEngine();
  try {
    makeFolder(path);
    const config = join(path, accessFile);
    writeFileSync(config, accessConfig(config, database));
    const open = () => new Session(path, { connectionArgs: [`--config-file=${config}`] });
    // Whichever connection is the first decides how the engine starts; the client's own cannot say it.
    const first = open();
    const [writer, reader] = [createChdbConnection({ path }), createChdbConnection({ path })];
    first.close();
    const read = reader.query.bind(reader);
    const readInTurn = createTurns(() => read({ query: 'SELECT 1' }));
    reader.query = (params) => readInTurn(() => read(params));
    const openReadOnly = async (limits: Readonly<Record<string, number | string>>): Promise<ReadOnlyConnection> => {
      const session = open();
      const statements = [
        `SET ROLE ${analystRole}`,
        `USE ${database}`,
        ...Object.entries(limits).map(([name, value]) => `SET ${name} = ${value}`),
        // The last: from here on nothing can be set any more.
        'SET readonly = 1',
      ];
      try {
        for (const statement of statements) await session.queryAsync(statement);
      } catch (error) {
        session.close();
        throw error;
      }
      const inTurn = createTurns(() => session.queryAsync('SELECT 1'));
      const ask: ReadOnlyConnection['query'] = async (sql, { parameters, format }) => {
        const run = Object.keys(parameters).length === 0 ? session.queryAsync(sql, { format }) : undefined;
        const result = await (run ?? session.queryBindAsync(sql, parameters, { format }));
        const bytes = result.bytes();
        const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        return { body, rowsRead: result.rowsRead, bytesRead: result.bytesRead };
      };
      return { query: (...question) => inTurn(() => ask(...question)), close: () => session.close() };
    };
    return { writer, reader, openReadOnly };
  } catch (cause) {
    const message = `the embedded ClickHouse cannot open ${path} (another process uses it, or it is broken: then move it away, and an empty one is made): ${describeError(cause)}`;
    throw new GaitError('STATE_INVALID', message, { cause });
  }
}

function loadEngine() {
  return Promise.all([import('chdb'), import('chdb/connection')]).catch((cause: unknown) => {
    const message = `the optional package chdb is not installed: ${describeError(cause).split('\n')[0]}`;
    throw new GaitError('STORE_UNAVAILABLE', message, { cause });
  });
}

/**
 * One query at a time, and what a failed one leaves behind is thrown away before the next: the engine keeps the rows that a query had written when it failed, and
 * gives them out in front of the next answer on the same connection.
 */
function createTurns(rinse: () => Promise<unknown>) {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(query: () => Promise<T>): Promise<T> => {
    const turn = last.then(query);
    last = turn.catch(rinse).catch(() => {});
    return turn;
  };
}

/** Opened when they are first needed, because the database may not be there before. */
const connectionsMax = 2;

/** So that one slow question does not hold up all others. Those beyond wait their turn; how many may is for the caller to say. */
export function createReadOnlyPool(open: () => Promise<ReadOnlyConnection>) {
  const pool: { readonly connection: Promise<ReadOnlyConnection>; waiting: number }[] = [];
  return {
    query: async (...question: Parameters<ReadOnlyConnection['query']>): Promise<Answer> => {
      let chosen = pool.toSorted((a, b) => a.waiting - b.waiting)[0];
      if (chosen === undefined || (chosen.waiting > 0 && pool.length < connectionsMax)) {
        chosen = { connection: open(), waiting: 0 };
        pool.push(chosen);
      }
      chosen.waiting++;
      try {
        const connection = await chosen.connection.catch((error: unknown) => {
          // The next question tries again.
          if (chosen !== undefined && pool.includes(chosen)) pool.splice(pool.indexOf(chosen), 1);
          throw error;
        });
        return await connection.query(...question);
      } finally {
        chosen.waiting--;
      }
    },
    close: async (): Promise<void> => {
      for (const { connection } of pool.splice(0)) await connection.then(({ close }) => close()).catch(() => {});
    },
  };
}

/** As ClickHouse reads its users: one user, two roles. The database's name is letters, digits and underscores. */
function accessConfig(path: string, database: string): string {
  const grants = (...queries: readonly string[]): string =>
    `<grants>${queries.map((query) => `<query>${query}</query>`).join('')}</grants>`;
  return `<clickhouse>
  <users_config>${path.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</users_config>
  <profiles><default/></profiles>
  <quotas><default/></quotas>
  <roles>
    <gait_owner>${grants('GRANT ALL ON *.* WITH GRANT OPTION')}</gait_owner>
    <${analystRole}>${grants(`GRANT SELECT ON ${database}.*`)}</${analystRole}>
  </roles>
  <users>
    <default>
      <password></password>
      <networks><ip>::/0</ip></networks>
      <profile>default</profile>
      <quota>default</quota>
      ${grants('GRANT gait_owner', `GRANT ${analystRole}`)}
    </default>
  </users>
</clickhouse>
`;
}
