import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import type { Verdict } from '../../src/pipeline.ts';
import { resolved, shardWith } from './traffic.ts';

const start = Date.UTC(2026, 0, 5);
const hourMs = 3_600_000;
const people = 20;
const ownCalls = 300;
const victim = 'person-0';

/** Each person uses six of forty parts of an API, some more than others, from one of ten clients, and now and then something else. */
function callOf(person: number, random: () => number) {
  const pick = random() < 0.05 ? Math.floor(random() * 40) : (person * 7 + Math.floor(6 * random() ** 2)) % 40;
  return { route: `/part-${pick}/{id}`, user_agent: `client-${person % 10}` };
}

/** Surprises of the victim's calls: 300 of its own, and then `stolen` in which it does what somebody else does. Everybody calls once an hour. */
function surprises(stolen: number): number[] {
  const { next } = seededRandom(5);
  const shard = shardWith({ findingsPer1000PerDay: 0.001 });
  const verdicts: Verdict[] = [];
  for (let hour = 0; hour < ownCalls + stolen; hour++) {
    for (let p = 0; p < people; p++) {
      const as = p === 0 && hour >= ownCalls ? 10 : p;
      const fields = { ts: start + hour * hourMs + p * 60_000, subject: `person-${p}`, method: 'GET', status: 200 };
      shard.accept(resolved(`${p}/${hour}`, `person-${p}`, { ...fields, ...callOf(as, next) }));
    }
    verdicts.push(...shard.drain().verdicts);
  }
  shard.flush();
  verdicts.push(...shard.drain().verdicts);
  return verdicts.filter(({ resolved: { event } }) => event.subject === victim).map(({ surprise }) => surprise);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

test('whoever takes an identity over for good is not learned in five hundred calls, though no finding holds learning back', () => {
  const all = surprises(500);
  const own = mean(all.slice(ownCalls - 100, ownCalls));
  const first = mean(all.slice(ownCalls, ownCalls + 100));
  const last = mean(all.slice(-100));
  assert.ok(last > 2 * own && last > 0.8 * first, `own ${own}, first hundred ${first}, last hundred ${last}`);
});
