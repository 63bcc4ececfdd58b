import { once } from 'node:events';
import { GaitError } from '../core/errors.ts';
import { startBroker } from './kafka-broker.ts';

export type KafkaCommandOptions = { readonly port: number; readonly data: string; readonly partitions: number };

/** `gait kafka`: a local broker until Ctrl-C. Fails with USAGE when Java or Maven is missing. */
export async function kafka(options: KafkaCommandOptions): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const broker = await startBroker({
    port: options.port,
    dataDir: options.data,
    partitions: options.partitions,
    onProgress: (text) => process.stderr.write(`${text}\n`),
  });
  process.stdout.write(
    `Kafka answers at 127.0.0.1:${broker.port}; it keeps its data in ${options.data}\n` +
      `point gait at it:  GAIT_KAFKA_BROKERS=127.0.0.1:${broker.port} gait start\n` +
      'Ctrl-C stops it\n',
  );
  const interrupted = stop.signal.aborted ? Promise.resolve() : once(stop.signal, 'abort');
  await Promise.race([interrupted, broker.ended()]);
  if (!stop.signal.aborted)
    throw new GaitError('LOG_UNAVAILABLE', `Kafka ended by itself; see ${options.data}/broker.log`);
  await broker.stop();
}
