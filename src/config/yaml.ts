import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { GaitError } from '../core/errors.ts';
import { describeIssue, nearest } from './problem.ts';
import { z } from './zod.ts';

export type YamlFile = {
  readonly value: unknown;
  /** `file:line:column` of the value at a path, or of its nearest parent when it is not there. */
  readonly locate: (path: readonly PropertyKey[]) => string;
};

/**
 * Parses YAML 1.2 (and so JSON). Duplicate keys and broken syntax fail with CONFIG_INVALID, one `file:line:column: cause` per error;
 * aliases are expanded a hundred times at most, so a small file cannot unfold into a large one, and none may hold itself.
 */
export function parseYaml(text: string, fileName: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${fileName}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw invalid(document.errors.map((error) => `${at(error.pos[0])}: ${error.message}`));
  }
  const locate = (path: readonly PropertyKey[]): string => at(offsetOf(document.contents, path));
  return { value: toValue(() => document.toJS({ maxAliasCount: 100 }), fileName), locate };
}

/** Parses and checks a file against its schema; every disagreement is named with its place, all in one CONFIG_INVALID. */
export function checkYaml<T>(schema: z.ZodType<T>, text: string, fileName: string): T {
  const { value, locate } = parseYaml(text, fileName);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  throw invalid(
    result.error.issues.flatMap((issue) => {
      const hint = issue.code === 'invalid_value' ? suggestion(valueAt(value, issue.path), issue.values) : '';
      return describeIssue(issue, json, locate).map((problem) => `${problem}${hint}`);
    }),
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((at: unknown, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step], value);
}

function suggestion(value: unknown, known: readonly unknown[]): string {
  if (typeof value !== 'string') return '';
  const close = nearest(
    value,
    known.filter((each): each is string => typeof each === 'string'),
  );
  return close === undefined ? '' : `; did you mean ${close}?`;
}

function invalid(errors: readonly string[]): GaitError {
  return new GaitError('CONFIG_INVALID', errors.join('\n'));
}

function toValue(expand: () => unknown, fileName: string): unknown {
  try {
    const value = expand();
    // Whoever walks a value that holds itself never comes to its end; this one does, with an error.
    JSON.stringify(value);
    return value;
  } catch (cause) {
    throw new GaitError('CONFIG_INVALID', `${fileName}:1:1: too many aliases, or one that holds itself`, { cause });
  }
}

function offsetOf(root: unknown, path: readonly PropertyKey[]): number {
  let offset = isNode(root) ? (root.range?.[0] ?? 0) : 0;
  let node = root;
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part),
      );
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}
