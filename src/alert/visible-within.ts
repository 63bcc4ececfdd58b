import { visible } from '../core/visible.ts';

/** `visible` after a channel's own escaping, cut so far that it also stays within the channel's limit of bytes. */
export function visibleWithin(
  text: string,
  limit: { readonly length: number; readonly bytes: number },
  escaping: (text: string) => string,
): string {
  let { length } = limit;
  let shown = escaping(visible(text, length));
  while (Buffer.byteLength(shown) > limit.bytes && length > 1) {
    length = Math.floor(length * 0.7);
    shown = escaping(visible(text, length));
  }
  return shown;
}
