/** A table as aligned Markdown, so that it reads in a terminal and can be pasted into a document. */
export type Table = {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

export function printTable({ title, columns, rows }: Table): string {
  const widths = columns.map((name, c) => Math.max(name.length, ...rows.map((row) => row[c]!.length)));
  const line = (row: readonly string[]): string => `| ${row.map((cell, c) => cell.padEnd(widths[c]!)).join(' | ')} |\n`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`;
  return `### ${title}\n\n${line(columns)}${rule}${rows.map(line).join('')}`;
}

/** Fixed digits; a dash for what cannot be said. */
export function digits(value: number | null, places: number): string {
  return value === null || !Number.isFinite(value) ? '-' : value.toFixed(places);
}

export function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(0)} %`;
}

/** In the unit that a person would choose. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '-';
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
  ] as const;
  const [size, name] = units.find(([unit]) => ms >= unit) ?? [1000, 's'];
  return `${(ms / size).toFixed(1)} ${name}`;
}
