import { describeError, GaitError } from '../core/errors.ts';

type Link = { readonly name?: unknown; readonly type?: unknown; readonly code?: unknown; readonly cause?: unknown };

/** Another producer with the same transactional id has been here (90 is PRODUCER_FENCED, which kafkajs does not know by name). */
const fenced = new Set(['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'TRANSACTION_COORDINATOR_FENCED', 90]);

/** The broker and this producer no longer agree on sequence numbers; only a new producer can go on. */
const outOfSequence = new Set([
  ...fenced,
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'DUPLICATE_SEQUENCE_NUMBER',
]);

/** What a second attempt cannot mend. */
const refused = new Set([
  'KafkaJSSASLAuthenticationError',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_PARTITIONS',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_CONFIG',
  'POLICY_VIOLATION',
]);

function isFenced(error: unknown): boolean {
  return chain(error).some(({ type, code }) => fenced.has(String(type)) || code === 90);
}

export function isOutOfSequence(error: unknown): boolean {
  return chain(error).some(({ type, code }) => outOfSequence.has(String(type)) || code === 90);
}

/** By type and name, never by text. kafkajs puts no credentials into its messages, and none are added here. */
export function kafkaError(error: unknown, doing: string): GaitError {
  if (error instanceof GaitError) return error;
  const links = chain(error);
  const final = links.some(({ name, type }) => refused.has(String(type)) || refused.has(String(name)));
  const code = isFenced(error) ? 'LOG_FENCED' : final ? 'LOG_REJECTED' : 'LOG_UNAVAILABLE';
  const missing = links.some(({ type }) => type === 'UNKNOWN_TOPIC_OR_PARTITION');
  const why = missing ? 'Kafka has no such topic (yet)' : describeError(error);
  return new GaitError(code, `${doing}: ${why}`, { cause: error });
}

/** The error and its causes; kafkajs wraps what the broker said once or twice. */
function chain(error: unknown): readonly Link[] {
  const links: Link[] = [];
  for (let link = error; typeof link === 'object' && link !== null && links.length < 8; link = (link as Link).cause) {
    links.push(link as Link);
  }
  return links;
}
