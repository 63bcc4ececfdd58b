import assert from 'node:assert/strict';
import { createDecoder, type Decoded, type DecoderOptions } from '../../../src/event/decode/decoder.ts';
import { createRedactor } from '../../../src/event/redact.ts';
import type { TrafficEvent } from '../../../src/event/traffic-event.ts';

/** A fixed clock shortly after the reference records' times. */
export const nowMs = Date.UTC(2026, 0, 15);

export const redactor = createRedactor({ hmacKey: 'a key for tests only', listedQueryNames: ['page'] });

export function newDecoder(options: Partial<DecoderOptions> = {}): (record: unknown) => readonly Decoded[] {
  const decoder = createDecoder({ format: 'auto', redactor, ...options });
  return (record) =>
    decoder.decode(typeof record === 'string' || Buffer.isBuffer(record) ? record : JSON.stringify(record), nowMs);
}

/** The one event of a record that must be good. */
export function decodeOne(record: unknown, options: Partial<DecoderOptions> = {}): TrafficEvent {
  const outcomes = newDecoder(options)(record);
  assert.equal(outcomes.length, 1);
  const outcome = outcomes[0]!;
  assert.equal(outcome.kind, 'ok', JSON.stringify(outcome));
  return outcome.kind === 'ok' ? outcome.value : assert.fail();
}

/** `reason: cause` of each outcome that is no event. */
export function refusals(outcomes: readonly Decoded[]): readonly string[] {
  return outcomes.flatMap((outcome) => (outcome.kind === 'dead-letter' ? [`${outcome.reason}: ${outcome.cause}`] : []));
}

/** Only what is set. */
export function filled(event: TrafficEvent): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null));
}

/** An unsigned token with these claims, as a gateway would see it after verification. */
export function jwt(claims: Record<string, unknown>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJlLXRoYXQtaXMtbm90LW9uZQ`;
}
