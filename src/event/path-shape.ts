import { ByteMemo, firstBytes, hashSeed, hashWord, type Stretch } from './decode/byte-memo.ts';
import { redactPath } from './redact-path.ts';

/** What paths have in common that differ only in segments of few digits, in UUIDs, and in the values of their query. */
type PathShape = {
  /** What is kept of the query, with its question mark. */
  readonly query: string;
  /** Names in lower case that stand before a value. */
  readonly valued: readonly string[];
  readonly route: string;
};

const charsMax = 500;
/** So many digits are never taken for a secret, whatever stands before them. */
const digitsMax = 15;
const number = 1;
const uuid = 2;
const none: ReadonlySet<string> = new Set();

/**
 * Redacts paths, and knows the template of the one that came last, by their shapes: of a number, of a UUID after a name that it has seen, and
 * of query values neither redaction nor template look at more than that. Only shapes whose head stays as it is are remembered, so no secret is.
 * A path of no known shape takes the long way, `redactPath` and `templatePath`, and so nothing here decides anything itself.
 */
class PathShapes {
  readonly #memo = new ByteMemo(4096);
  readonly #bytes = new Uint8Array(charsMax + 8);
  readonly #stretch: Stretch = { view: new DataView(this.#bytes.buffer), at: 0, length: 0, hash: 0 };
  /** Where the numbers and UUIDs of the path begin and end. */
  readonly #marks: number[] = [];
  #markCount = 0;
  #headEnd = 0;
  /** The path that came last, before and after, whether it has a shape, and which it is, if that is known. */
  #raw = '';
  #redacted = '';
  #isShaped = false;
  #shape: PathShape | undefined;

  redact(path: string, listedNames: ReadonlySet<string>): string {
    this.#isShaped = this.#scan(path);
    const known = this.#isShaped ? this.#memo.find(this.#stretch, 0) : 0;
    const shape = known > 0 ? (this.#memo.value(known) as PathShape) : undefined;
    const isKnown =
      shape !== undefined && (listedNames.size === 0 || !shape.valued.some((name) => listedNames.has(name)));
    this.#shape = isKnown ? shape : undefined;
    this.#raw = path;
    this.#redacted = isKnown ? this.#keep(path, shape.query) : redactPath(path, listedNames);
    return this.#redacted;
  }

  /** The template of the path that `redact` gave last; undefined for any other. For a shape not seen before it is `make` that says. */
  template(path: string, make: (path: string) => TemplatedPath): TemplatedPath | undefined {
    if (!this.#isShaped || path !== this.#redacted) return undefined;
    if (this.#shape !== undefined) return { route: this.#shape.route, objects: this.#marked(path) };
    const made = make(path);
    this.#learn(made);
    return made;
  }

  #marked(path: string): readonly string[] {
    if (this.#markCount === 0) return noObjects;
    const objects: string[] = [];
    for (let i = 0; i < this.#markCount; i += 2) objects.push(path.slice(this.#marks[i]!, this.#marks[i + 1]!));
    return objects;
  }

  #keep(path: string, query: string): string {
    const head = this.#headEnd === path.length ? path : path.slice(0, this.#headEnd);
    return query === '' ? head : head + query;
  }

  /** Remembers the shape, if its head stays as it is and its template takes out the numbers and UUIDs and nothing else. */
  #learn({ route, objects }: TemplatedPath): void {
    const path = this.#raw;
    const head = path.slice(0, this.#headEnd);
    const kept = redactPath(path, none);
    const marked = this.#marked(path);
    const isMarked = objects.length === marked.length && objects.every((object, i) => object === marked[i]);
    if (!isMarked || !kept.startsWith(head) || (kept.length > head.length && kept[head.length] !== '?')) return;
    const pairs = path
      .slice(head.length + 1)
      .split('#', 1)[0]!
      .split('&');
    const valued = pairs.filter((pair) => pair.includes('=')).map((pair) => pair.split('=', 1)[0]!.toLowerCase());
    this.#memo.add(this.#stretch, 0, { query: kept.slice(head.length), valued, route } satisfies PathShape);
  }

  /** Writes the shape down: the path with a mark for each number and UUID and without the values of the query. False when it has none. */
  #scan(path: string): boolean {
    const { length } = path;
    if (length > charsMax || path.charCodeAt(0) !== 47 /* / */) return false;
    this.#markCount = 0;
    const out = this.#bytes;
    let size = 0;
    let at = 0;
    let code = 47;
    while (at < length && code === 47) {
      out[size++] = 47;
      const start = ++at;
      const written = size;
      let digits = 0;
      for (; at < length; at++) {
        code = path.charCodeAt(at);
        if (code === 47 || code === 63 /* ? */ || code === 35 /* # */) break;
        if (code <= 32 || code >= 127) return false;
        if (code >= 48 && code <= 57) digits++;
        out[size++] = code;
      }
      const isNumber = digits > 0 && digits === at - start && digits <= digitsMax;
      if (!isNumber && (at - start !== 36 || !isUuid(out, written))) continue;
      size = written;
      out[size++] = isNumber ? number : uuid;
      this.#marks[this.#markCount++] = start;
      this.#marks[this.#markCount++] = at;
    }
    this.#headEnd = at;
    if (code === 63 && at < length) size = this.#scanQuery(path, size);
    if (size < 0) return false;
    this.#hash(size);
    return true;
  }

  #scanQuery(path: string, from: number): number {
    const out = this.#bytes;
    let size = from;
    let isName = true;
    for (let at = this.#headEnd; at < path.length; at++) {
      const code = path.charCodeAt(at);
      if (code === 35 /* # */) break;
      if (code <= 32 || code >= 127) return -1;
      if (code === 38 /* & */) isName = true;
      if (isName) out[size++] = code;
      if (code === 61 /* = */) isName = false;
    }
    return size;
  }

  #hash(size: number): void {
    const stretch = this.#stretch;
    let hash = hashSeed;
    let at = 0;
    for (; at + 4 <= size; at += 4) hash = hashWord(hash, stretch.view.getInt32(at, true));
    stretch.hash = hashWord(hash, firstBytes(stretch.view.getInt32(at, true), size - at));
    stretch.length = size;
  }
}

/** Hexadecimal digits in groups of 8, 4, 4, 4 and 12. */
function isUuid(bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < 36; i++) {
    const code = bytes[start + i]!;
    const lower = code | 32;
    if (i === 8 || i === 13 || i === 18 || i === 23) {
      if (code !== 45) return false;
    } else if (!((code >= 48 && code <= 57) || (lower >= 97 && lower <= 102))) return false;
  }
  return true;
}

export type TemplatedPath = { readonly route: string; readonly objects: readonly string[] };

export const noObjects: readonly string[] = Object.freeze([]);
export const pathShapes = new PathShapes();
