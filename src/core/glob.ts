/**
 * `*` stands for any run of characters, everything else for itself. Linear in the text for each star (no regular expression: the
 * text is written by attackers, and a backtracking engine would let them choose how long it takes).
 */
export function globMatches(glob: string, text: string): boolean {
  const [head = '', ...rest] = glob.split('*');
  const tail = rest.pop();
  if (tail === undefined) return glob === text;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  let from = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > text.length - tail.length) return false;
    from = found + part.length;
  }
  return true;
}
