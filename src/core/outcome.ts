/** Bad data is a value: the reason comes from a closed union, so it is also the metric label. */
export type Outcome<T, R extends string> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'drop'; readonly reason: R }
  | { readonly kind: 'dead-letter'; readonly reason: R; readonly cause: string };
