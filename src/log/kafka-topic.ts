import { recordBytesMax, type TopicSpec } from './log.ts';

/** The configuration of a topic of ours. Kafka counts bytes per partition, a TopicSpec per topic. */
export function topicConfig(spec: TopicSpec): { name: string; value: string }[] {
  const entries: Record<string, string> = {
    'cleanup.policy': spec.cleanup,
    // Room for a batch of one record of the greatest size, headers included.
    'max.message.bytes': String(recordBytesMax + 1024 * 1024),
  };
  if (spec.cleanup === 'delete') {
    entries['retention.ms'] = String(spec.retentionMs ?? -1);
    entries['retention.bytes'] = String(spec.retentionBytes ? Math.ceil(spec.retentionBytes / spec.partitions) : -1);
  }
  return Object.entries(entries).map(([name, value]) => ({ name, value }));
}
