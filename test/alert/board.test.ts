import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AlertRecord } from '../../src/alert/alert-record.ts';
import { Board, type BoardOptions } from '../../src/alert/board.ts';
import type { Errand } from '../../src/alert/channel.ts';
import { alertMessage, summaryMessage } from '../../src/alert/message.ts';
import { createQuietHours } from '../../src/alert/quiet-hours.ts';
import { hour, minute, start } from '../policy/a-finding.ts';
import { anIncident, decisionRecord, findingRecord, reasonOf } from './an-incident.ts';

const second = 1000;
const options: BoardOptions = {
  tells: 'changes',
  severityMin: 'medium',
  findingsMin: 1,
  groupWaitMs: 10 * second,
  groupIntervalMs: 5 * minute,
  staleAfterMs: 24 * hour,
  rate: undefined,
  isQuiet: () => false,
  breakThrough: 'critical',
};

/** A channel that takes everything, with a clock of its own: `until` runs it second by second, and says what was told when. */
function aChannel(given: Partial<BoardOptions> = {}) {
  const board = new Board({ ...options, ...given });
  const told: string[] = [];
  let now = start;
  const ids = new Set<string>();
  const deliver = (errand: Errand): void => {
    board.begin(errand);
    assert.ok(!ids.has(errand.id), `message ${errand.id} was told twice`);
    ids.add(errand.id);
    const message = errand.kind === 'summary' ? summaryMessage(errand.held) : alertMessage(errand.incident);
    told.push(`${(now - start) / second}s ${errand.kind} ${message.headline}`);
    board.settle(errand, 'delivered', { now, handle: errand.kind === 'summary' ? null : `ts_${errand.incident.id}` });
  };
  return {
    board,
    told,
    accept: (...records: readonly AlertRecord[]) => {
      for (const record of records) board.accept(record, now);
    },
    until: (ms: number) => {
      for (; now < start + ms; now += second)
        for (let errand = board.next(now); errand !== undefined; errand = board.next(now)) deliver(errand);
    },
  };
}

test('what comes within the wait is one message, later changes are updates of it, an escalation is told again', () => {
  const { accept, until, told } = aChannel();
  accept(findingRecord({ severity: 'medium' }));
  until(5 * second);
  accept(findingRecord({ finding_id: 'fnd_2', severity: 'medium', kind: 'rate_spike' }));
  until(minute);
  accept(findingRecord({ severity: 'medium', version: 2, count: 9 }));
  until(6 * minute);
  accept(findingRecord({ severity: 'critical', version: 3, count: 10 }));
  until(7 * minute);
  accept(
    findingRecord({ severity: 'critical', version: 4, state: 'closed' }),
    findingRecord({ finding_id: 'fnd_2', version: 2, state: 'closed', severity: 'medium' }),
  );
  until(10 * minute);
  assert.deepEqual(told, [
    '10s post MEDIUM: new context',
    '310s update MEDIUM: new context',
    '370s post CRITICAL: new context (was medium)',
    '430s update CRITICAL: new context (over)',
  ]);
});

test('a channel that cannot change a message is told of an incident and of its escalations only', () => {
  const { accept, until, told } = aChannel({ tells: 'rises' });
  accept(findingRecord({ severity: 'medium' }));
  until(minute);
  accept(findingRecord({ severity: 'medium', version: 2 }));
  until(20 * minute);
  accept(
    findingRecord({ severity: 'high', version: 3 }),
    findingRecord({ severity: 'high', version: 4, state: 'closed' }),
  );
  until(40 * minute);
  assert.deepEqual(told, ['10s post MEDIUM: new context']);
});

