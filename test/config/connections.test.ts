import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { kafkaOptions, storeOptions } from '../../src/config/connections.ts';
import type { KafkaLogOptions } from '../../src/log/kafka.ts';
import type { StoreOptions } from '../../src/store/clickhouse.ts';

const folder = mkdtempSync(join(tmpdir(), 'gait-connections-'));
after(() => rmSync(folder, { recursive: true }));

function config(text: string): Config {
  const outcome = parseConfig({ name: 'gait.yaml', text: () => text }, {});
  return outcome.kind === 'ok' ? outcome.config : assert.fail(outcome.problems.join('\n'));
}

test('Kafka’s options hold the certificates and the password themselves', () => {
  const ca = join(folder, 'ca.pem');
  writeFileSync(ca, 'PEM');
  const ssl = `ssl: { ca: "${ca}" }, sasl: { mechanism: scram-sha-512, username: u, password: p }`;
  const options: KafkaLogOptions | undefined = kafkaOptions(config(`log: { kind: kafka, brokers: [a, b], ${ssl} }`));
  assert.deepEqual(options, {
    brokers: ['a', 'b'],
    clientId: 'gait',
    replicationFactor: 1,
    ssl: { rejectUnauthorized: true, ca: 'PEM' },
    sasl: { mechanism: 'scram-sha-512', username: 'u', password: 'p' },
  });
  assert.equal(kafkaOptions(config('{}')), undefined);
});

test('the store is a server, a folder, or none', () => {
  const askLimits = { seconds: 30, rows: 100_000, memoryBytes: 1024 ** 3 };
  const server: StoreOptions | undefined = storeOptions(
    config('store: { kind: clickhouse, url: "https://db", password: p }'),
  );
  assert.deepEqual(server, { database: 'gait', url: 'https://db', username: 'default', password: 'p', askLimits });
  assert.deepEqual(storeOptions(config('dataDir: d')), {
    database: 'gait',
    path: join('d', 'store'),
    askLimits,
  });
  assert.equal(storeOptions(config('store: { kind: off }')), undefined);
});
