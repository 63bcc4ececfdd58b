/**
 * One coercion layer for all formats. In: a value of parsed JSON. Out: the value in canonical type, or undefined when it is of the wrong type.
 * Never thrown, never logged: the value itself, which may be a secret.
 */

/** What gateways write for "not there". */
export function isMissing(value: unknown): value is null | undefined | '' {
  if (typeof value !== 'string') return value === null || value === undefined;
  return value.length <= 4 && (value === '' || value === '-' || value === 'null');
}

/** A finite number, also out of a string such as `"0.045"`. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.length > 32 || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

export function toBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return undefined;
  const lower = value.toLowerCase();
  if (lower === 'true' || lower === '1' || lower === 'yes' || lower === 'on') return true;
  if (lower === 'false' || lower === '0' || lower === 'no' || lower === 'off') return false;
  return undefined;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/**
 * Milliseconds since 1970. Numbers (and numbers in strings) are seconds, milliseconds, microseconds or nanoseconds by their magnitude: from the
 * year 2000 to 5138 the four ranges do not meet. Text is RFC 3339 (without an offset: UTC) or a Common Log Format date.
 */
export function toEpochMs(value: unknown): number | undefined {
  if (typeof value === 'number') return scaleToMs(value);
  if (typeof value !== 'string' || value.length > 40) return undefined;
  if (value.charCodeAt(4) === 45 /* - */ && value.charCodeAt(7) === 45) return parseRfc3339(value);
  const number = toNumber(value);
  return number === undefined ? parseClfDate(value) : scaleToMs(number);
}

/** Nothing beyond what a Date can hold. */
function scaleToMs(number: number): number | undefined {
  if (!(Math.abs(number) <= 8.64e21)) return undefined;
  if (number < 1e11) return Math.round(number * 1e3);
  if (number < 1e14) return Math.round(number);
  return Math.round(number < 1e17 ? number / 1e3 : number / 1e6);
}

/** The number in `count` decimal digits at `at`; NaN when one of them is not a digit. */
function digits(text: string, at: number, count: number): number {
  let number = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}

/** By position and not by a regular expression: it is on the path of every event. */
function parseRfc3339(text: string): number | undefined {
  const separator = text.charCodeAt(10) | 32;
  if ((separator !== 116 && separator !== 32) || text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58)
    return undefined;
  const fields = [digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)] as const;
  let at = 19;
  let fraction = 0;
  if (text.charCodeAt(at) === 46 /* . */) {
    let scale = 100;
    for (at++; at < text.length; at++, scale /= 10) {
      const digit = text.charCodeAt(at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      fraction += digit * scale;
    }
  }
  const offset = zoneOffsetMs(text.slice(at));
  const time = utcMs(fields, [digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)]);
  return offset === undefined || time === undefined ? undefined : Math.floor(time + fraction) - offset;
}

type Triple = readonly [number, number, number];

function utcMs([year, month, day]: Triple, [hour, minute, second]: Triple): number | undefined {
  // A leap second (60) counts as the next second's start. A comparison with NaN is false, so a non-digit ends here too.
  if (!(month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59 && second <= 60)) return undefined;
  if (!(day <= 28 || day <= new Date(Date.UTC(year, month, 0)).getUTCDate())) return undefined;
  // Date.UTC reads the years 0 to 99 as 1900 to 1999; all are out of range anyway.
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** `Z`, `+02:00`, `+0200` or nothing (UTC). */
function zoneOffsetMs(zone: string): number | undefined {
  if (zone === 'Z' || zone === 'z' || zone === '') return 0;
  const sign = zone.startsWith('+') ? 1 : zone.startsWith('-') ? -1 : 0;
  const colon = zone.charCodeAt(3) === 58 ? 1 : 0;
  if (sign === 0 || zone.length !== 5 + colon) return undefined;
  const offset = digits(zone, 1, 2) * 60 + digits(zone, 3 + colon, 2);
  return Number.isNaN(offset) ? undefined : sign * offset * 60_000;
}

/** `17/Dec/2025:19:33:20 +0000`, as in the logs of Apache, nginx ($time_local) and API Gateway ($context.requestTime). */
function parseClfDate(text: string): number | undefined {
  const month = months.indexOf(text.slice(3, 6).toLowerCase()) + 1;
  if (text.length < 20 || month === 0 || text.charCodeAt(2) !== 47 || text.charCodeAt(11) !== 58) return undefined;
  const offset = zoneOffsetMs(text.slice(20).trim());
  const clock: Triple = [digits(text, 12, 2), digits(text, 15, 2), digits(text, 18, 2)];
  const time = utcMs([digits(text, 7, 4), month, digits(text, 0, 2)], clock);
  return offset === undefined || time === undefined ? undefined : time - offset;
}

/** Strings out of an array of strings, or out of one string separated by spaces or commas (`scope` in RFC 6749). At most `max`. */
export function toStrings(value: unknown, max: number): readonly string[] | undefined {
  if (typeof value === 'string') return value.split(/[\s,]+/, max).filter((item) => !isMissing(item));
  if (!Array.isArray(value)) return undefined;
  const items: string[] = [];
  for (const item of value) {
    if (isMissing(item)) continue;
    if (typeof item !== 'string' && !Number.isSafeInteger(item)) return undefined;
    if (items.length < max) items.push(String(item));
  }
  return items;
}

/**
 * An IP address without port and brackets, an IPv4-mapped one as IPv4, the first of a list. Text that is no address ("unknown", "unix:") is
 * missing (null) and not wrong: callers can write into X-Forwarded-For, and must not be able to have their own events refused.
 */
export function toAddress(value: unknown): string | null | undefined {
  if (typeof value !== 'string') return undefined;
  let text = value;
  if (text.length > 45 || text.includes(',')) text = text.slice(0, 200).split(',', 1)[0]!.trim();
  if (text.startsWith('[')) text = text.slice(1, text.indexOf(']'));
  if (text.startsWith('::ffff:') && text.includes('.')) text = text.slice(7);
  let dots = 0;
  let colons = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const lower = code | 32;
    if (code === 46 /* . */) dots++;
    else if (code === 58 /* : */) colons++;
    else if (!((code >= 48 && code <= 57) || (lower >= 97 && lower <= 102))) return null;
  }
  if (dots === 3 && colons === 1) text = text.slice(0, text.indexOf(':'));
  const isAddress = text.length <= 45 && ((dots === 3 && colons <= 1) || (colons >= 2 && (dots === 0 || dots === 3)));
  return isAddress ? text.toLowerCase() : null;
}
