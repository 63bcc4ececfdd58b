/**
 * Values for `{name:Type}` as ClickHouse's HTTP interface carries them: text with the escapes of a tab-separated file, lists as `['a','b\'c',NULL]`. Out: what the clients bind.
 * Lists of lists, tuples and maps stay text, and the engine says that it cannot read them.
 */
export function valuesFor(
  written: string,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string | null | readonly unknown[]>> {
  const lists = new Set([...written.matchAll(/\{(\w+):Array\(/g)].map(([, name]) => name));
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      if (value === '\\N') return [name, null];
      return [name, (lists.has(name) ? listOf(value) : undefined) ?? unescaped(value)];
    }),
  );
}

/** Undefined when the text is no flat list. */
function listOf(text: string): readonly unknown[] | undefined {
  // Quoted texts become JSON's; what stands outside of them are numbers, commas and the brackets.
  const json = text.replace(/'((?:[^'\\]|\\.|'')*)'|\bNULL\b/gs, (whole, inside?: string) =>
    inside === undefined ? whole.toLowerCase() : JSON.stringify(unescaped(inside.replaceAll("''", "'"))),
  );
  try {
    const list: unknown = JSON.parse(json);
    return Array.isArray(list) && list.every((item) => item === null || typeof item !== 'object') ? list : undefined;
  } catch {
    return undefined;
  }
}

function unescaped(text: string): string {
  const letters: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', b: '\b', f: '\f', 0: '\0' };
  return text.replace(/\\(.)/gs, (_, letter: string) => letters[letter] ?? letter);
}
