import { canonicalFields, type FieldName, type FieldSpec, itemsMax } from './canonical-fields.ts';
import { isMissing, toAddress, toBoolean, toEpochMs, toNumber, toStrings } from './decode/coerce.ts';
import type { Redactor } from './redact.ts';
import { emptyEvent, rowNames, type TrafficEvent } from './traffic-event.ts';

export type Field = Required<FieldSpec> & {
  readonly name: FieldName;
  /** Its place in a row. */
  readonly index: number;
};

const fields: ReadonlyMap<string, Field> = new Map(
  rowNames.map((name, index) => {
    // Written out, so that all fields have one shape: they are looked at for every value of every event.
    const {
      kind,
      about,
      min = -Infinity,
      max = Number.MAX_VALUE,
      integer = false,
      isUnique = false,
    } = canonicalFields[name];
    return [name, { name, index, kind, about, min, max, integer, isUnique }];
  }),
);

const methods = new Set(
  'GET HEAD POST PUT PATCH DELETE OPTIONS CONNECT TRACE QUERY PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH PURGE'.split(
    ' ',
  ),
);

/** An event being filled, with the first field that did not fit. */
export type Draft = {
  event: TrafficEvent;
  hasTime: boolean;
  /** A cause for `invalid-field`: the field's name and what was expected, never the value. */
  problem: string | null;
  /** The caller's clock, for the plausible range of times. */
  nowMs: number;
  readonly redactor: Redactor;
  readonly fieldCharsMax: number;
};

export function newDraft(redactor: Redactor, fieldCharsMax: number): Draft {
  return { event: emptyEvent(), hasTime: false, problem: null, nowMs: 0, redactor, fieldCharsMax };
}

export function isCanonicalField(name: string): boolean {
  return fields.has(name);
}

/** Sets the field from a raw value: missing values leave it as it is, wrong ones are noted in `draft.problem`. Unknown names are ignored: false. */
export function assign(draft: Draft, name: string, value: unknown): boolean {
  const field = fields.get(name);
  if (field === undefined) return false;
  if (isMissing(value)) return true;
  const coerced = coerce(field, value, draft);
  if (coerced === undefined) noteWrong(draft, field);
  else (draft.event as Record<string, unknown>)[field.name] = coerced;
  if (field.kind === 'time') draft.hasTime = true;
  return true;
}

/** A raw value as the field's: null when it is missing, undefined when it is wrong. */
export function valueFor(draft: Draft, field: Field, value: unknown): unknown {
  return isMissing(value) ? null : coerce(field, value, draft);
}

export function noteWrong(draft: Draft, field: Field): void {
  draft.problem ??= `${field.name}: expected ${expectation(field)}`;
}

export function fieldOf(name: string): Field | undefined {
  return fields.get(name);
}

/** As `assign`, when the field is still empty. */
export function assignIfEmpty(draft: Draft, name: FieldName, value: unknown): void {
  if (draft.event[name] === null) assign(draft, name, value);
}

function coerce(field: Field, value: unknown, draft: Draft): unknown {
  switch (field.kind) {
    case 'id':
      return coerceId(value, draft);
    case 'text':
      return typeof value === 'string' ? draft.redactor.text(cut(value, draft.fieldCharsMax)) : undefined;
    case 'number':
      return coerceNumber(field, value);
    case 'path':
      return typeof value === 'string' ? draft.redactor.path(cut(value, draft.fieldCharsMax)) : undefined;
    case 'time':
      return toEpochMs(value);
    case 'address':
      return toAddress(value);
    case 'method':
      return coerceMethod(value);
    case 'host':
      return typeof value === 'string' ? hostName(value, draft) : undefined;
    default:
      return coerceRare(field, value, draft);
  }
}

