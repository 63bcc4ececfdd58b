import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Board, type BoardOptions } from '../../src/alert/board.ts';
import { severities } from '../../src/finding/finding.ts';
import { hour, start } from '../policy/a-finding.ts';
import { findingRecord } from './an-incident.ts';

const options: BoardOptions = {
  tells: 'rises',
  severityMin: 'low',
  findingsMin: 1,
  groupWaitMs: 0,
  groupIntervalMs: 60_000,
  staleAfterMs: 1000 * hour,
  rate: undefined,
  isQuiet: () => false,
  breakThrough: 'low',
};

const step = fc.oneof(
  fc.record({ kind: fc.constant('finding' as const), incident: fc.nat(3), severity: fc.nat(3) }),
  fc.record({
    kind: fc.constant('send' as const),
    ending: fc.constantFrom('delivered' as const, 'failed' as const),
    isKilled: fc.boolean(),
  }),
);

test('whatever fails and whenever the process is killed, each incident is told at its severity, under an id that no other message has', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let board = new Board(options);
      const log: Buffer[] = [];
      const worst = new Map<string, number>();
      /** What the channel took, by message id: a receiver that drops repetitions sees each once. */
      const taken = new Map<string, string>();
      let now = start;
      let version = 0;
      const save = (): void => {
        log.push(...board.changes());
      };
      const send = (ending: 'delivered' | 'failed', isKilled: boolean): boolean => {
        const errand = board.next(now);
        if (errand?.kind !== 'post') return false;
        board.begin(errand);
        save();
        const what = `${errand.incident.id} ${errand.incident.severity}`;
        if (ending === 'delivered') {
          const before = taken.get(errand.id);
          assert.ok(before === undefined || before.split(' ')[0] === errand.incident.id);
          if (before === undefined) taken.set(errand.id, what);
        }
        if (isKilled) {
          board = new Board(options);
          for (const record of log) board.restore(record);
        } else {
          board.settle(errand, ending, { now, handle: null });
          save();
        }
        return true;
      };
      for (const one of steps) {
        now += 1000;
        if (one.kind === 'send') {
          send(one.ending, one.isKilled);
          continue;
        }
        const id = `inc_${one.incident}`;
        worst.set(id, Math.max(worst.get(id) ?? 0, one.severity));
        const severity = severities[worst.get(id)!]!;
        board.accept(
          findingRecord({ incident_id: id, finding_id: `fnd_${one.incident}`, severity, version: ++version }),
          now,
        );
        save();
      }
      for (now += hour; send('delivered', false); );
      for (const [id, severity] of worst) {
        assert.ok(
          [...taken.values()].includes(`${id} ${severities[severity]}`),
          `${id} was never told as ${severities[severity]}`,
        );
      }
      assert.ok(taken.size <= worst.size * severities.length, 'no more messages than severities');
    }),
    { numRuns: 300, verbose: 1 },
  );
});
