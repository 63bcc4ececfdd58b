import type { Field } from './hpack.ts';
import { errorCodes, Http2Error } from './http2-frames.ts';
import type { Headers } from './route.ts';

const pseudo = new Set([':method', ':scheme', ':path', ':authority']);
/** Of a connection of HTTP/1 (RFC 9113, 8.2.2). */
const ofConnections = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']);
/** A token without capital letters; what has a colon in front is looked up. */
const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** RFC 9113, 8.2.1: nothing that could end a line, no blanks around. */
const fieldValue = /^(?![\t ])[^\0\r\n]*(?<![\t ])$/;

/** What a request says of itself (RFC 9113, 8.3); `:method`, `:scheme` and `:path` are there. Throws a Http2Error. */
export function requestHeaders(fields: readonly Field[]): Headers {
  const headers: Record<string, string> = Object.create(null);
  let isPseudoOver = false;
  for (const [name, value] of fields) {
    if (!fieldValue.test(value)) throw malformed();
    if (name.startsWith(':')) {
      if (isPseudoOver || !pseudo.has(name) || name in headers) throw malformed();
      headers[name] = value;
      continue;
    }
    isPseudoOver = true;
    checkName(name);
    if (ofConnections.has(name) || (name === 'te' && value !== 'trailers')) throw malformed();
    const known = headers[name];
    headers[name] = known === undefined ? value : `${known}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  if (headers[':method'] === undefined || headers[':scheme'] === undefined || !headers[':path']) throw malformed();
  return headers;
}

/** Nothing is done with trailers; that they are some is checked. Throws a Http2Error. */
export function checkTrailers(fields: readonly Field[]): void {
  for (const [name] of fields) checkName(name);
}

/** In bytes; null where none is said. Throws a Http2Error. */
export function contentLength(headers: Headers): number | null {
  const text = headers['content-length'];
  if (text === undefined) return null;
  if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) throw malformed();
  return Number(text);
}

function checkName(name: string): void {
  if (!fieldName.test(name)) throw malformed();
}

function malformed(): Http2Error {
  return new Http2Error(errorCodes.protocolError, 'stream');
}
