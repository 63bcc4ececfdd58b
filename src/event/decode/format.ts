import type { FormatName } from '../../core/words.ts';
import type { FieldName } from '../canonical-fields.ts';
import { assign, assignIfEmpty, type Draft } from '../draft.ts';

export type JsonObject = { readonly [key: string]: unknown };

/**
 * One gateway's record. `detect` says whether the record is of this format; `decode` fills the draft, whatever the record holds: wrong values are
 * noted in the draft, never thrown.
 */
export type Format = {
  readonly name: FormatName;
  readonly detect: (record: JsonObject) => boolean;
  readonly decode: (record: JsonObject, draft: Draft) => void;
};

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const empty: JsonObject = Object.freeze({});

/** The object at the key, or an empty one. */
export function child(record: JsonObject, key: string): JsonObject {
  const value = record[key];
  return isJsonObject(value) ? value : empty;
}

/** Canonical field from one of the record's keys, first come. */
export type FieldSource = readonly [FieldName, ...string[]];

export function assignAll(draft: Draft, record: JsonObject, sources: readonly FieldSource[]): void {
  for (const [name, ...keys] of sources) {
    for (const key of keys) if (Object.hasOwn(record, key)) assignIfEmpty(draft, name, record[key]);
  }
}

/** `ts` starts as 0 and not as null, so it has its own rule. */
export function assignTime(draft: Draft, ...values: readonly unknown[]): void {
  for (const value of values) if (!draft.hasTime) assign(draft, 'ts', value);
}

/** Header names are case-insensitive, whoever wrote the log (RFC 9110, section 5.1). A repeated header may come as an array: the first counts. */
export function header(headers: JsonObject, name: string): unknown {
  const exact = headers[name];
  const value =
    exact === undefined ? headers[Object.keys(headers).find((key) => key.toLowerCase() === name) ?? name] : exact;
  return Array.isArray(value) ? value[0] : value;
}
