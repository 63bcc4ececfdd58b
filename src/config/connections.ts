import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';

/** The configuration's words as the options of the log and the store: the only place where their secrets are revealed. Undefined for `off`. */
export function storeOptions({ store, sql }: Config) {
  if (store.kind === 'off') return undefined;
  const askLimits = { seconds: sql.seconds, rows: sql.rows, memoryBytes: sql.memoryMb * 1024 ** 2 };
  if (store.kind === 'embedded') return { database: 'gait', path: store.path, askLimits };
  const { database, url, username, password } = store;
  return { database, url, username, askLimits, ...(password && { password: password.reveal() }) };
}

/** Undefined for the embedded log. The PEM files were there when the configuration was read; one that has gone since fails here. */
export function kafkaOptions({ log }: Config) {
  if (log.kind !== 'kafka') return undefined;
  const { brokers, clientId, replicationFactor, ssl, sasl } = log;
  const pem = (path: string | undefined, name: 'ca' | 'cert' | 'key') => path && { [name]: readFileSync(path, 'utf8') };
  return {
    brokers,
    clientId,
    replicationFactor,
    ...(ssl && {
      ssl: {
        rejectUnauthorized: ssl.rejectUnauthorized,
        ...pem(ssl.ca, 'ca'),
        ...pem(ssl.cert, 'cert'),
        ...pem(ssl.key, 'key'),
      },
    }),
    ...(sasl && { sasl: { ...sasl, password: sasl.password.reveal() } }),
  };
}
