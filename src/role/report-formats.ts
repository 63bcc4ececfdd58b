import { createHash } from 'node:crypto';
import { escapeHtml } from '../core/html.ts';
import { visible } from '../core/visible.ts';
import type { Report, Section, SectionPart } from './incident-report.ts';

/** Of one text; a report is for people, and the store has the rest. */
const charsMax = 4000;

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.5rem}h2{margin-top:2.5rem;border-bottom:1px solid #d0d7de}h3{font-size:1rem;margin-top:1.5rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#57606a}dd{margin:0}
table{border-collapse:collapse;width:100%;font-size:.85rem}th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #eaeef2}
dd,td,h1,h3,li{overflow-wrap:anywhere}footer{margin-top:3rem;color:#57606a;font-size:.85rem}
@media print{body{margin:0;max-width:none}}`;

/** The document's own style and nothing else: it says so itself, for wherever it is kept. */
export const reportPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** One file that needs nothing else, runs nothing and asks for nothing. */
export function reportHtml({ title, facts, sections, note }: Report): string {
  const list = (pairs: Report['facts']): string =>
    `<dl>${pairs.map(([name, value]) => `<dt>${text(name)}</dt><dd>${text(value)}</dd>`).join('')}</dl>`;
  const part = (each: SectionPart): string => {
    if (each.kind === 'table') {
      const head = each.head.map((cell) => `<th scope="col">${text(cell)}</th>`).join('');
      const rows = each.rows.map((row) => `<tr>${row.map((cell) => `<td>${text(cell)}</td>`).join('')}</tr>`);
      return `<table><thead><tr>${head}</tr></thead><tbody>\n${rows.join('\n')}\n</tbody></table>`;
    }
    const points = each.points.map((point) => `<li>${text(point)}</li>`).join('');
    return `<h3>${text(each.heading)}</h3>${list(each.facts)}${points === '' ? '' : `<ul>${points}</ul>`}`;
  };
  const section = ({ heading, none, parts }: Section): string =>
    `<section><h2>${text(heading)}</h2>\n${parts.length === 0 ? `<p>${text(none)}</p>` : parts.map(part).join('\n')}\n</section>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${reportPolicy}">
<meta name="viewport" content="width=device-width"><title>${text(title)}</title><style>${style}</style></head><body>
<h1>${text(title)}</h1>
${list(facts)}
${sections.map(section).join('\n')}
<footer>${text(note)}</footer>
</body></html>
`;
}

/** GitHub's Markdown: tables, and everything that a caller may have written as plain text. */
export function reportMarkdown({ title, facts, sections, note }: Report): string {
  const list = (pairs: Report['facts']): string =>
    pairs.map(([name, value]) => `- **${plain(name)}:** ${plain(value)}`).join('\n');
  const line = (cells: readonly string[]): string => `| ${cells.map(plain).join(' | ')} |`;
  const part = (each: SectionPart): string => {
    if (each.kind === 'table') {
      const rule = `|${each.head.map(() => ' --- |').join('')}`;
      return [line(each.head), rule, ...each.rows.map(line)].join('\n');
    }
    const points = each.points.map((point) => `- ${plain(point)}`).join('\n');
    return [`### ${plain(each.heading)}`, list(each.facts), points].filter((block) => block !== '').join('\n\n');
  };
  const section = ({ heading, none, parts }: Section): string =>
    [`## ${plain(heading)}`, ...(parts.length === 0 ? [plain(none)] : parts.map(part))].join('\n\n');
  return `${[`# ${plain(title)}`, list(facts), ...sections.map(section), plain(note)].join('\n\n')}\n`;
}

function text(value: string): string {
  return escapeHtml(visible(value, charsMax));
}

/** What means something to Markdown; `-` and `_` within words, and `.` and `:` between digits, do not. */
const marks = /[!#$&()*+<=>@[\\\]^`{|}~]|(?<![A-Za-z0-9])[-_]|[-_](?![A-Za-z0-9])|(?<!\d)[.:]|[.:](?!\d)/g;

/**
 * Text that stays text behind a mark of ours (a heading, an item, a cell): whatever means something stands behind a backslash (CommonMark 0.31,
 * 2.4), so no emphasis, link, address that becomes one by itself, HTML, code or end of a cell is left. Line ends have been spelled out before.
 */
function plain(value: string): string {
  return visible(value.trim(), charsMax).replace(marks, '\\$&');
}
