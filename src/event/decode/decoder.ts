import { isUtf8 } from 'node:buffer';
import type { Outcome } from '../../core/outcome.ts';
import type { FormatName } from '../../core/words.ts';
import { type Draft, newDraft } from '../draft.ts';
import type { Redactor } from '../redact.ts';
import { type DeadLetterReason, emptyEvent, type TrafficEvent } from '../traffic-event.ts';
import { awsApiGateway } from './aws-api-gateway.ts';
import { canonical, flatDecoder, looksCanonical } from './canonical.ts';
import { cloudtrail } from './cloudtrail.ts';
import { isDeeperThan, textIsDeeperThan, unwrap } from './envelope.ts';
import { envoy } from './envoy.ts';
import { type Format, isJsonObject, type JsonObject } from './format.ts';
import { kong } from './kong.ts';
import { compileMap, type FieldMap } from './map.ts';
import { nginx } from './nginx.ts';

export type Decoded = Outcome<TrafficEvent, DeadLetterReason>;

export type DecoderLimits = {
  readonly recordBytesMax: number;
  readonly depthMax: number;
  /** Longer free text is cut, longer ids are invalid. */
  readonly fieldCharsMax: number;
};

export const defaultDecoderLimits: DecoderLimits = { recordBytesMax: 1024 * 1024, depthMax: 32, fieldCharsMax: 2048 };

export type DecoderOptions = {
  /** `auto` finds the format from the records of one source, keeps it while records match, and looks again when they stop. */
  readonly format: 'auto' | FormatName;
  /** Needed by, and implies, the format `map`. */
  readonly map?: FieldMap;
  readonly redactor: Redactor;
  readonly limits?: DecoderLimits;
};

/** One per source (topic or file): it remembers the source's format. */
export type Decoder = {
  /**
   * The events of one record, redacted; a record may hold several (CloudTrail files, arrays), and each outcome's place in the list is its index.
   * Never throws. A blank record holds none. `nowMs` bounds the plausible times.
   */
  readonly decode: (bytes: Buffer | string, nowMs: number) => readonly Decoded[];
};

/** Most specific first: formats share names such as `status`. */
const detectable: readonly Format[] = [cloudtrail, kong, awsApiGateway, envoy, nginx, canonical];

const formats: Readonly<Record<Exclude<FormatName, 'map'>, Format>> = {
  canonical,
  cloudtrail,
  nginx,
  envoy,
  kong,
  'aws-api-gateway': awsApiGateway,
};

/** An array in an envelope in SNS in an array: more is nothing that a shipper makes. */
const wrappersMax = 5;
const earliestMs = Date.UTC(2000, 0, 1);
const clockSkewMs = 5 * 60_000;

export function createDecoder(options: DecoderOptions): Decoder {
  const limits = options.limits ?? defaultDecoderLimits;
  const draft = newDraft(options.redactor, limits.fieldCharsMax);
  const decodeFlat = flatDecoder(draft);
  const isAuto = options.format === 'auto' && options.map === undefined;
  let current = fixedFormat(options);

  /** The format of the record; null when it may be a wrapper. */
  const formatOf = (record: JsonObject): Format | null => {
    if (current?.detect(record)) return current;
    const found = isAuto ? detectable.find((format) => format.detect(record)) : undefined;
    if (found !== undefined) current = found;
    return found ?? null;
  };
  const expand = (value: unknown, level: number, out: Decoded[]): void => {
    if (Array.isArray(value) && level < wrappersMax) {
      for (const item of value) expand(item, level + 1, out);
    } else if (!isJsonObject(value)) {
      out.push(deadLetter('not-an-object', 'not a JSON object'));
    } else {
      const format = formatOf(value);
      const inner = format === null && level < wrappersMax ? unwrap(value) : undefined;
      if (inner !== undefined) {
        if (isDeeperThan(inner, limits.depthMax)) out.push(tooDeep(limits));
        else expand(inner, level + 1, out);
      } else out.push(decodeRecord(value, format ?? fallbackFormat(value, current, isAuto), draft));
    }
  };

  return {
    decode(bytes, nowMs) {
      draft.nowMs = nowMs;
      const isSimple = current === canonical && typeof bytes !== 'string' && bytes.length <= limits.recordBytesMax;
      if (isSimple && decodeFlat(bytes)) return [check(draft)];
      const parsed = parse(bytes, limits);
      if (parsed.kind !== 'ok') return parsed.kind === 'drop' ? [] : [parsed];
      const out: Decoded[] = [];
      expand(parsed.value, 0, out);
      return out;
    },
  };
}

