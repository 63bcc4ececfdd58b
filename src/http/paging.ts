export type ListFilter<Name extends string> = {
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
  /** Milliseconds since 1970. */
  readonly since?: number;
  readonly identity?: string;
} & { readonly [K in Name]?: string };

/** `next` is undefined on the last page. */
export type Page = { readonly rows: readonly object[]; readonly next: string | undefined };
