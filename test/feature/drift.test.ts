import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../src/core/random.ts';
import { egress } from '../../src/feature/egress.ts';
import type { Family } from '../../src/feature/family.ts';
import { rate } from '../../src/feature/rate.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Bench, call, day, hour, monday } from './moment.ts';

const warmUpDays = 14;

/** A day of about a dozen calls of two kilobytes, give or take a factor of three: `calls` and `bytes` times as much. */
function dayOf(of: { at: number; next: () => number; calls: number; bytes: number }): ResolvedEvent[] {
  const count = Math.max(1, Math.round((9 + 6 * of.next()) * of.calls));
  const bytes = (): number => Math.round(2000 * of.bytes * 3 ** (2 * of.next() - 1));
  return Array.from({ length: count }, (_, i) =>
    call({ ts: of.at + 8 * hour + (i * 9 * hour) / count, response_bytes: bytes() }),
  );
}

/** Thirty people, the first of whom does `growth` times as much every day from the third week on; what was the most said of each of its days. */
function ramp(family: Family, growth: { calls: number; bytes: number }, days: number): number[] {
  const bench = new Bench(family);
  const { next } = seededRandom(5);
  return Array.from({ length: warmUpDays + days }, (_, i) => {
    const grown = Math.max(0, i - warmUpDays + 1);
    const said = Array.from({ length: 30 }, (_unused, who) => {
      const by = who === 0 ? { calls: growth.calls ** grown, bytes: growth.bytes ** grown } : { calls: 1, bytes: 1 };
      return Math.max(
        ...bench.live(dayOf({ at: monday + i * day, next, ...by }), who + 1).map(({ statistic }) => statistic),
      );
    });
    bench.endFrame(monday + (i + 1) * day);
    return said[0]!;
  });
}

for (const [name, family, growth] of [
  ['bytes', egress, { calls: 1, bytes: 1.1 }],
  ['calls', rate, { calls: 1.1, bytes: 1 }],
] as const) {
  test(`days that are each a little above the usual add up: ${name} that grow by a tenth a day are told before they are ten times as many`, () => {
    const said = ramp(family, growth, 24);
    assert.ok(Math.max(...said.slice(-5)) > 12, said.map((each) => each.toFixed(1)).join(' '));
  });

  test(`ordinary days leave nothing behind, however many there are: ${name}`, () => {
    const said = ramp(family, { calls: 1, bytes: 1 }, 60);
    assert.ok(Math.max(...said.slice(warmUpDays)) < 12, said.map((each) => each.toFixed(1)).join(' '));
  });
}
