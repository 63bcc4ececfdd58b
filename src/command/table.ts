import { visible } from '../core/visible.ts';

export type Column<Row> = {
  readonly title: string;
  readonly value: (row: Row) => unknown;
  /** Gives way when the terminal is too narrow; the others are ids and words that are of no use cut. */
  readonly isFlexible?: boolean;
};

const gap = '  ';
const charactersMax = 2000;
const flexibleMin = 8;

/** A value of an answer as one line: nothing in it moves a cursor, breaks a line or turns the order of letters round. */
export function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  return visible(Array.isArray(value) ? value.join(' ') : String(value), charactersMax);
}

/**
 * On a terminal of so many columns: headed, aligned and fitted. Elsewhere (`width` undefined), for programs: one line per row, values parted by tabs,
 * uncut and without a head.
 */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number | undefined): string {
  const cells = rows.map((row) => columns.map(({ value }) => shown(value(row))));
  if (width === undefined) return cells.map((line) => `${line.join('\t')}\n`).join('');
  const lines = [columns.map(({ title }) => title), ...cells];
  const natural = columns.map((_, i) => Math.max(...lines.map((line) => columnsOf(line[i]!))));
  const widths = fitted(natural, columns, width);
  const line = (texts: readonly string[]): string =>
    cut(
      texts
        .map((text, i) => padded(cut(text, widths[i]!), widths[i]!))
        .join(gap)
        .trimEnd(),
      width,
    );
  return lines.map((texts) => `${line(texts)}\n`).join('');
}

/** Takes from the widest flexible column until the line fits. */
function fitted<Row>(natural: readonly number[], columns: readonly Column<Row>[], width: number): readonly number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, each) => sum + each, gap.length * (widths.length - 1)) - width;
  for (; excess > 0; excess--) {
    let widest = -1;
    columns.forEach(({ isFlexible }, i) => {
      if (isFlexible && widths[i]! > flexibleMin && (widest < 0 || widths[i]! > widths[widest]!)) widest = i;
    });
    if (widest < 0) break;
    widths[widest]!--;
  }
  return widths;
}

/** Pairs of a name and what it says, aligned; long texts go on below. */
export function facts(pairs: readonly (readonly [name: string, value: unknown])[], width: number | undefined): string {
  const indent = Math.max(...pairs.map(([name]) => name.length)) + gap.length;
  return pairs
    .map(([name, value]) => {
      const [first = '', ...rest] = wrapped(shown(value), (width ?? Number.POSITIVE_INFINITY) - indent);
      return [`${name.padEnd(indent)}${first}`, ...rest.map((line) => ' '.repeat(indent) + line)].join('\n');
    })
    .join('\n')
    .concat('\n');
}

function wrapped(text: string, width: number): readonly string[] {
  if (columnsOf(text) <= width || width < 20) return [text];
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    const joined = last === '' ? word : `${last} ${word}`;
    if (columnsOf(joined) <= width || last === '') lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines;
}

/** East Asian wide and full-width letters and most emoji take two columns, marks on a letter none (Unicode UAX 11, in short). */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

function columnsOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += /\p{M}/u.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return columns;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}

function cut(text: string, width: number): string {
  if (columnsOf(text) <= width) return text;
  let kept = '';
  let columns = 1;
  for (const character of text) {
    columns += columnsOf(character);
    if (columns > width) break;
    kept += character;
  }
  return `${kept}…`;
}

/** JSON that no terminal obeys: what cannot be seen stands as an escape, which means the same to whoever parses it. */
export function visibleJson(value: unknown): string {
  const escaped = (text: string): string =>
    Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
  const json = JSON.stringify(value, null, 2) ?? 'null';
  // Line feeds are of the layout: those in texts are escaped already.
  return `${json.replace(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/gu, escaped)}\n`;
}
