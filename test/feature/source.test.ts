import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash64 } from '../../src/core/hash.ts';
import type { TrafficEvent } from '../../src/event/traffic-event.ts';
import { source } from '../../src/feature/source.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import { resolveIdentity } from '../../src/identity/resolve.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Bench, call, day, hour, minute, monday, type Seen } from './moment.ts';

const frame = 10_000;

/** Log-ins to one API: whoever is refused belongs to the address, as the engine resolves it. */
class World {
  readonly bench = new Bench(source);
  #frame = -1;

  login(fields: Partial<TrafficEvent> & { ts: number; subject: string; client_ip: string }): Seen {
    const event = { method: 'POST', route: '/login', user_agent: 'Chrome 120', status: 200, ...fields };
    const resolved: ResolvedEvent = { ...call(event), ...resolveIdentity(call(event).event)! };
    const now = Math.floor(event.ts / frame);
    if (now !== this.#frame) this.bench.shared.advance(now * frame);
    this.#frame = now;
    const who = hash64(resolved.identity).low;
    const seen = this.bench.judge(resolved, who);
    this.bench.learn(resolved, { who });
    return seen;
  }

  /** Everybody logs in once a day from a network of their own; one in five mistypes once at home. */
  ordinaryDays(days: number, users = 40): void {
    for (let d = 0; d < days; d++)
      for (let u = 0; u < users; u++) {
        const ts = monday + d * day + u * 5 * minute;
        const home = { subject: `u${u}`, client_ip: `10.0.${u}.7` };
        if ((u + d) % 5 === 0) this.login({ ...home, ts: ts - minute, status: 401 });
        this.login({ ...home, ts });
      }
  }
}

const start = monday + 7 * day + 10 * hour;

test('an address that tries accounts of others says more with every one, within the frame too', () => {
  const world = new World();
  world.ordinaryDays(7);
  const seen = Array.from({ length: 40 }, (_, i) =>
    world.login({ ts: start + i * 100, subject: `u${i}`, client_ip: '66.1.1.1', status: 401 }),
  );
  assert.ok(seen[0]!.statistic < 1);
  for (let i = 3; i < seen.length; i++)
    assert.ok(seen[i]!.statistic >= Math.min(60, seen[i - 1]!.statistic), `${i}: ${seen[i]!.statistic}`);
  assert.ok(seen[10]!.deviations.accounts! > 10);
});

test('many tries at one account are told apart from tries at many', () => {
  const world = new World();
  world.ordinaryDays(7);
  let last: Seen | undefined;
  for (let i = 0; i < 60; i++)
    last = world.login({ ts: start + i * 5000, subject: 'u3', client_ip: '66.1.1.2', status: 401 });
  assert.ok(last!.deviations.tries! > 20);
  assert.equal(last!.deviations.accounts, 0);
});

test('an account that is entered from a source of refusals is named, and its owner at home is not', () => {
  const world = new World();
  world.ordinaryDays(7);
  for (let i = 0; i < 30; i++)
    world.login({ ts: start + i * 5000, subject: `u${i}`, client_ip: '66.1.1.1', status: 401 });
  const entered = world.login({ ts: start + 4 * minute, subject: 'u5', client_ip: '66.1.1.1' });
  assert.ok(entered.deviations.entered! > 10);
  assert.equal(world.login({ ts: start + 5 * minute, subject: 'u5', client_ip: '10.0.5.7' }).statistic, 0);
  // The intruder does not come to belong there by staying.
  assert.ok(world.login({ ts: start + 6 * minute, subject: 'u5', client_ip: '66.1.1.1' }).statistic > 10);
});

test('failures about an account make no claim about it until somebody comes in from elsewhere', () => {
  const world = new World();
  world.ordinaryDays(7);
  for (let i = 0; i < 60; i++)
    world.login({ ts: start + i * minute, subject: 'u9', client_ip: `66.2.${i}.1`, status: 401 });
  assert.equal(world.login({ ts: start + 61 * minute, subject: 'u9', client_ip: '10.0.9.7' }).statistic, 0);
  assert.ok(world.login({ ts: start + 62 * minute, subject: 'u9', client_ip: '66.9.9.9' }).deviations.guessed! > 10);
});

test('of a botnet with one try each, a few addresses speak and not hundreds', () => {
  const world = new World();
  world.ordinaryDays(7);
  const burst = Array.from({ length: 1000 }, (_, i) =>
    world.login({
      ts: start + i * 2000,
      subject: `u${i % 40}`,
      client_ip: `77.${i >> 8}.${i & 255}.1`,
      user_agent: 'curl/8',
      status: 401,
    }),
  ).filter(({ statistic }) => statistic > 8);
  assert.ok(burst.length >= 3 && burst.length <= 60, `${burst.length}`);
});

test('a password rotation in an office, and an outage for everybody, are nobody else’s doing', () => {
  const world = new World();
  for (let d = 0; d < 7; d++)
    for (let u = 0; u < 200; u++)
      world.login({ ts: monday + d * day + u * minute, subject: `o${u}`, client_ip: '20.0.0.1' });
  world.ordinaryDays(7);
  let most = 0;
  for (let i = 0; i < 400; i++) {
    const office = { ts: start + i * 3000, subject: `o${i % 200}`, client_ip: '20.0.0.1', status: 401 };
    most = Math.max(most, world.login(office).statistic);
    const home = { ts: start + i * 3000 + 1, subject: `u${i % 40}`, client_ip: `10.0.${i % 40}.7`, status: 401 };
    most = Math.max(most, world.login(home).statistic);
  }
  assert.equal(most, 0);
});

test('a new exit of the company’s network with a few typos stays below what an attack says', () => {
  const world = new World();
  world.ordinaryDays(7);
  let most = 0;
  for (let u = 0; u < 40; u++) {
    const vpn = { subject: `u${u}`, client_ip: '30.0.0.1' };
    if (u % 5 === 4)
      most = Math.max(most, world.login({ ...vpn, ts: start + u * minute - 9000, status: 401 }).statistic);
    most = Math.max(most, world.login({ ...vpn, ts: start + u * minute }).statistic);
  }
  assert.ok(most < 5, `${most}`);
});

test('a wave of new accounts from one address is seen once newcomers are no longer the rule', () => {
  const world = new World();
  world.ordinaryDays(7);
  let most = 0;
  for (let i = 0; i < 100; i++)
    most = Math.max(
      most,
      world.login({ ts: start + i * 11_000, subject: `fake${i}`, client_ip: '88.0.0.1' }).deviations.newcomers!,
    );
  assert.ok(most > 5, `${most}`);
  const first = new World();
  for (let i = 0; i < 100; i++)
    assert.equal(first.login({ ts: monday + i * 11_000, subject: `n${i}`, client_ip: '88.0.0.1' }).statistic, 0);
});

test('words count accounts and say what is usual', () => {
  const world = new World();
  world.ordinaryDays(7);
  for (let i = 0; i < 20; i++)
    world.login({ ts: start + i * 20_000, subject: `u${i}`, client_ip: '66.1.1.1', status: 401 });
  const event = { ts: start + 8 * minute, subject: 'u21', client_ip: '66.1.1.1', status: 401, method: 'POST' };
  const resolved: ResolvedEvent = { ...call(event), ...resolveIdentity(call(event).event)! };
  assert.equal(resolved.identity, identityKey('address', null, '66.1.1.1'));
  const who = hash64(resolved.identity).low;
  world.bench.judge(resolved, who);
  const { text } = source.describe(world.bench.moment(resolved, who), 0, resolved);
  assert.match(
    text,
    /^its address tried 2[012] accounts that do not belong there, usually fewer than one (within the hour|today)$/,
  );
});
