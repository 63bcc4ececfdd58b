import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { systemClock } from '../../src/core/clock.ts';
import { type Analyst, createAnalyst } from '../../src/store/analyst.ts';
import { embeddedStores, writerOf } from './embedded-store.ts';
import { batchOf, scoreLine } from './score-lines-of.ts';

const root = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

type Target = {
  readonly datasource: { readonly uid: string; readonly type: string };
  readonly query: string;
  readonly format: string;
};
type Panel = {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly Target[];
};
const dashboard = JSON.parse(read('pipelines/grafana/gait.json')) as {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
};
type Source = {
  readonly uid: string;
  readonly type: string;
  readonly url: string;
  readonly secureJsonData: { readonly basicAuthPassword: string };
};
const [source] = (parse(read('pipelines/grafana/datasource.yaml')) as { readonly datasources: readonly Source[] })
  .datasources;

describe('the dashboard for Grafana', () => {
  const { openMigrated } = embeddedStores();
  let ask: Analyst;
  const now = systemClock.now();
  before(async () => {
    const store = await openMigrated('gait');
    const writer = writerOf(store);
    const call = (i: number) => scoreLine(i, { ts: now - 600_000 + i * 1000 });
    await writer.scores(batchOf('scores', [Array.from({ length: 50 }, (_, i) => call(i))]));
    const one = (value: object) => [
      [JSON.stringify({ identity: 'user:acme:u1', severity: 'high', state: 'open', version: 1, ...value })],
    ];
    await writer.findings(
      batchOf(
        'f',
        one({ finding_id: 'f', incident_id: 'i', kind: 'rate_spike', first_seen: now - 60_000, last_seen: now }),
      ),
    );
    await writer.signals(
      batchOf(
        's',
        one({ decision_id: 'd', action: 'throttle', mode: 'shadow', made_at: now - 60_000, expires_at: now }),
      ),
    );
    await writer.receipts(batchOf('r', one({ decision_id: 'd', target: 'idp', state: 'delivered', at: now - 50_000 })));
    await writer.deadLetters(batchOf('d', one({ id: 'dl', at: now - 60_000, reason: 'invalid-json', source: 't' })));
    ask = createAnalyst(store);
  });

  test('every query of every panel passes the door for people and finds something', async () => {
    assert.ok(dashboard.panels.length >= 12);
    for (const { title, targets } of dashboard.panels) {
      for (const { query, format } of targets) {
        // As the plugin fills them in: seconds since 1970, seconds of a step, and a format of its own at the end.
        const [from, to] = [Math.floor(now / 1000) - 7200, Math.floor(now / 1000) + 60].map(String);
        const sql = `/* grafana dashboard='Gait' */ ${query.replaceAll('$from', from!).replaceAll('$to', to!).replaceAll('$interval', '60')} FORMAT JSON`;
        assert.doesNotMatch(sql, /\$\w/, title);
        const got = await ask({ sql, parameters: {}, format: undefined });
        assert.equal(got.kind, 'answered', `${title}: ${got.kind === 'refused' ? got.message : ''}`);
        const { data, meta } = JSON.parse(got.kind === 'answered' ? got.body.toString('utf8') : '') as {
          data: unknown[];
          meta: { name: string; type: string }[];
        };
        assert.ok(data.length > 0, title);
        if (format === 'time_series') assert.deepEqual(meta[0], { name: 't', type: 'UInt64' }, title);
      }
    }
  });

  test('panels have their own ids and places, and ask the data source that is provisioned', () => {
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
    const cells = new Set<string>();
    for (const { title, gridPos, targets } of dashboard.panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!cells.has(`${x} ${y}`), `${title} lies over another`);
          cells.add(`${x} ${y}`);
        }
      }
      for (const { datasource } of targets) assert.deepEqual(datasource, { type: source!.type, uid: source!.uid });
    }
  });

  test('compose mounts what is there, gives Grafana a key that can only ask, and holds no secret', () => {
    const compose = parse(read('docker-compose.yml')) as {
      services: Record<string, { profiles?: string[]; volumes?: string[]; environment: Record<string, string> }>;
    };
    const { grafana, gait } = compose.services;
    assert.deepEqual(grafana!.profiles, ['grafana']);
    for (const volume of grafana!.volumes!.filter((each) => each.startsWith('./')))
      assert.ok(read(volume.split(':')[0]!).length > 0, volume);
    assert.equal(source!.secureJsonData.basicAuthPassword, '$GAIT_ANALYST_KEY');
    assert.ok('GAIT_ANALYST_KEY' in grafana!.environment && 'GAIT_ANALYST_KEY_SHA256' in gait!.environment);
    assert.equal(grafana!.environment.GF_PLUGINS_PREINSTALL, source!.type);
    assert.equal(new URL(source!.url).pathname, '/clickhouse/');
  });
});
