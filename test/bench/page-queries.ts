import type { Store } from '../../src/store/clickhouse.ts';
import { createStoreQueries } from '../../src/store/queries.ts';
import { createContextQuery } from '../../src/store/queries-context.ts';
import { createHealthQueries } from '../../src/store/queries-detections.ts';
import { createIncidentQueries } from '../../src/store/queries-incidents.ts';
import { createOverviewQuery } from '../../src/store/queries-overview.ts';
import { createProfileQueries } from '../../src/store/queries-profile.ts';
import { median, type Row } from './measure.ts';

const runs = 3;
const goalMs = 500;
const halfLifeMs = 6 * 3_600_000;

/** What the server asks for each page of the dashboard. */
export async function askPages(store: Store): Promise<readonly Row[]> {
  const lists = createStoreQueries(store);
  const incidents = createIncidentQueries(store);
  const context = createContextQuery(store);
  const { identities, profile } = createProfileQueries(store, halfLifeMs);
  const health = createHealthQueries(store);
  const [incident] = (await incidents.incidents({ limit: 1 })).rows;
  const [finding] = (await lists.findings({ limit: 1, severity: 'high' })).rows;
  const [busy] = await store.query<{ identity: string }>(
    `SELECT identity FROM ${store.database}.identities ORDER BY events DESC, identity LIMIT 1`,
  );
  if (incident === undefined || finding === undefined || busy === undefined) return [];
  const pages: Readonly<Record<string, () => Promise<unknown>>> = {
    overview: createOverviewQuery(store, halfLifeMs),
    'list of incidents': () => incidents.incidents({ limit: 100, state: 'open' }),
    'search in incidents': () => incidents.incidents({ q: 'a', limit: 100 }),
    'one incident': () => incidents.incident(incident.incident_id),
    'list of findings': () => lists.findings({ limit: 500 }),
    'a finding in its context': () => context(finding),
    'list of identities': () => identities({ limit: 100 }),
    'profile of the busiest identity': () => profile(busy.identity),
    'list of decisions': () => lists.decisions({ limit: 100 }),
    detections: () => health.detections(),
    ingest: () => health.ingest(Date.now()),
  };
  const rows: Row[] = [];
  for (const [name, ask] of Object.entries(pages)) rows.push(await timed(name, ask));
  return rows;
}

async function timed(name: string, ask: () => Promise<unknown>): Promise<Row> {
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let run = 0; run < runs; run++) {
    const used = process.cpuUsage();
    const start = performance.now();
    await ask();
    wall.push(performance.now() - start);
    const { user, system } = process.cpuUsage(used);
    cpu.push((user + system) / 1000);
  }
  const ms = median(wall);
  return {
    what: `page: ${name}`,
    goal: `< ${goalMs} ms`,
    measured: `${ms.toFixed(0)} ms`,
    met: ms < goalMs,
    note: `${median(cpu).toFixed(0)} ms of CPU`,
  };
}
