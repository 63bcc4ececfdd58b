import { redactText } from './redact-text.ts';

const mask = '***';
/** After one of these, a long segment is a secret that was mailed to somebody or handed to a machine. */
const secretFollows =
  /^(?:tokens?|reset|reset[-_]?password|password[-_]?reset|password|verify|verification|confirm|confirmation|invite|invitations?|magic|magic[-_]?link|activate|activation|unsubscribe|keys?|api[-_]?keys?|secrets?|otp|login|auth|webhooks?|hooks?)$/i;
const secretSegment = /^[\w~.%=-]{16,}$/;
const botToken = /^bot\d+:[\w-]{20,}$/;
const queryNamesMax = 64;

/**
 * A path as it may be kept: query names without values (values of listed names stay), no user names of an absolute URL, no fragment, and `***` for
 * segments that are secrets. Most paths have no long segment and nothing odd in them: one pass, and the head stays as it is.
 */
export function redactPath(path: string, listedNames: ReadonlySet<string>): string {
  let isSimple = true;
  let segmentStart = 0;
  let end = 0;
  for (; end < path.length; end++) {
    const code = path.charCodeAt(end);
    if (code === 63 /* ? */ || code === 35 /* # */) break;
    if (code === 47 /* / */) {
      if (end - segmentStart >= 16) isSimple = false;
      segmentStart = end + 1;
    }
    // `;` `=` `:` `%` occur in matrix parameters, URLs and hidden assignments.
    else if (code === 59 || code === 61 || code === 58 || code === 37) isSimple = false;
  }
  if (end - segmentStart >= 16) isSimple = false;
  if (isSimple && end === path.length) return path;
  const head = isSimple ? path.slice(0, end) : redactSegments(path.slice(0, end));
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
  let kept = '';
  let start = 0;
  for (let count = 0; count < queryNamesMax && start <= query.length; count++) {
    const ampersand = query.indexOf('&', start);
    const end = ampersand < 0 ? query.length : ampersand;
    const equals = query.indexOf('=', start);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    const name = query.slice(start, nameEnd);
    kept += count === 0 ? '' : '&';
    if (!isName(name, nameEnd < end)) kept += mask;
    else if (nameEnd < end && listedNames.has(name.toLowerCase()))
      kept += `${name}=${redactText(query.slice(nameEnd + 1, end))}`;
    else kept += name;
    start = end + 1;
  }
  return kept;
}

/** A name that is no name (a bare token, say) is not kept either. */
function isName(name: string, hasValue: boolean): boolean {
  if (name.length > (hasValue ? 64 : 24)) return false;
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const lower = code | 32;
    const isWord = (lower >= 97 && lower <= 122) || (code >= 48 && code <= 57) || code === 95;
    // . [ ] $ -
    if (!isWord && code !== 46 && code !== 91 && code !== 93 && code !== 36 && code !== 45) return false;
  }
  return name.length < 16 || redactText(name) === name;
}
