import { sleep } from '../../core/sleep.ts';
import { formatChoices } from '../../core/words.ts';
import { deadLetterReasons } from '../../event/traffic-event.ts';
import { decompress, splitArray, splitLines, tooLarge } from '../body.ts';
import { ByteBudget } from '../byte-budget.ts';
import type { HttpParts, IngestOutcome } from '../parts.ts';
import { type Headers, HttpError, type Lease, type Route } from '../route.ts';

/** Bodies being read or written to the log, together; a single one always has room. */
const bytesInFlightMax = 64 * 1024 * 1024;
/** A caller waits this long for the log; then it is told to come back, and the batch may yet arrive: its event ids make the repeat harmless. */
const appendWaitMs = 10_000;
/** Of one body, and under way together: a body of more would be told to come back for ever. */
export const recordsMax = 100_000;
/** The answer names this many refused records and counts the rest. */
const refusedListMax = 1000;

const lineTypes = ['application/x-ndjson', 'application/jsonl'];
const types = ['application/json', ...lineTypes];

export function eventsRoute(ingest: HttpParts['ingest'], bodyBytesMax: number, waitMs = appendWaitMs): Route {
  const budget = new ByteBudget(Math.max(bytesInFlightMax, bodyBytesMax));
  return {
    method: 'POST',
    url: '/v1/events',
    summary: 'Send events: one JSON record per line, or a JSON array; gzip is welcome',
    access: ['ingest'],
    query: {
      type: 'object',
      additionalProperties: false,
      properties: {
        format: { enum: formatChoices, default: 'auto', description: "A decoder's name" },
      },
    },
    body: Object.fromEntries(types.map((type) => [type, lineTypes.includes(type) ? { type: 'string' } : recordSchema])),
    replies: {
      202: {
        description: 'Durable. Refused records are counted and named; the others will be scored',
        schema: acceptedSchema,
      },
      400: { description: 'The array or the gzip data is broken; nothing was taken' },
      413: { description: 'The body, as sent or unpacked, is too large, or holds too many records' },
      415: { description: 'Neither JSON nor NDJSON, or compressed by something else than gzip' },
      429: { description: 'Too much is under way; come back after Retry-After seconds' },
      503: { description: 'The log is away; come back after Retry-After seconds' },
    },
    bodyBytesMax,
    admit: (headers) => admit(headers, budget, bodyBytesMax),
    handle: async ({ body, headers, query, lease }) => {
      const unpacked = await decompress(body, encodingOf(headers), bodyBytesMax);
      const records = lineTypes.includes(typeOf(headers)) ? splitLines(unpacked) : splitArray(unpacked);
      if (records.length > recordsMax) {
        throw new HttpError(413, 'too-many-records', { message: `the body holds more than ${recordsMax} records` });
      }
      lease?.retain();
      const taken = ingest({ records, format: String(query.format) }).finally(() => lease?.release());
      return answer(await within(taken, waitMs));
    },
  };
}

function admit(headers: Headers, budget: ByteBudget, bytesMax: number): Lease {
  const encoding = encodingOf(headers);
  if (!types.includes(typeOf(headers)) || !['', 'identity', 'gzip'].includes(encoding)) {
    const message = `send ${types.join(', ')}; compressed by gzip or not at all`;
    throw new HttpError(415, 'unsupported-media-type', { message });
  }
  const length = Number(headers['content-length'] ?? Number.NaN);
  if (length > bytesMax) throw tooLarge(bytesMax);
  // What is compressed or of unknown length may become as large as is allowed.
  const lease = budget.lease(encoding === 'gzip' || Number.isNaN(length) ? bytesMax : length);
  if (lease === undefined) throw busy(1);
  return lease;
}

function answer(outcome: IngestOutcome) {
  if (outcome.kind === 'busy') throw busy(outcome.retryAfterSeconds);
  const { accepted, refused } = outcome;
  return { status: 202, body: { accepted, refused_count: refused.length, refused: refused.slice(0, refusedListMax) } };
}

function busy(seconds: number): HttpError {
  return new HttpError(429, 'busy', { message: 'too much is under way', headers: { 'retry-after': String(seconds) } });
}

async function within(taken: Promise<IngestOutcome>, waitMs: number): Promise<IngestOutcome> {
  const answered = new AbortController();
  const tooLate = sleep(waitMs, answered.signal).then(() => {
    const message = 'the log is away; send the same events again';
    throw new HttpError(503, 'log-unavailable', { message, headers: { 'retry-after': '5' } });
  });
  // When the log answers in time nobody waits for the timer any more, and its rejection means nothing.
  tooLate.catch(() => undefined);
  taken.catch(() => undefined);
  return await Promise.race([taken, tooLate]).finally(() => answered.abort());
}

function typeOf(headers: Headers): string {
  return String(headers['content-type'] ?? '')
    .split(';')[0]!
    .trim()
    .toLowerCase();
}

function encodingOf(headers: Headers): string {
  return String(headers['content-encoding'] ?? '')
    .trim()
    .toLowerCase();
}

const recordSchema = { oneOf: [{ type: 'array', items: { type: 'object' } }, { type: 'object' }] };

const acceptedSchema = {
  type: 'object',
  required: ['accepted', 'refused_count', 'refused'],
  properties: {
    accepted: { type: 'integer', description: 'Events, which may be more than records' },
    refused_count: { type: 'integer' },
    refused: {
      type: 'array',
      maxItems: refusedListMax,
      items: {
        type: 'object',
        required: ['line', 'reason', 'cause'],
        properties: {
          line: { type: 'integer', description: 'From 1: the line, or the position in the array' },
          reason: { type: 'string', enum: deadLetterReasons },
          cause: { type: 'string' },
        },
      },
    },
  },
};