test('nobody is told of what is below the threshold, was judged before, or is repeated by the log', () => {
  const { accept, until, told, board } = aChannel({ findingsMin: 2 });
  accept(
    findingRecord({ incident_id: 'weak', severity: 'low' }),
    findingRecord({ incident_id: 'weak', finding_id: 'fnd_2', severity: 'low' }),
  );
  accept(findingRecord({ incident_id: 'single', severity: 'critical' }));
  const judged = { incident_id: 'judged', verdict: 'false-positive', by: 'ann', at: start } as const;
  accept(
    findingRecord({ incident_id: 'judged' }),
    findingRecord({ incident_id: 'judged', finding_id: 'fnd_2' }),
    { kind: 'verdict', verdict: judged },
    findingRecord({ incident_id: 'forgotten', state: 'closed', last_seen: start - 25 * hour }),
  );
  const twice = [findingRecord(), findingRecord({ finding_id: 'fnd_2' })];
  accept(...twice);
  until(minute);
  accept(...twice);
  until(hour);
  assert.deepEqual(told, ['10s post HIGH: new context']);
  until(25 * hour);
  assert.equal(board.size, 0, 'what nothing happened to for a day is forgotten');
  assert.deepEqual(board.skipped(), []);
});

test('what began and ended while nobody could be told is told as over', () => {
  const { accept, until, told } = aChannel();
  accept(findingRecord({ state: 'closed', severity: 'critical', last_seen: start - hour }));
  until(hour);
  assert.deepEqual(told, ['10s post CRITICAL: new context (over)']);
});

test('in quiet hours only what breaks through is told; the rest when they are over, by the zone’s own clock', () => {
  // 1 January 2026, 00:00 UTC is 01:00 in Berlin.
  const isQuiet = createQuietHours({ zone: 'Europe/Berlin', from: '22:00', to: '07:00', days: [] });
  const { accept, until, told } = aChannel({ isQuiet });
  accept(findingRecord({ incident_id: 'later' }), findingRecord({ incident_id: 'now', severity: 'critical' }));
  until(8 * hour);
  assert.deepEqual(told, ['10s post CRITICAL: new context', `${6 * 3600}s post HIGH: new context`]);
});

test('quiet hours follow the clock on the wall through both changes of it, and quiet days', () => {
  const night = createQuietHours({ zone: 'America/New_York', from: '23:30', to: '06:00', days: ['sun'] });
  const at = (text: string): boolean => night(Date.parse(text));
  assert.deepEqual(
    ['2026-03-07T05:00-05:00', '2026-03-07T06:00-05:00', '2026-03-07T23:29-05:00', '2026-03-07T23:30-05:00'].map(at),
    [true, false, false, true],
  );
  assert.deepEqual(['2026-03-08T12:00-04:00', '2026-03-09T05:59-04:00', '2026-03-09T06:00-04:00'].map(at), [
    true,
    true,
    false,
  ]);
  assert.throws(() => createQuietHours({ zone: 'Mars/Olympus', from: '00:00', to: '00:00', days: [] }), {
    code: 'CONFIG_INVALID',
  });
});

test('beyond its rate a channel gets one summary of all that was held back, as soon as there is room', () => {
  const { accept, until, told } = aChannel({ rate: { messages: 3, perMs: hour } });
  for (let i = 0; i < 40; i++) {
    const severity = i === 39 ? 'critical' : i % 2 === 0 ? 'high' : 'medium';
    accept(findingRecord({ incident_id: `inc_${i}`, finding_id: `fnd_${i}`, severity }));
  }
  until(2 * hour);
  assert.deepEqual(told, [
    '10s post CRITICAL: new context',
    '10s post HIGH: new context',
    '10s post HIGH: new context',
    '3610s summary 37 more: 18 high, 19 medium',
  ]);
  accept(findingRecord({ incident_id: 'inc_1', finding_id: 'fnd_1', severity: 'critical', version: 2 }));
  until(3 * hour);
  assert.equal(told.at(-1), '7210s post CRITICAL: new context (was medium)');
});

test('a shadow decision is told as what would have been done, whatever its action', () => {
  for (const action of ['throttle', 'step-up', 'revoke-session', 'revoke-identity'] as const) {
    const { notes } = alertMessage(anIncident(findingRecord(), decisionRecord({ action, mode: 'shadow' })));
    assert.deepEqual(notes, [`Would have: ${action} (shadow mode, nothing was done; rule medium-risk)`]);
    const enforced = alertMessage(anIncident(findingRecord(), decisionRecord({ action })));
    assert.deepEqual(enforced.notes, [`Decided: ${action} (rule medium-risk)`]);
  }
});

