import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Timeline } from '../../src/simulate/timeline.ts';
import type { Actor } from '../../src/simulate/world.ts';

function* nobody(): Actor {}

test('actors take turns by time, and who asked first goes first', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 200 }),
      fc.integer({ min: 0, max: 5 }),
      (times, takeEvery) => {
        const timeline = new Timeline();
        const waiting: { readonly time: number; readonly turn: number; readonly actor: Actor }[] = [];
        const takeOne = (): void => {
          waiting.sort((a, b) => a.time - b.time || a.turn - b.turn);
          assert.equal(timeline.nextMs, waiting[0]!.time);
          assert.equal(timeline.take(), waiting.shift()!.actor);
        };
        for (const [turn, time] of times.entries()) {
          const actor = nobody();
          waiting.push({ time, turn, actor });
          timeline.add(actor, time);
          if (takeEvery > 0 && turn % takeEvery === 0) takeOne();
        }
        while (waiting.length > 0) takeOne();
        assert.equal(timeline.nextMs, Number.POSITIVE_INFINITY);
        assert.throws(() => timeline.take(), /nobody waits/);
      },
    ),
    { verbose: 1 },
  );
});
