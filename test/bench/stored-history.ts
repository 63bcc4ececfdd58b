import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../src/config/secret.ts';
import type { Finding } from '../../src/finding/finding.ts';
import { Shard } from '../../src/pipeline.ts';
import type { Decision } from '../../src/policy/decision.ts';
import { assembleIngest, readPolicy, shardOptions } from '../../src/role/assemble.ts';
import { ScorePacker } from '../../src/role/pack.ts';
import { parseSimulationRecipe } from '../../src/simulate/recipe.ts';
import { createSimulation } from '../../src/simulate/simulate.ts';
import type { Store } from '../../src/store/clickhouse.ts';
import { configOf } from './engine.ts';

/**
 * A store as it is after weeks: simulated traffic with attacks in it, judged by the shipped pipeline, written by the real columns, and then copied under other names
 * until it is as large as asked. A copy has identities, sessions, tokens, events and findings of its own, a little later; what compresses well in one copy does so in all.
 */
export type Fortnight = { readonly store: Store; readonly endMs: number };

const root = join(import.meta.dirname, '../../..');
const days = 14;
const dayMs = 86_400_000;
const identities = 1500;
/** Far above any budget in use, so that there are enough findings to copy. */
const findingsPer1000PerDay = 60;
const eventsPerDrain = 4096;

/** As it was simulated and judged, ending at `endMs`. */
export async function storeFortnight(
  options: Fortnight,
): Promise<{ readonly events: number; readonly findings: number }> {
  const { store } = options;
  const { findings, decisions, events } = await judge(options);
  await insert(store, 'findings_raw_v1', findings);
  await insert(store, 'decisions_raw_v1', decisions);
  await insert(store, 'receipts_raw_v2', decisions.flatMap(receiptsOf));
  return { events, findings: findings.length };
}

/** Copies it so many times, the original counted. */
export async function copyRows(
  store: Store,
  times: { readonly events: number; readonly findings: number },
): Promise<void> {
  for (let copy = 1; copy < times.events; copy++) await store.command(copyOf(store, 'events_raw_v1', copy));
  for (let copy = 1; copy < times.findings; copy++) {
    for (const table of ['findings_raw_v1', 'decisions_raw_v1', 'receipts_raw_v2'] as const) {
      await store.command(copyOf(store, table, copy));
    }
  }
}

type Judged = {
  readonly findings: readonly Finding[];
  readonly decisions: readonly Decision[];
  readonly events: number;
};

/** One simulated fortnight that ends at `endMs`, through ingest and a shard, into the table of events. */
async function judge({ store, endMs }: Fortnight): Promise<Judged> {
  const text = readFileSync(join(root, 'pipelines/simulate/default.yaml'), 'utf8');
  const recipe = parseSimulationRecipe(text, 'default.yaml');
  const start = (Math.floor(endMs / dayMs) - days + 1) * dayMs;
  const simulation = createSimulation({ ...recipe, start, days, identities }, 11);
  const config = configOf(`detect: {findingsPer1000PerDay: ${findingsPer1000PerDay}}`);
  const ingest = assembleIngest({ config, key: new Secret('bench') }, () => ({ format: 'canonical' }));
  const shard = new Shard(shardOptions({ config, policy: readPolicy(config), model: null }, { shard: 0, shards: 1 }));
  const findings = new Map<string, Finding>();
  const decisions: Decision[] = [];
  let offset = 0;
  let events = 0;
  const drain = async (): Promise<void> => {
    const output = shard.drain();
    for (const finding of output.findings) findings.set(finding.finding_id, finding);
    decisions.push(...output.decisions);
    const packer = new ScorePacker(0);
    packer.add(output.verdicts);
    events += output.verdicts.length;
    const lines = packer.end().map(({ value }) => value!);
    if (lines.length > 0) await store.insert('events_raw_v1', Buffer.from(lines.join('\n')));
  };
  for (const event of simulation.events()) {
    const position = { topic: 'api-traffic', partition: 0, offset: offset++, index: 0 };
    for (const resolved of ingest.ingest(Buffer.from(JSON.stringify(event)), position, endMs).events)
      shard.accept(resolved);
    if (offset % eventsPerDrain === 0) await drain();
  }
  shard.flush();
  await drain();
  return { findings: [...findings.values()], decisions, events };
}

async function insert(store: Store, table: string, rows: readonly object[]): Promise<void> {
  if (rows.length > 0) await store.insert(table, Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n')));
}

/** As an enforcement point and the traffic would tell it, had the decision been sent. */
function receiptsOf({ decision_id, made_at }: Decision, index: number): readonly object[] {
  const receipt = (target: string, state: string, at: number): object => ({
    decision_id,
    target,
    state,
    attempts: 1,
    status: 200,
    detail: '',
    at: made_at + at,
  });
  return [
    receipt('keycloak', 'delivered', 40 + (index % 90)),
    receipt('traffic', index % 9 === 0 ? 'ineffective' : 'effective', 60_000),
  ];
}

/** Columns that a copy names anew: the same name in the same copy stays the same, so what belongs together still does. */
const renamed: Readonly<
  Record<string, { readonly ids: readonly string[]; readonly lists?: readonly string[]; readonly time: string }>
> = {
  events_raw_v1: { ids: ['event_id', 'session_id', 'token_id', 'decision_id'], lists: ['findings'], time: 'ts' },
  findings_raw_v1: { ids: ['finding_id', 'incident_id'], lists: ['event_ids'], time: 'last_seen' },
  decisions_raw_v1: { ids: ['decision_id', 'incident_id'], lists: ['finding_ids'], time: 'made_at' },
  receipts_raw_v2: { ids: ['decision_id'], time: 'at' },
};

function copyOf({ database }: Store, table: keyof typeof renamed & string, copy: number): string {
  const { ids, lists = [], time } = renamed[table]!;
  // As long as before and of the same letters, so that it compresses as ids do.
  const anew = (id: string): string =>
    `if(${id} = '', '', concat(substring(${id}, 1, 4), substring(lower(hex(sipHash128(${id}, ${copy}))), 1, greatest(length(${id}) - 4, 4))))`;
  const replaced = [
    ...ids.map((name) => `${anew(name)} AS ${name}`),
    ...lists.map((name) => `arrayMap(id -> ${anew('id')}, ${name}) AS ${name}`),
    `${time} - toIntervalMillisecond(${copy * 1237}) AS ${time}`,
    // The number of the copy stands in the shard; receipts have none.
    ...(table === 'receipts_raw_v2'
      ? []
      : [`concat(identity, '.', toString(${copy})) AS identity`, `toUInt32(${copy}) AS shard`]),
    ...(table === 'events_raw_v1' ? [`if(subject = '', '', concat(subject, '.', toString(${copy}))) AS subject`] : []),
  ];
  const first = `decision_id IN (SELECT decision_id FROM ${database}.decisions_raw_v1 WHERE shard = 0)`;
  const where = table === 'receipts_raw_v2' ? first : 'shard = 0';
  return `INSERT INTO ${database}.${table} SELECT * REPLACE (${replaced.join(', ')}) FROM (SELECT * FROM ${database}.${table} WHERE ${where})`;
}
