import type { Headers } from './route.ts';

export type RequestHead = {
  readonly method: string;
  /** As it came, with the query. */
  readonly url: string;
  readonly headers: Headers;
  /** The one who asks ends the connection after the answer. */
  readonly isLast: boolean;
};

const requestLine = /([A-Z]+) (\/[!-~]*) HTTP\/1\.1\r\n/y;
/** RFC 9110, 5.5 and 5.6.2: a token, then visible characters and blanks; nothing folded, nothing else. */
const fieldLine = /[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n/y;

/** What says that something follows the head, or that the connection becomes something else. */
const notPlain = new Set(['transfer-encoding', 'expect', 'upgrade', 'proxy-connection', 'set-cookie']);
/** Of these Node keeps the first that came; of others it makes a list (nodejs.org/api/http.html, `message.headers`). */
const single = new Set(
  `age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since last-modified location
  max-forwards proxy-authorization referer retry-after server user-agent`.split(/\s+/),
);

/**
 * Reads the head of a request (RFC 9112) that is all there and all there is: no body, nothing behind it. `text`: its bytes as characters
 * (latin1). Null for whatever is not plain, allowed or not: to say what that means is left to Node's parser. What is read here, Node reads the
 * same way (tested against it).
 */
export function readRequestHead(text: string): RequestHead | null {
  requestLine.lastIndex = 0;
  const line = requestLine.exec(text);
  if (line === null) return null;
  const headers: Record<string, string> = {};
  let isLast = false;
  let at = requestLine.lastIndex;
  const end = text.length - 2;
  while (at < end) {
    fieldLine.lastIndex = at;
    if (!fieldLine.test(text)) return null;
    const colon = text.indexOf(':', at);
    const name = text.slice(at, colon).toLowerCase();
    at = fieldLine.lastIndex;
    const value = withoutBlanks(text, colon + 1, at - 2);
    if (notPlain.has(name)) return null;
    if (name === 'content-length' && value !== '0') return null;
    if (name === 'connection') {
      const option = value.toLowerCase();
      if (option !== 'keep-alive' && option !== 'close') return null;
      isLast = option === 'close';
    }
    // Of a name that every object has (constructor) it is a function.
    const known: unknown = headers[name];
    if (known === undefined) headers[name] = value;
    else if (typeof known !== 'string' || name === 'content-length' || name === 'connection') return null;
    else if (!single.has(name)) headers[name] = `${known}${name === 'cookie' ? '; ' : ', '}${value}`;
  }
  if (at !== end || !text.startsWith('\r\n', end) || headers.host === undefined) return null;
  return { method: line[1]!, url: line[2]!, headers, isLast };
}

/** RFC 9110, 5.5: spaces and tabs around a value are none of it. */
function withoutBlanks(text: string, from: number, to: number): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}
