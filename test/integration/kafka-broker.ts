import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Broker, brokerMissing, startBroker } from '../../src/command/kafka-broker.ts';

export type TestBroker = Broker & {
  readonly address: string;
  readonly libsDir: string;
  readonly remove: () => Promise<void>;
};

/** Why tests against Kafka are skipped here, or false; with CI set they fail instead. */
export async function kafkaSkipReason(): Promise<string | false> {
  const missing = await brokerMissing();
  if (missing && process.env.CI) throw new Error(`tests against Kafka cannot be skipped in CI: ${missing}`);
  return missing ?? false;
}

/** A broker with fresh data; the jars are shared between runs, in the system's folder for temporary files. */
export async function startTestBroker(properties: Readonly<Record<string, string>> = {}): Promise<TestBroker> {
  const dataDir = mkdtempSync(join(tmpdir(), 'gait-kafka-'));
  const libsDir = join(tmpdir(), 'gait-kafka-libs');
  const quick = { 'group.min.session.timeout.ms': '1000', ...properties };
  const broker = await startBroker({ port: 0, dataDir, libsDir, properties: quick });
  return {
    ...broker,
    address: `127.0.0.1:${broker.port}`,
    libsDir,
    remove: async () => {
      await broker.kill('SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
