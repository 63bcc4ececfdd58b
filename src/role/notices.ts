import type { Log } from '../log/log.ts';
import type { Notice } from '../policy/notice.ts';
import { partitionOf } from './pack.ts';

/** Key of the records of `gait.events` that carry a notice. */
export const noticeKey = 'notice';

/** Resolves when the notices are durable, in this order per identity. Who calls it has checked whose word they are. */
export type Tell = (notices: readonly Notice[]) => Promise<void>;

export async function createTell({ log, topic }: { readonly log: Log; readonly topic: string }): Promise<Tell> {
  const partitions = await log.partitions(topic);
  return (notices) =>
    log.append(
      topic,
      notices.map((notice) => ({
        partition: partitionOf(notice.identity, partitions),
        key: noticeKey,
        value: JSON.stringify(notice),
      })),
    );
}
