import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context } from '../../src/feature/context.ts';
import { Bench, call, hour, monday } from './moment.ts';

const at = (i: number, client_ip: string, user_agent = 'Mozilla/5.0 (X11) Firefox/140.0') =>
  call({ ts: monday + i * hour, client_ip, user_agent, country: 'FR' });

function settled(): Bench {
  const bench = new Bench(context);
  bench.live(Array.from({ length: 100 }, (_, i) => at(i, `198.51.100.${i % 200}`)));
  return bench;
}

test('another address of the same network is nothing new; another network is', () => {
  const bench = settled();
  assert.ok(bench.judge(at(101, '198.51.100.250')).statistic < 0);
  assert.ok(bench.judge(at(101, '203.0.113.9')).deviations.network! > 2);
});

test('an update of the same program is nothing new; another program is', () => {
  const bench = settled();
  assert.ok(bench.judge(at(101, '198.51.100.7', 'Mozilla/5.0 (X11) Firefox/141.2')).deviations.client! < 0);
  assert.ok(bench.judge(at(101, '198.51.100.7', 'curl/8.5.0')).deviations.client! > 2);
});

test('network and client changed at once say more than either alone', () => {
  const bench = settled();
  const both = bench.judge(at(101, '203.0.113.9', 'curl/8.5.0')).statistic;
  assert.ok(both > bench.judge(at(101, '203.0.113.9')).statistic);
  assert.ok(both > bench.judge(at(101, '198.51.100.7', 'curl/8.5.0')).statistic);
});

test('what the source does not say is no surprise', () => {
  const bench = settled();
  assert.equal(bench.judge(call({ ts: monday + 101 * hour })).deviations.network, 0);
});