function coerceRare(field: Field, value: unknown, draft: Draft): unknown {
  switch (field.kind) {
    case 'secret':
      return typeof value === 'string' || Number.isSafeInteger(value)
        ? draft.redactor.digest(firstOfList(String(value)))
        : undefined;
    case 'boolean':
      return toBoolean(value);
    case 'list':
      return toStrings(value, itemsMax)?.map((item) => draft.redactor.text(cut(item, draft.fieldCharsMax)));
    case 'seconds': {
      const time = toEpochMs(value);
      return time === undefined || time < 0 ? undefined : Math.floor(time / 1000);
    }
    case 'counts':
      return coerceCounts(value, draft);
    case 'actor':
      return oneOf(value, 'human', 'service');
    case 'auth-result':
      return oneOf(value, 'success', 'failure');
    default:
      return undefined;
  }
}

/** A header that was sent twice comes joined by commas (RFC 9110, 5.3), and an API that reads the first would take a key that is no key to us. */
function firstOfList(text: string): string {
  const comma = text.indexOf(',');
  return comma < 0 ? text : text.slice(0, comma).trim();
}

function cut(text: string, charsMax: number): string {
  return text.length > charsMax ? text.slice(0, charsMax) : text;
}

function coerceId(value: unknown, draft: Draft): string | undefined {
  if (typeof value === 'string') return value.length > draft.fieldCharsMax ? undefined : draft.redactor.id(value);
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

function coerceNumber(field: Field, value: unknown): number | undefined {
  const number = typeof value === 'number' ? value : toNumber(value);
  if (number === undefined || !(number >= field.min && number <= field.max)) return undefined;
  return field.integer && !Number.isInteger(number) ? undefined : number;
}

/** The caller chooses the method, so unknown ones share a name (as in OpenTelemetry's conventions) and cost no baseline. */
function coerceMethod(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (methods.has(value)) return value;
  const upper = value.slice(0, 16).toUpperCase();
  return methods.has(upper) ? upper : '_OTHER';
}

function hostName(value: string, draft: Draft): string {
  if (isPlainHost(value)) return value;
  const host = cut(value, 255).toLowerCase();
  const afterUser = host.slice(host.lastIndexOf('@') + 1);
  const colon = afterUser.lastIndexOf(':');
  const isPort = colon > 0 && (afterUser.indexOf(':') === colon || afterUser.charCodeAt(colon - 1) === 93); /* ] */
  return draft.redactor.text(isPort ? afterUser.slice(0, colon) : afterUser);
}

/** Lower-case letters, digits, dots and hyphens: as it should be already. */
function isPlainHost(host: string): boolean {
  if (host.length > 100) return false;
  for (let i = 0; i < host.length; i++) {
    const code = host.charCodeAt(i);
    if (!((code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === 46 || code === 45)) return false;
  }
  return true;
}

function oneOf(value: unknown, ...choices: readonly string[]): string | undefined {
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  return choices.includes(text) ? text : undefined;
}

function coerceCounts(value: unknown, draft: Draft): Record<string, number> | undefined {
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  const counts: Record<string, number> = {};
  for (const [name, raw] of Object.entries(value as object).slice(0, itemsMax)) {
    const count = toNumber(raw);
    if (count === undefined || count < 0) return undefined;
    // Setting `__proto__` to a number does nothing, but would be silently lost: say so by leaving it out here.
    if (name !== '__proto__') counts[draft.redactor.text(cut(name, 64))] = count;
  }
  return counts;
}

function expectation(field: Field): string {
  switch (field.kind) {
    case 'time':
    case 'seconds':
      return 'a time';
    case 'number': {
      const range = field.max === Number.MAX_VALUE ? `of at least ${field.min}` : `from ${field.min} to ${field.max}`;
      return `${field.integer ? 'a whole number' : 'a number'} ${range}`;
    }
    case 'address':
      return 'an IP address in a string';
    case 'boolean':
      return 'true or false';
    case 'list':
      return 'an array of strings';
    case 'counts':
      return 'an object of counts';
    case 'actor':
      return '"human" or "service"';
    case 'auth-result':
      return '"success" or "failure"';
    default:
      return 'a string within the length limit';
  }
}
