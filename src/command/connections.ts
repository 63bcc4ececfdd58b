import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { KafkaLogOptions } from '../log/kafka.ts';
import type { StoreOptions } from '../store/clickhouse.ts';

/** Where the configuration's words become those of the log and the store, and the only place where their secrets are revealed. */
export function storeOptions({ store }: Config): StoreOptions | undefined {
  if (store.kind === 'off') return undefined;
  if (store.kind === 'embedded') return { database: 'gait', path: store.path };
  const { database, url, username, password } = store;
  return { database, url, username, ...(password && { password: password.reveal() }) };
}

/** Undefined for the embedded log. The PEM files were checked with the configuration; one that has gone since fails here. */
export function kafkaOptions({ log }: Config): KafkaLogOptions | undefined {
  if (log.kind !== 'kafka') return undefined;
  const { brokers, clientId, replicationFactor, ssl, sasl } = log;
  const pem = (path: string | undefined, name: string) => path && { [name]: readFileSync(path, 'utf8') };
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
