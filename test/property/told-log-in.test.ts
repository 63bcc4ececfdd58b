import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IdentityKey, ResolvedEvent } from '../../src/identity/resolved-event.ts';
import type { Shard } from '../../src/pipeline.ts';
import type { Notice } from '../../src/policy/notice.ts';
import { aNotice } from '../policy/a-notice.ts';
import { eventsOf } from '../scenario/play.ts';
import { Outputs, shardWith } from './traffic.ts';

const clerk = 'user:acme:clerk-05' as IdentityKey;
const from = 1781092800000;
/** Some of the company are enough to compare with; so few need a more generous budget. */
const events = eventsOf('stolen-token').filter(({ identity }) => /clerk-0[1-8]$/.test(identity));
const budget = { findingsPer1000PerDay: 30 };
const isThief = ({ event }: ResolvedEvent): boolean => event.user_agent?.startsWith('python') === true;
const withSession = (each: ResolvedEvent, session_id: string, fields: Partial<ResolvedEvent['event']> = {}) => ({
  ...each,
  event: { ...each.event, session_id, ...fields },
});

/** The same days without a thief, but from the given time on the clerk's own calls come from a new laptop in another country. */
const laptop = { client_ip: '203.0.113.77', country: 'RO', tz: '+0300', user_agent: 'Safari/19.0 (Macintosh)' };
const moved = events
  .filter((each) => !isThief(each))
  .map((each) => (each.identity === clerk && each.event.ts >= from ? withSession(each, 's-new', laptop) : each));
/** And with him: his calls are of the session that he names. */
const robbed = (session: string) => events.map((each) => (isThief(each) ? withSession(each, session) : each));

const began = moved.find(({ event }) => event.session_id === 's-new')!.event.ts;
const logIn = (fields: Partial<Notice> = {}) =>
  aNotice('session-established', { identity: clerk, session_id: 's-new', at: began - 5000, ...fields });

function run(all: readonly ResolvedEvent[], notices: readonly Notice[], restart = false): Outputs {
  let shard: Shard = shardWith(budget);
  const outputs = new Outputs();
  const before = all.filter(({ event }) => event.ts < from);
  for (const event of before) shard.accept(event);
  for (const notice of notices) shard.notice(notice);
  if (restart) {
    outputs.drain(shard);
    const records = [...shard.checkpoint(true)].flat();
    shard = shardWith(budget);
    shard.restore(records);
    shard.restored();
  }
  for (const event of all.slice(before.length)) shard.accept(event);
  shard.flush();
  outputs.drain(shard);
  return outputs;
}

const saidOf = ({ verdicts }: Outputs): readonly string[] =>
  verdicts.flatMap(({ identity, ts, top }) => (identity === clerk && ts >= from ? top : []));
const ofPlace = (features: readonly string[]): readonly string[] =>
  features.filter((feature) => feature.startsWith('context.') || feature === 'patterns.new_today');
const evidenceOf = ({ verdicts }: Outputs): number =>
  Math.max(...verdicts.map(({ identity, ts, evidence }) => (identity === clerk && ts >= from ? evidence : 0)));

test('a log-in that the identity provider told of explains the new place and the new device of its session, after a restart as well', () => {
  const untold = run(moved, []);
  assert.ok(ofPlace(saidOf(untold)).length > 0, 'otherwise they are odd');
  const told = run(moved, [logIn()]);
  assert.deepEqual(ofPlace(saidOf(told)), []);
  assert.ok(evidenceOf(told) < evidenceOf(untold) / 2, `${evidenceOf(told)} against ${evidenceOf(untold)}`);
  const { verdicts, findings, decisions } = run(moved, [logIn()], true);
  assert.deepEqual({ verdicts, findings, decisions }, { ...told });
});

test('a word about somebody else, about another session, about no session or about a session that has ended changes nothing', () => {
  const nothing = run(moved, []);
  const words = [
    [logIn({ identity: 'user:acme:clerk-06' as IdentityKey })],
    [logIn({ session_id: 's-other' })],
    [logIn({ session_id: null })],
    [logIn({ at: began - 3_600_000 })],
    [logIn(), aNotice('session-ended', { identity: clerk, session_id: 's-new', at: began - 1000 })],
  ];
  for (const notices of words) assert.deepEqual({ ...run(moved, notices) }, { ...nothing });
});

test('whoever logs in with a stolen password and does what its owner never did is found all the same', () => {
  const foundIn = (outputs: Outputs): number =>
    [...outputs.findings.values()].filter(({ identity, first_seen }) => identity === clerk && first_seen >= from)
      .length;
  assert.ok(foundIn(run(robbed('s-new'), [logIn({ at: from - 5000 })])) > 0);
  assert.equal(foundIn(run(moved, [logIn()])), 0, 'and who goes on as ever on a new laptop is not');
});

test('new credentials begin the story of tokens anew and close nothing', () => {
  const changed = aNotice('credential-changed', { identity: clerk, at: from + 600_000 });
  const until = robbed('s-1').filter(({ event }) => event.ts < from + 600_000);
  const shard = shardWith(budget);
  const outputs = new Outputs();
  for (const event of until) shard.accept(event);
  shard.flush();
  outputs.drain(shard);
  const before = [...outputs.findings.values()].filter(({ identity, state }) => identity === clerk && state === 'open');
  assert.ok(before.length > 0);
  shard.notice(changed);
  outputs.drain(shard);
  const after = [...outputs.findings.values()].filter(({ identity, state }) => identity === clerk && state === 'open');
  assert.deepEqual(after, before);
});
