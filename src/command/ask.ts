import type { ApiAccessOptions } from '../config/api-access.ts';
import { duration } from '../config/zod.ts';
import { systemClock } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import { noun } from '../core/noun.ts';
import { type ApiClient, createApiClient, type Query, segment } from './api-client.ts';
import { type Column, facts, table, visibleJson } from './table.ts';

export type AskOptions = ApiAccessOptions & { readonly json?: boolean | undefined };
export type ListOptions = AskOptions & {
  readonly limit: number;
  readonly since?: string | undefined;
  readonly identity?: string | undefined;
};
export type FindingsOptions = ListOptions & {
  readonly kind?: string | undefined;
  readonly severity?: string | undefined;
  readonly state?: string | undefined;
};
export type DecisionsOptions = ListOptions & {
  readonly action?: string | undefined;
  readonly mode?: string | undefined;
};

type Row = Readonly<Record<string, unknown>>;

const pageMax = 500;

const findingColumns: readonly Column<Row>[] = [
  { title: 'FINDING', value: ({ finding_id }) => finding_id },
  { title: 'SEVERITY', value: ({ severity }) => severity },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'LAST SEEN', value: ({ last_seen }) => time(last_seen) },
  { title: 'KIND', value: ({ kind }) => kind },
  { title: 'IDENTITY', value: ({ identity }) => identity, isFlexible: true },
  { title: 'TITLE', value: ({ title }) => title, isFlexible: true },
];
const decisionColumns: readonly Column<Row>[] = [
  { title: 'DECISION', value: ({ decision_id }) => decision_id },
  { title: 'ACTION', value: ({ action }) => action },
  { title: 'MODE', value: ({ mode }) => mode },
  { title: 'MADE', value: ({ made_at }) => time(made_at) },
  { title: 'EXPIRES', value: ({ expires_at }) => time(expires_at) },
  { title: 'RULE', value: ({ rule }) => rule },
  { title: 'IDENTITY', value: ({ identity }) => identity, isFlexible: true },
  { title: 'WHY', value: ({ why }) => why, isFlexible: true },
];
/** Where all rows are of one identity. */
const ofOne = (columns: readonly Column<Row>[]): readonly Column<Row>[] =>
  columns.filter(({ title }) => title !== 'IDENTITY');
const eventColumns: readonly Column<Row>[] = [
  { title: 'AT', value: ({ ts }) => time(ts) },
  { title: 'STATUS', value: ({ status }) => status },
  { title: 'METHOD', value: ({ method }) => method },
  { title: 'ROUTE', value: ({ route }) => route, isFlexible: true },
  { title: 'ADDRESS', value: ({ client_ip }) => client_ip },
  { title: 'SURPRISE', value: ({ surprise }) => round(surprise) },
];
const reasonColumns: readonly Column<Row>[] = [
  { title: 'SHARE', value: ({ share }) => `${Math.round(Number(share) * 100)} %` },
  { title: 'FEATURE', value: ({ feature }) => feature },
  { title: 'OBSERVED', value: ({ observed }) => round(observed), isFlexible: true },
  { title: 'EXPECTED', value: expectedOf, isFlexible: true },
  { title: 'OF', value: ({ level }) => level },
  { title: 'REASON', value: ({ text }) => text, isFlexible: true },
];

/** `gait findings`: newest first. */
export async function findings(options: FindingsOptions): Promise<void> {
  const { kind, severity, state } = options;
  const rows = await list(options, 'findings', { kind, severity, state });
  print(options, rows, (width) => table(findingColumns, rows, width));
}

/** `gait decisions`: newest first. */
export async function decisions(options: DecisionsOptions): Promise<void> {
  const { action, mode } = options;
  const rows = await list(options, 'decisions', { action, mode });
  print(options, rows, (width) => table(decisionColumns, rows, width));
}