test('a decision that changed says why: nobody answered its step-up, or a person took it back', () => {
  const made = decisionRecord({ action: 'step-up' });
  const why = 'Somebody else moves under it. The step-up was not answered.';
  const escalated = decisionRecord({ version: 2, change: 'escalated', action: 'revoke-session', why });
  const restored = decisionRecord({ version: 3, change: 'restored', action: 'restore', why: 'it was her' });
  assert.deepEqual(alertMessage(anIncident(findingRecord(), made, escalated)).notes, [
    `Decided: revoke-session (rule medium-risk): ${why}`,
  ]);
  assert.deepEqual(alertMessage(anIncident(findingRecord(), made, escalated, restored)).notes, [
    'Ended: revoke-session (rule medium-risk): it was her',
  ]);
});

test('what was too old when it came in, or waited too long, is given up and named', () => {
  const { accept, until, told, board } = aChannel();
  accept(findingRecord({ incident_id: 'old', last_seen: start - 25 * hour }));
  until(minute);
  assert.deepEqual([told, board.skipped().map(({ id }) => id)], [[], ['old']]);
});

test('a board that is restored from its records goes on where it was, and repeats nothing', () => {
  const first = aChannel();
  const records = [...first.board.whole()];
  first.accept(findingRecord(), findingRecord({ incident_id: 'inc_2', finding_id: 'fnd_2' }));
  records.push(...first.board.changes());
  first.until(minute);
  records.push(...first.board.changes());
  assert.deepEqual(first.board.changes(), []);
  for (const saved of [records, first.board.whole()]) {
    const board = new Board(options);
    for (const record of saved) board.restore(record);
    assert.equal(board.next(start + hour), undefined);
    board.accept(findingRecord({ severity: 'critical', version: 2 }), start + hour);
    assert.equal(board.next(start + hour + 10 * second)?.id, 'inc_1:2');
  }
});

test('a message that keeps failing lets the others pass', () => {
  const { board, accept } = aChannel();
  accept(findingRecord({ incident_id: 'poison', severity: 'critical' }), findingRecord({ incident_id: 'good' }));
  const now = start + minute;
  const poison = board.next(now)!;
  board.begin(poison);
  board.settle(poison, 'failed', { now, handle: null });
  assert.equal(board.next(now)?.id, 'good:1');
  assert.equal(poison.id, 'poison:1');
  assert.ok(poison.kind === 'post' && poison.incident.begun === 'critical', 'it may have arrived');
});

test('an attack on the channel itself holds no more than 5,000 incidents, and says which were pushed out', () => {
  const { board, accept } = aChannel();
  for (let i = 0; i < 5003; i++) accept(findingRecord({ incident_id: `inc_${i}` }));
  assert.equal(board.size, 5000);
  assert.deepEqual(
    board.skipped().map(({ id }) => id),
    ['inc_0', 'inc_1', 'inc_2'],
  );
});

test('however much changes at once, no record of the state is larger than the log takes', () => {
  const { board, accept } = aChannel({ rate: { messages: 1, perMs: hour } });
  const long = '\u{1f469}'.repeat(300);
  const reasons = Array.from({ length: 5 }, () => reasonOf(long));
  for (let i = 0; i < 3000; i++)
    accept(findingRecord({ incident_id: `inc_${i % 300}`, finding_id: `fnd_${i}`, title: long, reasons }));
  const records = board.changes();
  assert.ok(records.length > 10 && records.every((record) => record.length < 8 * 1024 * 1024));
  const restored = new Board(options);
  for (const record of records) restored.restore(record);
  assert.equal(restored.size, 300);
});

test('what people expect is told to nobody, and what was told is over when they say so', () => {
  const { accept, until, told } = aChannel();
  accept(findingRecord({ finding_id: 'f1', incident_id: 'i1', state: 'suppressed', severity: 'critical' }));
  accept(findingRecord({ finding_id: 'f2', incident_id: 'i2', severity: 'high', version: 1 }));
  until(minute);
  accept(findingRecord({ finding_id: 'f2', incident_id: 'i2', severity: 'high', state: 'suppressed', version: 2 }));
  until(2 * minute);
  assert.equal(told.length, 2, told.join(', '));
  assert.match(told[0]!, / post HIGH/);
  assert.match(told[1]!, / update HIGH.*\(over\)/);
});
