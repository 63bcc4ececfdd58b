import { escapeHtml } from '../core/html.ts';

/** HTML that was made here. Minted only by `html`, so that no text of an event gets into a page as markup. */
export type Html = { readonly markup: string };

type Part = string | number | Html | readonly Html[];

/** A tagged template: the literal is markup, every value is text, except what `html` itself made. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { markup: literals.reduce((markup, literal, i) => markup + render(parts[i - 1] ?? '') + literal) };
}

function render(part: Part): string {
  if (typeof part === 'string') return escapeText(part);
  if (typeof part === 'number') return String(part);
  return 'markup' in part ? part.markup : part.map(({ markup }) => markup).join('');
}

/**
 * Text that is safe in elements and in quoted attributes. Characters that are not seen but change what is seen (controls, bidirectional
 * overrides, zero widths, tags, lone surrogates) are shown as `\u{202e}`: a name written backwards must not pass for another.
 */
export function escapeText(text: string): string {
  const seen = text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  );
  return escapeHtml(seen);
}
