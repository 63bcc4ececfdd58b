import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import { reach } from '../../src/feature/reach.ts';
import { Bench, call, day, hour, minute, monday } from './moment.ts';
import { whole } from './whole.ts';

const customer = ['/orders', '/cart', '/products', '/profile', '/search', '/reviews'];
const administrator = ['/admin/users', '/admin/refunds', '/admin/reports', '/orders'];
const now = monday + 20 * day;
const at = (ts: number, route: string, more: Partial<TrafficEvent> = {}) =>
  call({ ts, route, subject: 'u', roles: ['customer'], ...more });

/** Three hundred customers and forty administrators, who use all of theirs in twenty days. */
function populated(): Bench {
  const bench = new Bench(whole(reach));
  bench.endFrame(monday);
  const live = (role: string, routes: readonly string[], ids: readonly [number, number]) => {
    for (let who = ids[0]; who < ids[1]; who++)
      for (let i = 0; i < 60; i++)
        bench.learn(
          at(monday + i * 8 * hour, routes[(who + i) % routes.length]!, { scopes: [role, 'openid'], roles: [role] }),
          {
            who,
          },
        );
  };
  live('customer', customer, [1, 301]);
  live('administrator', administrator, [1001, 1041]);
  bench.endFrame(now);
  return bench;
}
const world = populated();
const deviations = (who: number, route: string, more: Partial<TrafficEvent> = {}) =>
  world.judge(at(now, route, more), who).deviations;

test('a function that only other roles use is foreign, less so when it is refused, and the more so the more of them there are', () => {
  const { function: foreign, area } = deviations(5, '/admin/refunds');
  assert.ok(foreign! > 6, String(foreign));
  assert.ok(area! > 6, String(area));
  assert.ok(deviations(5, '/admin/refunds', { status: 403 }).function! < foreign! - 1);
  const bench = populated();
  bench.learn(at(now, '/admin/refunds', { status: 403 }), { who: 5 });
  const second = bench.judge(at(now + minute, '/admin/users', { status: 403 }), 5).deviations.function!;
  assert.ok(second > bench.judge(at(now + day, '/admin/users', { status: 403 }), 5).deviations.function! + 1);
});

test('what the identity uses is nothing, and a new peer may begin with what its peers use, not with what only others do', () => {
  assert.equal(world.judge(at(now, '/orders'), 5).statistic, 0);
  assert.ok(world.judge(at(now, '/cart'), 9000).statistic < 0.5);
  assert.ok(world.judge(at(now, '/admin/users'), 9001).statistic > 1.5);
});

test('administrators’ functions are theirs', () => {
  assert.ok(world.judge(at(now, '/admin/reports', { roles: ['administrator'] }), 9002).statistic < 0.5);
});

test('a release that administrators take up first is not foreign to customers the same day, but is if it stays theirs', () => {
  const bench = populated();
  for (let who = 1001; who < 1031; who++) bench.learn(at(now, '/labels/print', { roles: ['administrator'] }), { who });
  bench.endFrame(now + minute);
  const early = bench.judge(at(now + hour, '/labels/print'), 5).deviations.function!;
  const late = bench.judge(at(now + 20 * day, '/labels/print'), 5).deviations.function!;
  assert.ok(late > early + 2, `${early} then ${late}`);
  for (let who = 1; who < 41; who++) bench.learn(at(now + hour, '/labels/print'), { who });
  bench.endFrame(now + 2 * hour);
  assert.ok(bench.judge(at(now + 2 * hour, '/labels/print'), 50).deviations.function! < early);
});

test('a right that the tokens never carried is odd, the more the fewer bear it; the first ones seen are not', () => {
  const rare = deviations(5, '/orders', { scopes: ['customer', 'openid', 'impersonate'] }).rights!;
  const borne = deviations(5, '/orders', { scopes: ['customer', 'openid', 'administrator'] }).rights!;
  assert.ok(rare > borne && borne > 3, `${rare} and ${borne}`);
  assert.equal(
    deviations(5, '/orders', { scopes: ['openid', 'customer'] }).rights,
    0,
    'another order is no other right',
  );
  assert.equal(deviations(5, '/orders', { scopes: ['openid'] }).rights, 0, 'fewer are no new right');
  assert.equal(deviations(9003, '/orders', { scopes: ['impersonate'] }).rights, 0);
});

test('a right that was learned is known; one that was learned with suspicion is known late', () => {
  const scopes = ['customer', 'openid', 'export'];
  world.learn(at(now, '/orders', { scopes }), { who: 20 });
  assert.equal(deviations(20, '/orders', { scopes }).rights, 0);
  for (let i = 0; i < 3; i++) world.learn(at(now + i, '/orders', { scopes }), { who: 21, weight: 20 / 1024 });
  assert.ok(deviations(21, '/orders', { scopes }).rights! > 0);
  for (let i = 0; i < 600; i++) world.learn(at(now + i, '/orders', { scopes }), { who: 21, weight: 20 / 1024 });
  assert.equal(deviations(21, '/orders', { scopes }).rights, 0);
});

test('one thief who uses a function again and again does not make it his victim’s role’s', () => {
  const bench = populated();
  for (let i = 0; i < 200; i++) bench.learn(at(now + i * 1000, '/admin/users'), { who: 5, weight: 20 / 1024 });
  bench.endFrame(now + hour);
  const before = world.judge(at(now + hour, '/admin/users'), 6).deviations.function!;
  assert.ok(bench.judge(at(now + hour, '/admin/users'), 6).deviations.function! > before - 0.5);
});

test('an answer without an identity where all others had one is odd; where many have none it is not', () => {
  const open = (route: string, status = 200) => ({
    ...call({ ts: now, route, status, client_ip: '198.51.100.7' }),
    identity_kind: 'address' as const,
  });
  const bench = populated();
  assert.ok(bench.judge(open('/orders'), 9004).deviations.open_answer! > 5);
  assert.equal(bench.judge(open('/orders', 401), 9004).deviations.open_answer, 0);
  for (let who = 5000; who < 5100; who++) bench.learn(open('/products'), { who });
  bench.endFrame(now);
  assert.ok(bench.judge(open('/products'), 9004).deviations.open_answer! < 2);
});

test('words name the function, the right and how many use them', () => {
  const words = (feature: number, route: string, more: Partial<TrafficEvent> = {}) =>
    reach.describe(world.moment(at(now, route, more), 5), feature, at(now, route, more)).text;
  assert.match(
    words(0, '/admin/users'),
    /first use of GET \/admin\/users by this identity in 60 calls: taken up by 0 others of its role and \d+ of other roles/,
  );
  assert.match(
    words(2, '/orders', { scopes: ['impersonate'] }),
    /carries impersonate for the first time, which 0 of \d+ identities have/,
  );
});
