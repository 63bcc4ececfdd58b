import { redactText } from './redact.ts';

const mask = '***';
/** After one of these, a long segment is a secret that was mailed to somebody or handed to a machine. */
const secretFollows =
  /^(?:tokens?|reset|reset[-_]?password|password[-_]?reset|password|verify|verification|confirm|confirmation|invite|invitations?|magic|magic[-_]?link|activate|activation|unsubscribe|keys?|api[-_]?keys?|secrets?|otp|login|auth|webhooks?|hooks?)$/i;
const secretSegment = /^[\w~.%=-]{16,}$/;
const botToken = /^bot\d+:[\w-]{20,}$/;
const queryName = /^[\w.[\]$-]{1,64}$/;

/**
 * A path as it may be kept: query names without values (values of listed names stay), no user names of an absolute URL, no fragment, and `***` for
 * segments that are secrets. Most paths have no query and no long segment, and come back as they are after one pass.
 */
export function redactPath(path: string, listedNames: ReadonlySet<string>): string {
  let segmentStart = 0;
  for (let i = 0; ; i++) {
    const code = i < path.length ? path.charCodeAt(i) : 63;
    // `?` and `#` end the path; `;` `=` `:` `%` occur in matrix parameters, URLs and hidden assignments.
    if (code === 63 || code === 35)
      return i === path.length && i - segmentStart < 16 ? path : redactSlowly(path, i, listedNames);
    if (code === 47) {
      if (i - segmentStart >= 16) return redactSlowly(path, endOfPath(path, i), listedNames);
      segmentStart = i + 1;
    } else if (code === 59 || code === 61 || code === 58 || code === 37) {
      return redactSlowly(path, endOfPath(path, i), listedNames);
    }
  }
}

function endOfPath(path: string, from: number): number {
  for (let i = from; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code === 63 || code === 35) return i;
  }
  return path.length;
}

function redactSlowly(path: string, end: number, listedNames: ReadonlySet<string>): string {
  const head = redactSegments(path.slice(0, end));
  if (path.charCodeAt(end) !== 63) return head;
  const fragment = path.indexOf('#', end);
  return `${head}?${redactQuery(path.slice(end + 1, fragment < 0 ? path.length : fragment), listedNames)}`;
}

function redactSegments(head: string): string {
  const segments = head.replace(/(\/\/)[^/]*@/, '$1').split('/');
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i]!.split(';', 1)[0]!;
    const isSecret =
      botToken.test(segment) || (i > 0 && secretFollows.test(segments[i - 1]!) && secretSegment.test(segment));
    segments[i] = isSecret ? mask : redactText(segment);
  }
  return segments.join('/');
}

function redactQuery(query: string, listedNames: ReadonlySet<string>): string {
  const kept: string[] = [];
  for (const pair of query.split('&', 64)) {
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    // A name that is no name (a bare token, say) is not kept either.
    if (!queryName.test(name) || (equals < 0 && name.length > 24) || redactText(name) !== name) kept.push(mask);
    else if (equals >= 0 && listedNames.has(name.toLowerCase()))
      kept.push(`${name}=${redactText(pair.slice(equals + 1))}`);
    else kept.push(name);
  }
  return kept.join('&');
}
