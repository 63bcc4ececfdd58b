import { randomId } from '../core/random.ts';
import type { FetchedBatch, KafkaClient } from './kafka-client.ts';
import type { ConsumeOptions, Consumption, TailOptions } from './log.ts';
import { patienceMs, waitFor } from './patience.ts';
import { retryUntilDone } from './retry.ts';

export function consumeTopics(client: KafkaClient, options: ConsumeOptions): Consumption {
  return client.readGroup({
    group: options.group,
    topics: options.topics,
    from: options.from,
    commits: true,
    onBatch: async ({ topic, partition, records, end }, leaving) => {
      const retry = { doing: `handling a batch of ${topic}`, signal: leaving, onTrouble: client.onTrouble };
      let rest: number | undefined;
      const handle = (): Promise<void> => {
        rest = undefined;
        return options.onBatch({ topic, partition, records, end }, (from) => {
          rest = from;
        });
      };
      return (await retryUntilDone(handle, retry)) && (rest ?? true);
    },
  });
}

/** A group of its own, alone in it, without committed positions; it is deleted at the end, and the broker drops it if that fails. */
export async function tailTopic(
  client: KafkaClient,
  options: TailOptions,
): Promise<Consumption & { readonly caughtUp: Promise<void> }> {
  const { topic } = options;
  const group = randomId('gait-tail');
  const there = await client.admin.offsets(topic);
  const next = new Map(there.map(({ partition, low, high }) => [partition, options.from === 'latest' ? high : low]));
  const behind = new Map(
    there.filter(({ partition, high }) => next.get(partition)! < high).map(({ partition, high }) => [partition, high]),
  );
  let caughtUp: () => void = () => {};
  const whenCaughtUp = new Promise<void>((resolve) => {
    caughtUp = resolve;
  });
  if (behind.size === 0) caughtUp();
  const onBatch = ({ partition, records, lastOffset }: FetchedBatch, leaving: AbortSignal): Promise<boolean> => {
    const unseen = records.filter(({ offset }) => offset >= (next.get(partition) ?? 0));
    next.set(partition, lastOffset + 1);
    const retry = { doing: `handling records of ${topic}`, signal: leaving, onTrouble: client.onTrouble };
    return retryUntilDone(async () => options.onRecords(unseen), retry);
  };
  const reading = client.readGroup({
    group,
    topics: [topic],
    from: 'earliest',
    commits: false,
    onJoin: (assignment, member) => {
      for (const partition of assignment[topic] ?? []) member.seek(topic, partition, next.get(partition) ?? 0);
    },
    onBatch,
    onRead: (_topic, partition, read) => {
      if (read >= (behind.get(partition) ?? Number.POSITIVE_INFINITY)) behind.delete(partition);
      if (behind.size === 0) caughtUp();
    },
  });
  const close = async (): Promise<void> => {
    await reading.close();
    await waitFor(client.admin.deleteGroup(group), { ms: patienceMs.leave, unless: client.away });
  };
  return { done: reading.done, close, caughtUp: whenCaughtUp };
}
