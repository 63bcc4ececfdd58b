import type { z } from './zod.ts';

export type Issue = z.core.$ZodIssue;
type JsonSchema = {
  readonly propertyNames?: { readonly enum?: readonly string[] };
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  /** Of a map with names of the operator's own. */
  readonly additionalProperties?: JsonSchema | false;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
};

export type Path = readonly (string | number)[];
export type Locate = (path: Path) => string;

/** What one schema issue means to the person who wrote the file: one sentence per key, with its place; never the value, which may be a secret. */
export function describeIssue(issue: Issue, json: unknown, locate: Locate): readonly string[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code !== 'unrecognized_keys')
    return [`${locate(path)}: ${path.join('.') || 'the file'}: ${lowerFirst(issue.message)}`];
  const known = keysAt(json as JsonSchema, path);
  return issue.keys.map((key) => {
    const close = nearest(key, known);
    const hint = close === undefined ? `; known here: ${known.join(', ')}` : `; did you mean ${close}?`;
    return `${locate([...path, key])}: unknown key ${[...path, key].join('.')}${hint}`;
  });
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** The keys that may stand at a path; for a choice of shapes, those of all of them. */
function keysAt(json: JsonSchema, path: Path): readonly string[] {
  let shapes = variants(json);
  for (const step of path) {
    const next = shapes.flatMap(
      (shape) =>
        (typeof step === 'number' ? shape.items : (shape.properties?.[step] ?? shape.additionalProperties)) || [],
    );
    shapes = next.flatMap(variants);
  }
  return [
    ...new Set(
      shapes.flatMap((shape) => [...Object.keys(shape.properties ?? {}), ...(shape.propertyNames?.enum ?? [])]),
    ),
  ];
}

function variants(json: JsonSchema): readonly JsonSchema[] {
  const choices = json.oneOf ?? json.anyOf;
  return choices === undefined ? [json] : choices.flatMap(variants);
}

/** The known key that was probably meant: the same letters in another spelling, or at most a third of the letters wrong. */
export function nearest(key: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((name) => ({ name, distance: editDistance(letters(key), letters(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.ceil(best.name.length / 3) ? best.name : undefined;
}

function letters(name: string): string {
  return name.toLowerCase().replace(/[_.-]/g, '');
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
