import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sleep } from '../../src/core/sleep.ts';
import { type GaitProcess, waitFor } from '../integration/gait-process.ts';
import { kafkaSkipReason } from '../integration/kafka-broker.ts';
import { attackedTraffic, expectedCounts } from './attacked-traffic.ts';
import {
  allJudged,
  countEvents,
  eventsTopic,
  openWorld,
  partitions,
  type Run,
  settle,
  startMember,
  type World,
  writeSource,
} from './kafka-world.ts';

const inCi = process.env.CI !== undefined;
const seed = Number(process.env.GAIT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Time for everything to be processed once. */
const withinMs = inCi ? 240_000 : 120_000;

describe('two processes on a real Kafka', { skip: await kafkaSkipReason(), timeout: 900_000 }, () => {
  let world: World;
  before(async () => {
    process.stdout.write(`# seed of the traffic: GAIT_TEST_SEED=${seed}\n`);
    world = await openWorld();
  });
  after(() => world.close());

  /** Two members over the traffic with something bad in the middle, then the same events once more without it. */
  async function disturbed(name: string, events: number, disturb: (members: GaitProcess[]) => Promise<void>) {
    const { records, attackers } = attackedTraffic({ events, seed });
    const run: Run = { name };
    await world.log.ensureTopics([{ name: `${name}.source`, partitions, cleanup: 'delete' }]);
    const began = performance.now();
    const writing = writeSource(world, name, records);
    const members = [startMember(world, run, 0), startMember(world, run, 1)];
    try {
      await waitFor('a part is stored', async () => (await countEvents(world, name)) > events * 0.05, {
        withinMs,
        alive: members,
        everyMs: 20,
      });
      await disturb(members);
      await writing;
      await settle(world, run, { events, alive: members, withinMs });
      process.stdout.write(`# ${name}: ${events} events settled after ${Math.round(performance.now() - began)} ms\n`);
    } finally {
      await stopAll(members);
    }
    await eachCountedOnce(name, records);
    await equalsUndisturbed(name, events);
    return attackers;
  }

  async function stopAll(members: readonly GaitProcess[]): Promise<void> {
    for (const member of members) member.kill('SIGTERM');
    const late = setTimeout(() => members.map((member) => member.kill('SIGKILL')), 15_000);
    const ends = await Promise.all(members.map(({ ended }) => ended));
    clearTimeout(late);
    for (const [i, { code }] of ends.entries()) assert.equal(code, 0, members[i]!.output().slice(-4000));
  }

  async function eachCountedOnce(name: string, records: readonly Buffer[]): Promise<void> {
    const rows = await world.clickhouse.query<{ identity: string; ids: number; n: number; raw: number }>(
      `SELECT identity, uniqExact(event_id) AS ids, count() AS n FROM ${name}.events GROUP BY identity`,
    );
    const expected = expectedCounts(records);
    const wrong = rows.filter(({ identity, ids, n }) => ids !== expected.get(identity) || n !== ids);
    assert.deepEqual(wrong, []);
    assert.equal(rows.length, expected.size);
    const [sums] = await world.clickhouse.query(
      `SELECT (SELECT sum(events) FROM ${name}.events_per_minute) AS routes,
              (SELECT sum(events) FROM ${name}.identities_per_minute) AS callers,
              (SELECT sum(events) FROM ${name}.identities) AS identities,
              (SELECT count() FROM ${name}.dead_letters) AS dead`,
    );
    const total = records.length;
    assert.deepEqual(sums, { routes: total, callers: total, identities: total, dead: 0 });
  }

  async function equalsUndisturbed(name: string, events: number): Promise<void> {
    const again: Run = { name: `${name}_again`, events: eventsTopic(name), roles: ['detect', 'deliver'] };
    const began = performance.now();
    const member = startMember(world, again, 0);
    try {
      await settle(world, again, { events, alive: [member], withinMs });
    } finally {
      await stopAll([member]);
    }
    process.stdout.write(`# ${again.name}: settled after ${Math.round(performance.now() - began)} ms\n`);
    for (const [table, key] of [
      ['findings', 'finding_id'],
      ['decisions', 'decision_id'],
    ] as const) {
      const rowsOf = (database: string) =>
        world.clickhouse.query(`SELECT * EXCEPT stored_at FROM ${database}.${table} ORDER BY ${key}`);
      const [live, undisturbed] = await Promise.all([rowsOf(name), rowsOf(again.name)]);
      assert.ok(undisturbed.length > 0, `there are ${table}`);
      process.stdout.write(`# ${name}: ${undisturbed.length} ${table}\n`);
      assert.deepEqual(live, undisturbed, table);
    }
  }

  test('a process killed in the middle and started again changes nothing that is counted, found or decided', async () => {
    const attackers = await disturbed('killed', inCi ? 200_000 : 40_000, async (members) => {
      members[1]!.kill('SIGKILL');
      await members[1]!.ended;
      await sleep(500);
      members[1] = startMember(world, { name: 'killed' }, 1);
    });
    const found = await world.clickhouse.query<{ identity: string }>('SELECT DISTINCT identity FROM killed.findings');
    const names = new Set(found.map(({ identity }) => identity));
    for (const attacker of attackers) assert.ok(names.has(`user:-:${attacker}`), `${attacker} was found`);
  });

  test('a broker killed in the middle and started again changes nothing either', async () => {
    await disturbed('brokerless', inCi ? 60_000 : 30_000, async () => {
      await world.broker.kill('SIGKILL');
      await sleep(1000);
      await world.broker.restart();
    });
  });

  test('ClickHouse away holds nothing up but itself: all is judged without it, and it gets everything afterwards', async () => {
    const events = inCi ? 60_000 : 30_000;
    await disturbed('storeless', events, async (members) => {
      await world.clickhouse.stop('SIGKILL');
      const judged = (): Promise<boolean> => allJudged(world, 'storeless', events);
      await waitFor('all is judged', judged, { withinMs, alive: members, everyMs: 250 });
      await world.clickhouse.start();
    });
  });
});
