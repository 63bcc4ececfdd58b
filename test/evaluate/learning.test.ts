import assert from 'node:assert/strict';
import { test } from 'node:test';
import { daysToGoal, rampCostTable, ramps, rampTable } from '../../src/evaluate/ramp.ts';
import { blocksOf, swaps, takeoversForGood } from '../../src/evaluate/takeover.ts';
import { dayMs } from '../../src/evaluate/traffic.ts';
import { start, trafficOf } from './traffic.ts';

/** Each person's calls, one a minute after the other's. */
function recorded(counts: Readonly<Record<string, number>>, untilMs = 10 * dayMs) {
  return Object.entries(counts)
    .flatMap(([subject, count]) =>
      Array.from({ length: count }, (_, i) => ({
        subject,
        ts: Math.floor(start + (i * untilMs) / count),
        event_id: `${subject}.${i}`,
      })),
    )
    .sort((a, b) => a.ts - b.ts);
}

test("a takeover for good: the victim's own calls end where another person's last 500 begin, under its name", () => {
  const { events, incidents } = takeoversForGood(recorded({ donor: 1000, victim: 300, stranger: 20 }));
  assert.equal(incidents.length, 1);
  const [{ ids, first_ts, identities }] = incidents as [(typeof incidents)[0]];
  assert.deepEqual(identities, ['user:-:victim']);
  assert.equal(ids.length, 500);
  const after = events.filter(({ subject, ts }) => subject === 'victim' && ts >= first_ts);
  assert.deepEqual(
    after.map(({ event_id }) => event_id),
    ids,
  );
  assert.ok(!events.some(({ subject, ts }) => subject === 'donor' && ts >= first_ts));
});

test('a twentieth of those active go on under each other’s names, none under its own, for at most 500 calls', () => {
  const counts = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`p${i}`, i < 10 ? 2000 : 120]));
  const { events, incidents, from } = swaps(recorded(counts), 1);
  assert.equal(incidents.length, 3);
  const owner = new Map(events.map(({ event_id, subject }) => [event_id, subject]));
  for (const { ids, incident } of incidents) {
    assert.ok(ids.length <= 500);
    // An id begins with the name of the person who really made the call.
    for (const id of ids) {
      assert.equal(owner.get(id), incident);
      assert.notEqual(id.split('.')[0], incident);
    }
  }
  const stolen = new Set(incidents.flatMap(({ ids }) => ids));
  const names = new Set(incidents.map(({ incident }) => incident));
  assert.ok(events.every(({ ts, event_id, subject }) => ts < from || !names.has(subject) || stolen.has(event_id)));
});

test('a block of stolen calls is odd when it surprises more than the victim used to, and open while a finding is', () => {
  const { events, incidents } = takeoversForGood(recorded({ donor: 1000, victim: 300 }));
  const traffic = trafficOf(
    incidents,
    events.map(({ event_id, subject, ts }) => [event_id, subject, ts] as const),
  );
  // The victim's own calls score 0.5, the stolen ones from 2 down to 0.
  const surprise = Float64Array.from(events, ({ event_id }, i) => {
    const place = incidents[0]!.ids.indexOf(event_id);
    return (place < 0 ? 0.5 : 2 - place / 250) + (i % 2) * 0.1;
  });
  const scores = { name: 'x', event: surprise, state: surprise, budget: 1, raised: [] };
  const [blocks] = blocksOf(traffic, scores);
  assert.deepEqual(
    blocks!.map(({ odd }) => odd),
    [true, true, true, true, false],
  );
  assert.ok(blocks!.every(({ open }) => !open));
});

test('a ramp grows day by day to ten times the usual, the same for the same seed, and its label ends when it is there', () => {
  const { events, incidents } = ramps(1);
  assert.deepEqual(ramps(1).events.slice(0, 1000), events.slice(0, 1000));
  const fast = incidents.find(({ incident }) => incident === 'calls-2-0')!;
  const perDay = (day: number) =>
    events.filter(({ subject, ts }) => subject === 'calls-2-0' && Math.floor((ts - fast.first_ts) / dayMs) === day)
      .length;
  const before = [-5, -4, -3, -2, -1].reduce((sum, day) => sum + perDay(day), 0) / 5;
  assert.ok(perDay(9) > 5 * before, `${before} to ${perDay(9)}`);
  const last = events.find(({ event_id }) => event_id === fast.ids.at(-1))!;
  assert.ok(last.ts < fast.first_ts + daysToGoal(2) * dayMs);
  const missed = { found: false, covered: false, delayEvents: Number.NaN, delayMs: Number.NaN, reasonsRight: false };
  const { rows } = rampTable(incidents.map((incident) => ({ incident, ...missed, severity: null })));
  assert.equal(rows.length, 10);
  assert.deepEqual(rows[0], ['calls, ×2 a day', '4', '0 of 3', '-', '-']);
  const outcomes = incidents.map((incident) => {
    const found = incident.family === 'calls' && incident.recipe !== 'calls ×1.25 a day';
    return { incident, ...missed, found, delayMs: dayMs, severity: null };
  });
  assert.deepEqual(rampCostTable(outcomes).rows, [
    ['calls', '×1.25 a day', '11', '×2, ×1.5, ×1.1, ×1.05'],
    ['bytes', '×2 a day', '4', 'none'],
  ]);
});
