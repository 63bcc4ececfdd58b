import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { sequence } from '../../src/feature/sequence.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Bench, call, day, hour, minute, monday, type Seen } from './moment.ts';

/** A shop: where a session goes on from each step, most probable first. */
const flow: Readonly<Record<string, readonly string[]>> = {
  start: ['/login'],
  '/login': ['/home'],
  '/home': ['/list', '/list', '/list', '/account'],
  '/account': ['/list'],
  '/list': ['/item', '/item', '/item', '/search'],
  '/search': ['/list'],
  '/item': ['/list', '/list', '/item', '/cart'],
  '/cart': ['/address', '/address', '/list'],
  '/address': ['/pay'],
  '/pay': ['/confirm'],
  '/confirm': ['/home'],
};
const routes = Object.keys(flow).slice(1);

class Shop {
  readonly bench = new Bench(sequence);
  readonly #random = seededRandom(7);
  #frame = 0;

  step(route: string, ts: number, who: number): Seen {
    const event = this.event(route, ts);
    const now = Math.floor(ts / 10_000);
    if (now > this.#frame) this.bench.endFrame(now * 10_000);
    this.#frame = Math.max(now, this.#frame);
    const seen = this.bench.judge(event, who);
    this.bench.learn(event, { who });
    // The novelty family counts functions; here nobody else does.
    const value = this.bench.moment(event, who).observation.values[0]!;
    const novel = !this.#used.has(`${who} ${route}`);
    this.#used.add(`${who} ${route}`);
    const use = { value, history: 1, novel, weight: 1 };
    this.bench.population.addValue(this.bench.population.group('peers'), 0, use);
    return seen;
  }
  readonly #used = new Set<string>();

  event(route: string, ts: number): ResolvedEvent {
    return call({ ts, route, method: 'POST' });
  }

  /** One session of about thirty steps; returns its highest statistic. */
  session(ts: number, who: number, on = flow): number {
    let at = 'start';
    let most = 0;
    for (let i = 0; i < 30; i++) {
      const choices = on[at]!;
      at = choices[Math.floor(this.#random.next() * choices.length)]!;
      most = Math.max(most, this.step(at, ts + i * 3000, who).statistic);
    }
    return most;
  }

  days(days: number, on = flow, from = monday): number[] {
    const peaks: number[] = [];
    for (let d = 0; d < days; d++)
      for (let u = 0; u < 30; u++) peaks.push(this.session(from + d * day + u * 20 * minute, u + 1, on));
    return peaks;
  }
}

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))]!;
const later = monday + 7 * day + 12 * hour;

test('sessions as usual gather little, also those of somebody new', () => {
  const shop = new Shop();
  shop.days(5);
  const usual = shop.days(2, flow, monday + 5 * day);
  assert.ok(quantile(usual, 0.5) < 4, `${quantile(usual, 0.5)}`);
  assert.ok(quantile(usual, 0.98) < 12, `${quantile(usual, 0.98)}`);
  assert.ok(shop.session(later, 999) < 12);
});

test('the same calls in random order gather more than nearly all usual sessions do', () => {
  const shop = new Shop();
  shop.days(5);
  const usual = shop.days(2, flow, monday + 5 * day);
  const anyOrder = Object.fromEntries(['start', ...routes].map((route) => [route, routes]));
  const random = Array.from({ length: 10 }, (_, i) => shop.session(later + i * hour, 200 + i, anyOrder));
  assert.ok(quantile(random, 0.1) > quantile(usual, 0.98), `${quantile(random, 0.1)} ${quantile(usual, 0.98)}`);
});

test('a machine that always calls in random order is no surprise to its peers', () => {
  const shop = new Shop();
  const anyOrder = Object.fromEntries(['start', ...routes].map((route) => [route, routes]));
  shop.days(4, anyOrder);
  assert.ok(quantile(shop.days(2, anyOrder, monday + 4 * day), 0.95) < 12);
});

test('a step whose predecessor never happened is said so, with its name and numbers', () => {
  const shop = new Shop();
  shop.days(7);
  for (const [i, route] of ['/login', '/home', '/list', '/item', '/cart'].entries())
    shop.step(route, later + i * 3000, 5);
  const confirm = shop.event('/confirm', later + 20_000);
  const most = shop.bench.judge(confirm, 5);
  assert.ok(most.deviations.skipped! > 3, JSON.stringify(most));
  const { text } = sequence.describe(shop.bench.moment(confirm, 5), 1, confirm);
  assert.match(
    text,
    /^calls POST \/confirm without POST \/(pay|address|cart) before it; (100\.0|9\d(\.\d)?) % of the last \d+ of /,
  );
});

test('skipping again gathers, and the identity’s own habit weighs less each time', () => {
  const shop = new Shop();
  shop.days(7);
  const seen = Array.from({ length: 6 }, (_, i) => {
    shop.step('/cart', later + i * 20_000, 5);
    return shop.step('/confirm', later + i * 20_000 + 3000, 5);
  });
  assert.ok(seen[2]!.statistic > seen[0]!.statistic);
  assert.ok(seen[5]!.deviations.skipped! < seen[0]!.deviations.skipped!);
});

test('one step again and again is counted against sessions of the peers', () => {
  const shop = new Shop();
  shop.days(7);
  for (const [i, route] of ['/login', '/home', '/list', '/item'].entries()) shop.step(route, later + i * 3000, 5);
  const seen = Array.from({ length: 32 }, (_, i) => shop.step('/cart', later + 20_000 + i * 1000, 5));
  assert.ok(seen[31]!.statistic > 7 && seen[31]!.deviations.repeated! > 3, JSON.stringify(seen[31]));
  assert.ok(seen[31]!.deviations.repeated! > seen[3]!.deviations.repeated!);
  const again = shop.event('/cart', later + 60_000);
  assert.match(
    sequence.describe(shop.bench.moment(again, 5), 2, again).text,
    /^calls POST \/cart \d+ times in a session; /,
  );
});

test('a release that leaves a step out is the new normal within days', () => {
  const shop = new Shop();
  shop.days(7);
  const released = { ...flow, '/cart': ['/pay', '/pay', '/list'] };
  shop.days(4, released, monday + 7 * day);
  const after = shop.days(1, released, monday + 11 * day);
  assert.ok(quantile(after, 0.9) < 10, `${quantile(after, 0.9)}`);
});

test('refused and failed calls are no steps, and a session whose beginning was not seen lacks nothing', () => {
  const shop = new Shop();
  shop.days(7);
  assert.equal(shop.bench.judge(call({ ts: later, route: '/confirm', method: 'POST', status: 403 }), 5).statistic, 0);
  const moment = shop.bench.moment(shop.event('/home', later), 5);
  shop.bench.active.u32.fill(0, moment.activeRow + 4, moment.activeRow + shop.bench.active.words);
  shop.bench.slab.f64[(moment.row + 2) / 2] = later - minute;
  assert.equal(shop.bench.judge(shop.event('/confirm', later), 5).deviations.skipped, 0);
});
