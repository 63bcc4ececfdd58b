import type { Store } from './clickhouse.ts';
import { clampLimit, type Page } from './page.ts';
import type { IdentityRow } from './queries.ts';

/** An identity in a list. `risk_now`: its risk decayed to the newest event of all. */
export type ListedIdentity = IdentityRow & { readonly risk_now: number };

export type IdentityFilter = {
  readonly sort?: string | undefined;
  readonly identity?: string | undefined;
  /** A part of the key, in any case. */
  readonly q?: string | undefined;
  readonly kind?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly since?: number | undefined;
};

/** One value of what an identity uses, and how much of it. Estimates when only a sample is stored. */
export type Use = {
  readonly value: string;
  readonly calls: number;
  readonly first_seen: string;
  readonly last_seen: string;
};

export type RouteUse = Omit<Use, 'value'> & {
  readonly method: string;
  readonly host: string;
  readonly route: string;
  readonly errors: number;
};

/** How an identity moves, from its stored events. */
export type Profile = {
  /** At most 200 points; times without calls are not there. */
  readonly risk_series: readonly {
    readonly at: string;
    readonly risk: number;
    readonly surprise: number;
    readonly calls: number;
  }[];
  /** Calls by day of the week (Monday first) and hour, UTC. */
  readonly heat: readonly (readonly number[])[];
  readonly active_days: number;
  readonly route_count: number;
  /** The most used, at most 50; of the others at most 20. */
  readonly routes: readonly RouteUse[];
  readonly sessions: readonly Use[];
  readonly clients: readonly Use[];
  readonly devices: readonly Use[];
  readonly networks: readonly Use[];
};

export type ProfileQueries = {
  /** By risk as it is now, or by when they were last seen; the highest first. */
  readonly identities: (filter: IdentityFilter) => Promise<Page<ListedIdentity>>;
  readonly profile: (identity: string) => Promise<Profile>;
};

const pointsMax = 200;
const routesMax = 50;
const usesMax = 20;

export function createProfileQueries(store: Store, riskHalfLifeMs: number): ProfileQueries {
  return {
    identities: (filter) => readIdentities(store, filter, riskHalfLifeMs),
    profile: async (identity) => {
      const [risk_series, hours, [span], routes, uses] = await Promise.all([
        readSeries(store, identity),
        store.query<{ day: number; hour: number; calls: number }>(
          `SELECT toDayOfWeek(minute) AS day, toHour(minute) AS hour, sum(i.events) AS calls
           FROM ${store.database}.identities_per_minute_v1 AS i WHERE identity = {identity:String} GROUP BY day, hour`,
          { identity },
        ),
        store.query<{ active_days: number }>(
          `SELECT uniqExact(toDate(minute)) AS active_days FROM ${store.database}.identities_per_minute_v1 WHERE identity = {identity:String}`,
          { identity },
        ),
        store.query<RouteUse & { readonly all: number }>(
          `SELECT method, host, route, calls, errors, first_seen, last_seen, count() OVER () AS all
           FROM ${store.database}.identity_routes WHERE identity = {identity:String}
           ORDER BY calls DESC, method, host, route LIMIT ${routesMax}`,
          { identity },
        ),
        readUses(store, identity),
      ]);
      const heat = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0));
      for (const { day, hour, calls } of hours) heat[day - 1]![hour] = calls;
      return {
        risk_series,
        heat,
        ...span!,
        route_count: routes[0]?.all ?? 0,
        routes: routes.map(({ all: _, ...route }) => route),
        ...uses,
      };
    },
  };
}