function fixedFormat(options: DecoderOptions): Format | null {
  if (options.map !== undefined) return compileMap(options.map);
  return options.format === 'auto' || options.format === 'map' ? null : formats[options.format];
}

/** No format fits and there is nothing inside: decode by the known format, so that the reason can say what is missing. */
function fallbackFormat(record: JsonObject, current: Format | null, isAuto: boolean): Format | null {
  if (!isAuto || (current !== null && record.s3 === undefined)) return current;
  return looksCanonical(record) ? canonical : null;
}

function decodeRecord(record: JsonObject, format: Format | null, draft: Draft): Decoded {
  if (format === null) {
    const isNotification = record.s3 !== undefined || record.s3ObjectKey !== undefined;
    return deadLetter(
      'unknown-format',
      isNotification ? 'names a file in S3 instead of holding its records' : 'no known format fits',
    );
  }
  reset(draft);
  format.decode(record, draft);
  return check(draft);
}

function reset(draft: Draft): void {
  draft.event = emptyEvent();
  draft.hasTime = false;
  draft.problem = null;
}

function check(draft: Draft): Decoded {
  const { event, problem } = draft;
  if (problem !== null) return deadLetter('invalid-field', problem);
  if (!draft.hasTime) return deadLetter('missing-timestamp', 'no time');
  if (event.ts < earliestMs) return deadLetter('timestamp-out-of-range', 'before the year 2000');
  if (event.ts > draft.nowMs + clockSkewMs)
    return deadLetter('timestamp-out-of-range', 'more than 5 minutes in the future');
  if (!hasIdentity(event)) return deadLetter('missing-identity', 'neither an identity field nor client_ip');
  return { kind: 'ok', value: event };
}

function hasIdentity(event: TrafficEvent): boolean {
  return (
    (event.subject ?? event.client_ip ?? event.mtls_subject ?? event.api_key ?? event.client_id) !== null ||
    (event.consumer ?? event.session_id ?? event.device_id) !== null
  );
}

function parse(bytes: Buffer | string, limits: DecoderLimits): Outcome<unknown, DeadLetterReason> {
  if (bytes.length > limits.recordBytesMax)
    return deadLetter('record-too-large', `larger than ${limits.recordBytesMax} bytes`);
  let text = typeof bytes === 'string' ? bytes : bytes.toString('utf8');
  // Decoding turns broken bytes into U+FFFD, so only text that holds one needs the check.
  if (typeof bytes !== 'string' && text.includes('\ufffd') && !isUtf8(bytes))
    return deadLetter('invalid-utf8', 'not valid UTF-8');
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    if (text.trim() === '') return { kind: 'drop', reason: 'invalid-json' };
    if (textIsDeeperThan(text, limits.depthMax)) return tooDeep(limits);
    // The parser's own message quotes the record, which may hold a secret.
    return deadLetter('invalid-json', text.includes('\0') ? 'holds a NUL byte' : 'not valid JSON');
  }
  // V8 parses without recursion, so depth can be looked at afterwards, and only where there is a second bracket.
  const isNested = text.includes('{', 1) || text.includes('[', 1);
  return isNested && isDeeperThan(value, limits.depthMax) ? tooDeep(limits) : { kind: 'ok', value };
}

function tooDeep(limits: DecoderLimits): Decoded {
  return deadLetter('too-deep', `nested deeper than ${limits.depthMax} levels`);
}

function deadLetter(
  reason: DeadLetterReason,
  cause: string,
): { kind: 'dead-letter'; reason: DeadLetterReason; cause: string } {
  return { kind: 'dead-letter', reason, cause };
}