/** `gait finding ID`: what it claims, why, and what was decided because of it. */
export async function finding(id: string, options: AskOptions): Promise<void> {
  const api = createApiClient(options);
  const found = (await api.get(`/v1/findings/${segment(id)}`)) as Row;
  const about = await page(api, 'decisions', { identity: String(found.identity), limit: pageMax });
  const decided = about.filter(({ finding_ids: ids }) => Array.isArray(ids) && ids.includes(found.finding_id));
  print(options, { ...found, decisions: decided }, (width) => {
    const { severity, kind, state, first_seen: first, last_seen: last, event_ids: events } = found;
    const parts = [
      facts(
        [
          ['finding', found.finding_id],
          ['claim', found.title],
          [
            'severity',
            `${severity}, ${state}; confidence ${round(found.confidence)}, surprise ${round(found.surprise)}`,
          ],
          ['kind', kind],
          ['identity', found.identity],
          ['seen', `${time(first)} to ${time(last)}, ${found.count} ${noun(Number(found.count), 'call')}`],
          ['risk', round(found.risk)],
          ['incident', found.incident_id],
          ['events', Array.isArray(events) ? events.slice(0, 10) : events],
        ],
        width,
      ),
      table(reasonColumns, rowsOf(found.reasons), width),
    ];
    if (decided.length > 0) parts.push(table(ofOne(decisionColumns), decided, width));
    return parts.join(width === undefined ? '' : '\n');
  });
}

/** `gait identity ID`: who it is, what was found about it, what was decided, what it called last. */
export async function identity(id: string, options: AskOptions): Promise<void> {
  const api = createApiClient(options);
  const found = (await api.get(`/v1/identities/${segment(id)}`)) as Row;
  const [about, decided] = await Promise.all([
    page(api, 'findings', { identity: id, limit: 10 }),
    page(api, 'decisions', { identity: id, limit: 10 }),
  ]);
  print(options, { ...found, findings: about, decisions: decided }, (width) => {
    const parts = [
      facts(
        [
          ['identity', found.identity],
          ['risk', `${round(found.risk)} of 100 after its newest event or finding; highest ${round(found.risk_max)}`],
          ['seen', `${time(found.first_seen)} to ${time(found.last_seen)}`],
          ['events', `${found.events}, of them ${found.errors} errors`],
        ],
        width,
      ),
      ...(about.length > 0 ? [table(ofOne(findingColumns), about, width)] : []),
      ...(decided.length > 0 ? [table(ofOne(decisionColumns), decided, width)] : []),
      table(eventColumns, rowsOf(found.recent).slice(0, 20), width),
    ];
    return parts.join(width === undefined ? '' : '\n');
  });
}

async function list(options: ListOptions, name: string, filter: Query): Promise<readonly Row[]> {
  const { limit, since, identity: about } = options;
  const api = createApiClient(options);
  return page(api, name, { ...filter, identity: about, since: sinceOf(since), limit });
}

/** As many as are asked for, over as many pages as that takes. */
async function page(api: ApiClient, name: string, query: Query & { readonly limit: number }): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let cursor: string | undefined; rows.length < query.limit; ) {
    const limit = Math.min(pageMax, query.limit - rows.length);
    const answer = (await api.get(`/v1/${name}`, { ...query, limit, cursor })) as Row;
    rows.push(...rowsOf(answer[name]));
    if (typeof answer.next !== 'string') break;
    cursor = answer.next;
  }
  return rows;
}

/** `24h` before now, or a time of RFC 3339; as milliseconds. */
export function sinceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ago = duration.safeParse(text);
  const at = ago.success ? systemClock.now() - ago.data : Date.parse(text);
  if (Number.isNaN(at))
    throw new GaitError('USAGE', '--since: expected 30m, 24h, 7d or a time as 2026-01-31T08:00:00Z');
  return Math.max(0, at);
}

/** To a terminal as people read it, elsewhere as programs do. */
export function print(
  { json }: { readonly json?: boolean | undefined },
  value: unknown,
  text: (width: number | undefined) => string,
): void {
  const { isTTY, columns } = process.stdout;
  process.stdout.write(json ? visibleJson(value) : text(isTTY ? Math.max(40, columns || 80) : undefined));
}

function rowsOf(value: unknown): readonly Row[] {
  return Array.isArray(value) ? (value as readonly Row[]) : [];
}

/** To the second, in UTC, as it was told. */
function time(value: unknown): string {
  const text = String(value ?? '-');
  return text.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2Z');
}

function round(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value;
}

function expectedOf({ expected, low, high }: Row): unknown {
  if (typeof low === 'number' && typeof high === 'number') return `${round(low)} to ${round(high)}`;
  return round(expected);
}