async function readIdentities(
  store: Store,
  { sort, identity, q, kind, limit, cursor, since }: IdentityFilter,
  halfLife: number,
): Promise<Page<ListedIdentity>> {
  const db = store.database;
  const shownMax = clampLimit(limit ?? 50);
  const bound: Record<string, unknown> = { halfLife, limit: shownMax + 1 };
  const before = ['1'];
  const after = ['1'];
  if (identity !== undefined) before.push('identity = {identity:String}');
  if (q !== undefined && q !== '') before.push('positionCaseInsensitiveUTF8(identity, {q:String}) > 0');
  if (kind !== undefined) before.push(`startsWith(identity, {kind:String})`);
  if (since !== undefined) after.push(`last_seen >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')`);
  const [, position, id] = /^(\d{1,15})_(.+)$/s.exec(cursor ?? '') ?? [];
  if (id !== undefined) after.push('(place, identity) < ({place:Int64}, {id:String})');
  Object.assign(
    bound,
    identity !== undefined && { identity },
    q && { q },
    kind && { kind: `${kind}:` },
    since !== undefined && { since: Math.trunc(since) },
  );
  Object.assign(bound, id !== undefined && { place: Number(position), id });
  const place = sort === 'last_seen' ? 'toUnixTimestamp64Milli(last_seen)' : 'toInt64(round(risk_now * 1000))';
  const rows = await store.query<ListedIdentity & { readonly place: number }>(
    `WITH (SELECT max(last_seen) FROM ${db}.identities_raw_v1) AS end
     SELECT *, round(risk * pow(2, -greatest(0, dateDiff('millisecond', risk_at, end)) / {halfLife:Float64}), 1) AS risk_now, ${place} AS place
     FROM (SELECT * FROM ${db}.identities WHERE ${before.join(' AND ')})
     WHERE ${after.join(' AND ')} ORDER BY place DESC, identity DESC LIMIT {limit:UInt32}`,
    bound,
  );
  const shown = rows.slice(0, shownMax);
  const last = rows.length > shownMax ? shown.at(-1) : undefined;
  const next = last && `${last.place}_${last.identity}`;
  return { rows: shown.map(({ place: _, ...row }) => row), next };
}

function readSeries(store: Store, identity: string): Promise<Profile['risk_series']> {
  const table = `${store.database}.identities_per_minute_v1`;
  return store.query<Profile['risk_series'][number]>(
    `WITH (SELECT greatest(60, 60 * ceil((toUnixTimestamp(max(minute)) - toUnixTimestamp(min(minute))) / 60 / ${pointsMax - 1})) FROM ${table}
       WHERE identity = {identity:String}) AS width
     SELECT toDateTime(intDiv(toUnixTimestamp(minute), toUInt32(width)) * toUInt32(width), 'UTC') AS at, max(i.risk_max) AS risk,
       max(i.surprise_max) AS surprise, sum(i.events) AS calls
     FROM ${table} AS i WHERE identity = {identity:String} GROUP BY at ORDER BY at LIMIT ${pointsMax + 1}`,
    { identity },
  );
}

type Uses = Pick<Profile, 'sessions' | 'clients' | 'devices' | 'networks'>;

/** The most used values of each, in one pass over the identity's events. */
async function readUses(store: Store, identity: string): Promise<Uses> {
  const rows = await store.query<Use & { readonly what: keyof Uses }>(
    `SELECT use.1 AS what, use.2 AS value, sum(sample_weight) AS calls, min(ts) AS first_seen, max(ts) AS last_seen
     FROM ${store.database}.events ARRAY JOIN [
       ('sessions', session_id),
       ('clients', user_agent),
       ('devices', if(device_id = '', toString(ja4), device_id)),
       ('networks', if(asn = 0, client_ip, trimRight(concat('AS', toString(asn), ' ', country))))
     ] AS use
     WHERE identity = {identity:String} AND value != ''
     GROUP BY what, value ORDER BY calls DESC, value LIMIT ${usesMax} BY what`,
    { identity },
  );
  const of = (name: keyof Uses): readonly Use[] =>
    rows.filter(({ what }) => what === name).map(({ what: _, ...use }) => use);
  return { sessions: of('sessions'), clients: of('clients'), devices: of('devices'), networks: of('networks') };
}
