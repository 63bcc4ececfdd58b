import type { Store } from './clickhouse.ts';

const pageLimitMax = 500;

export type Paging = {
  /** 1 to 500, default 50. */
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
  /** Milliseconds since 1970; only what was seen or made from then on. */
  readonly since?: number | undefined;
  readonly identity?: string | undefined;
};

/** `next` is undefined on the last page. */
export type Page<T> = { readonly rows: readonly T[]; readonly next: string | undefined };

export type List = { readonly view: string; readonly columns: string; readonly id: string; readonly time: string };
type PageQuery = Paging & {
  readonly equals: Readonly<Record<string, string | undefined>>;
  /** Further conditions, and the values that their texts name. */
  readonly where?: readonly string[];
  readonly bound?: Readonly<Record<string, unknown>>;
};

/** Newest first, by time and then id; the cursor is the last row's time (milliseconds) and id. A malformed cursor begins at the start. */
export async function readPage<T>(store: Store, list: List, query: PageQuery): Promise<Page<T>> {
  const limit = clampLimit(query.limit ?? 50);
  const named = Object.entries(query.bound ?? {}).filter(([, value]) => value !== undefined);
  const bound: Record<string, unknown> = { ...Object.fromEntries(named), limit: limit + 1 };
  const conditions = ['1', ...(query.where ?? [])];
  for (const [column, value] of Object.entries({ ...query.equals, identity: query.identity })) {
    if (value === undefined) continue;
    conditions.push(`${column} = {${column}:String}`);
    bound[column] = value;
  }
  if (query.since !== undefined) {
    conditions.push(`${list.time} >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`);
    bound.since = Math.trunc(query.since);
  }
  const [, time, id] = /^(\d{1,15})_(.+)$/s.exec(query.cursor ?? '') ?? [];
  if (time !== undefined && id !== undefined) {
    conditions.push(
      `(${list.time}, ${list.id}) < (fromUnixTimestamp64Milli({before:Int64}, 'UTC'), {beforeId:String})`,
    );
    Object.assign(bound, { before: Number(time), beforeId: id });
  }
  const rows = await store.query<T & { readonly cursor: string }>(
    `SELECT ${list.columns}, concat(toString(toUnixTimestamp64Milli(${list.time})), '_', ${list.id}) AS cursor
     FROM ${store.database}.${list.view} WHERE ${conditions.join(' AND ')}
     ORDER BY ${list.time} DESC, ${list.id} DESC LIMIT {limit:UInt32}`,
    bound,
  );
  const shown = rows.slice(0, limit);
  const next = rows.length > limit ? shown.at(-1)?.cursor : undefined;
  return { rows: shown.map(({ cursor: _, ...row }) => row as unknown as T), next };
}

/** Rows of one page: a whole number from 1 to `pageLimitMax`, whatever was asked. */
export function clampLimit(limit: number): number {
  return Math.min(Math.max(Math.trunc(limit) || 1, 1), pageLimitMax);
}
