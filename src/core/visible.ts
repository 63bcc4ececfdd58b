/** Controls and escapes, bidirectional and zero-width marks, lone surrogates, unassigned and private characters, line separators. */
const invisible = /[\p{C}\p{Zl}\p{Zp}]/gu;
/** As most texts are. */
const plain = /^[\x20-\x7e]*$/;
/** More marks on one letter than any script needs: they would run over the neighbouring lines. */
const stackedMarks = /(\p{M}{3})\p{M}+/gu;

/**
 * Text that an attacker may have written, made harmless for a person's eyes: what cannot be seen is spelled out as `\u{1b}`, and
 * at most `lengthMax` characters (code points) are kept, the last of them `…` where something was cut.
 */
export function visible(text: string, lengthMax: number): string {
  if (text.length <= lengthMax && plain.test(text)) return text;
  // Cut first: the work is bounded by the limit, and what is spelled out later is never cut in its middle.
  const characters = Array.from(text.slice(0, lengthMax * 2 + 2));
  const kept = characters.length > lengthMax ? [...characters.slice(0, lengthMax - 1), '…'] : characters;
  return kept
    .join('')
    .replace(invisible, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
    .replace(stackedMarks, '$1');
}
