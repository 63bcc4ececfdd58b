import type { EpochMs } from '../core/clock.ts';
import { derivedId } from '../core/hash.ts';
import type { Redactor } from '../event/redact.ts';
import { redactText } from '../event/redact-text.ts';
import type { DeadLetterReason } from '../event/traffic-event.ts';
import type { SourcePosition } from './resolved-event.ts';

/** A record that is no event: why, where it stood, and enough to recognise it, but never the record itself, which may hold secrets. */
export type DeadLetter = {
  /** Derived from the position, so that reading the source again makes no second one. */
  readonly id: string;
  readonly reason: DeadLetterReason;
  /** A short sentence for a person; never quotes the record. */
  readonly cause: string;
  /** Topic or file. */
  readonly source: string;
  readonly partition: number;
  readonly offset: number;
  readonly index: number;
  /** Size of the whole record. */
  readonly bytes: number;
  /** Keyed HMAC of the record's bytes (of the part that was read, when it was too large). */
  readonly digest: string;
  /** The beginning, masked and printable, at most 200 characters. */
  readonly sample: string;
  readonly at: EpochMs;
};

export type RefusedRecord = {
  readonly reason: DeadLetterReason;
  readonly cause: string;
  /** The record, or as much of it as was read. */
  readonly bytes: Buffer | string;
  /** Of the whole record, in bytes. */
  readonly size: number;
};

const sampleCharsMax = 200;

export function newDeadLetter(
  refused: RefusedRecord,
  position: SourcePosition,
  options: { redactor: Redactor; nowMs: EpochMs },
): DeadLetter {
  const { topic, partition, offset, index } = position;
  const head =
    typeof refused.bytes === 'string' ? refused.bytes.slice(0, 4096) : refused.bytes.toString('utf8', 0, 4096);
  return {
    id: derivedId('dl', [topic, partition, offset, index]),
    reason: refused.reason,
    cause: refused.cause,
    source: topic,
    partition,
    offset,
    index,
    bytes: refused.size,
    digest: options.redactor.digest(
      typeof refused.bytes === 'string' ? refused.bytes : refused.bytes.toString('latin1'),
    ),
    sample: sampleOf(head),
    at: options.nowMs,
  };
}

/** A name before a colon, a string (which may be cut), or a word. */
const tokens = /"([A-Za-z_@][A-Za-z_.@-]{0,30})"(?=\s{0,4}:)|"(?:[^"\\]|\\.)*"?|[^\s{}[\]:,"]+/gs;

/**
 * The shape of the record without its values: in a record that could not be read nobody can say which value is a secret. Names without digits
 * stay, since they tell what is wrong; the rest becomes `…`, and all is printable.
 */
function sampleOf(head: string): string {
  return head
    .replace(tokens, (token, name: string | undefined) => {
      if (name !== undefined) return redactText(token);
      if (token.startsWith('"')) return '"…"';
      return token === 'true' || token === 'false' || token === 'null' ? token : '…';
    })
    .replace(/[^\x20-\x7e…]/g, '.')
    .slice(0, sampleCharsMax);
}
