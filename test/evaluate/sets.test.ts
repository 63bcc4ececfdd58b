import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newcomerCalls, newcomerIncidents, newcomerRecords, techniques } from '../../src/evaluate/cloudtrail.ts';
import { parseSessions, sessionEvents, sessionIncidents } from '../../src/evaluate/rest-sessions.ts';
import { takeoverIncidents, windowItems } from '../../src/evaluate/source-activity.ts';
import { start, trafficOf } from './traffic.ts';

const header = 'session,end_ms,client,duration_ms,requests,posts,logins,status_4xx,tool,attack_class';

test('a session becomes as many calls, POSTs, log-ins and refusals as were counted, and ends when it ended', () => {
  const sessions = parseSessions(`${header}\ns-1,1600000000000,c-5f86619b8b,13974,62,36,36,36,zap,vuln_scan\n`);
  const events = sessionEvents(sessions);
  assert.equal(events.length, 62);
  assert.equal(events.filter(({ method }) => method === 'POST').length, 36);
  assert.equal(events.filter(({ path }) => path === '/login').length, 36);
  assert.equal(events.filter(({ status }) => status === 401).length, 36);
  assert.equal(events.at(-1)!.ts, 1_600_000_000_000);
  assert.deepEqual(sessionIncidents(sessions)[0]!.identities, [`address:-:${events[0]!.client_ip}`]);
});

test('an ordinary session is no incident', () => {
  const sessions = parseSessions(`${header}\ns-1,1600000000000,c-5f86619b8b,10,3,0,0,0,Normal,normal\n`);
  assert.deepEqual(sessionIncidents(sessions), []);
});

test('a window is judged when its identity has a past, is an attack from half stolen events on, and is left out below that', () => {
  const ids = Array.from({ length: 30 }, (_, i) => `e${70 + i}`);
  const incidents = takeoverIncidents([
    { incident: 't', victim: 'alice', first_ts: start + 70, last_ts: start + 99, ids },
  ]);
  const traffic = trafficOf(
    incidents,
    Array.from({ length: 100 }, (_, i) => [`e${i}`, 'alice', start + i] as const),
  );
  const scores = Float64Array.from({ length: 100 }, (_, i) => i);
  const { surprise, evidence } = windowItems(traffic, { name: 'x', event: scores, state: scores });
  // Windows end at events 60 to 99; those that end at 70 to 78 hold one to nine stolen events.
  assert.equal(surprise.filter(({ attack }) => !attack).length, 10);
  assert.equal(surprise.filter(({ attack }) => attack).length, 21);
  assert.equal(surprise[0]!.score, 50.5);
  assert.equal(evidence[0]!.score, 60);
});

test('a technique is one run of the tool after the first ten minutes, under the identity that called most', () => {
  const line = (time: string, user: string, [name, run]: readonly [string, string]) =>
    `id-${time}-${name},2023-07-10T${time}Z,arn:x:user/${user},${name},,attack,r,${run}`;
  const csv = [
    'eventID,eventTime,identity,eventName,errorCode,label,rule,stratus_uuid',
    line('11:00:00', 'a', ['TooEarly', 'run-0']),
    line('11:20:00', 'a', ['AssumeRole', 'run-1']),
    line('11:20:01', 'b', ['GetPasswordData', 'run-1']),
    line('11:20:02', 'b', ['GetPasswordData', 'run-1']),
    line('11:30:00', 'a', ['DescribeAccountAttributes', 'run-2']),
    line('11:40:00', 'c', ['ListBuckets', '']),
  ].join('\n');
  const found = techniques(csv);
  assert.deepEqual(
    found.map(({ identities, ids }) => [identities[0], ids.length]),
    [
      ['user:-:arn:x:user/b', 3],
      ['user:-:arn:x:user/c', 1],
    ],
  );
});

test('newcomers make 25 calls each under an identity of their own, before the recording ends', () => {
  const record = (i: number) => ({
    eventTime: new Date(start + i * 60_000).toISOString(),
    eventSource: 'ec2.amazonaws.com',
    eventName: `Describe${i % 9}`,
    readOnly: true,
    userIdentity: { type: 'IAMUser', arn: 'arn:x:user/a' },
  });
  const recording = Array.from({ length: 60 }, (_, i) => record(i));
  const records = newcomerRecords(recording);
  const incidents = newcomerIncidents(records);
  assert.equal(incidents.length, 4);
  assert.equal(new Set(incidents.flatMap(({ identities }) => identities)).size, 4);
  for (const { ids, last_ts } of incidents) {
    assert.equal(ids.length, newcomerCalls);
    assert.ok(last_ts < start + 59 * 60_000);
  }
});
