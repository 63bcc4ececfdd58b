import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { z } from '../config/zod.ts';
import type { IngestRecord } from './parts.ts';
import { HttpError } from './route.ts';

const gunzipAsync = promisify(gunzip);

/** Undoes gzip, never beyond `bytesMax`: a bomb is answered 413 as soon as it passes the limit. Damaged data is 400. */
export async function decompress(body: Buffer, encoding: string, bytesMax: number): Promise<Buffer> {
  if (encoding !== 'gzip') return body;
  try {
    return await gunzipAsync(body, { maxOutputLength: bytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax);
    throw new HttpError(400, 'invalid-gzip', { message: 'the body is not gzip, or is cut short' });
  }
}

export function tooLarge(bytesMax: number): HttpError {
  return new HttpError(413, 'body-too-large', { message: `the body is larger than ${bytesMax} bytes` });
}

/** A text that is shown to people in logs, messages and tables. */
export const oneLine = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .regex(/^\P{Cc}*$/u, 'expected one line without control characters');

/** A body that is one JSON value of a certain shape; otherwise 400, with the place of what is wrong and never its value. */
export function readJson<T>(body: Buffer, schema: z.ZodType<T>): T {
  const result = schema.safeParse(parseJson(body));
  if (result.success) return result.data;
  const message = result.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`).join('; ');
  throw new HttpError(400, 'invalid-request', { message: message.slice(0, 1000) });
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new HttpError(400, 'invalid-json', { message: 'the body is not JSON' });
  }
}

const newline = 0x0a;
const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const [openSquare, closeSquare, openCurly, closeCurly] = [0x5b, 0x5d, 0x7b, 0x7d];

/** One record per line; blank lines are none. The bytes are slices of the body, not copies. */
export function splitLines(body: Buffer): readonly IngestRecord[] {
  const records: IngestRecord[] = [];
  for (let start = 0, line = 1; start < body.length; line++) {
    const found = body.indexOf(newline, start);
    const end = found < 0 ? body.length : found;
    const bytes = trim(body, start, end);
    if (bytes.length > 0) records.push({ line, bytes });
    start = end + 1;
  }
  return records;
}

/**
 * The elements of a JSON array, found by counting brackets outside strings, so that one bad element is refused alone and none is parsed twice.
 * Anything but an array is one record. An array that does not end, or that something follows, is 400.
 */
export function splitArray(body: Buffer): readonly IngestRecord[] {
  const text = trim(body, 0, body.length);
  if (text[0] !== openSquare) return text.length === 0 ? [] : [{ line: 1, bytes: text }];
  const records: IngestRecord[] = [];
  let depth = 0;
  let start = 1;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const byte = text[i]!;
    if (inString) {
      if (byte === backslash) i++;
      else if (byte === quote) inString = false;
    } else if (byte === quote) inString = true;
    else if (byte === openSquare || byte === openCurly) depth++;
    else if (byte === closeSquare || byte === closeCurly) {
      depth--;
      if (depth > 0) continue;
      const last = trim(text, start, i);
      if (last.length > 0) records.push({ line: records.length + 1, bytes: last });
      if (i !== text.length - 1 || byte !== closeSquare) throw brokenArray();
      return records;
    } else if (byte === comma && depth === 1) {
      records.push({ line: records.length + 1, bytes: trim(text, start, i) });
      start = i + 1;
    }
  }
  throw brokenArray();
}

function brokenArray(): HttpError {
  return new HttpError(400, 'invalid-json', { message: 'the JSON array does not end, or something follows it' });
}

/** Without the blanks of JSON at both ends: space, tab, line feed, carriage return; and without a byte order mark. */
function trim(bytes: Buffer, start: number, end: number): Buffer {
  if (start === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) start = 3;
  while (start < end && isBlank(bytes[start]!)) start++;
  while (end > start && isBlank(bytes[end - 1]!)) end--;
  return bytes.subarray(start, end);
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === newline || byte === 0x0d;
}
