/** The word that goes with a number: `1 finding`, `2 findings`, `0 identities`. */
export function noun(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}
