import type { Log } from '../log/log.ts';
import type { AnyNotice } from '../policy/notice.ts';
import { partitionOf } from './pack.ts';

/** Key of the records of `gait.events` that carry a notice. */
export const noticeKey = 'notice';

/** Resolves when the notices are durable, in this order per identity; what is about everybody is on every partition. Who calls it has checked whose word they are. */
export type Tell = (notices: readonly AnyNotice[]) => Promise<void>;

export async function createTell({ log, topic }: { readonly log: Log; readonly topic: string }): Promise<Tell> {
  const partitions = await log.partitions(topic);
  return (notices) =>
    log.append(
      topic,
      notices.flatMap((notice) => {
        const { identity } = notice;
        const on = identity === null ? [...Array(partitions).keys()] : [partitionOf(identity, partitions)];
        return on.map((partition) => ({ partition, key: noticeKey, value: JSON.stringify(notice) }));
      }),
    );
}
