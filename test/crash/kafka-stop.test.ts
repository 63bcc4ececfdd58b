import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type GaitProcess, waitFor } from '../integration/gait-process.ts';
import { kafkaSkipReason } from '../integration/kafka-broker.ts';
import { attackedTraffic } from './attacked-traffic.ts';
import {
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

const run = { name: 'stopped' };
const events = 3000;

describe('told to stop while something is away', { skip: await kafkaSkipReason(), timeout: 240_000 }, () => {
  let world: World;
  before(async () => {
    world = await openWorld();
  });
  after(() => world.close());

  async function endsWithZero(member: GaitProcess, withinMs: number): Promise<void> {
    const began = performance.now();
    member.kill('SIGTERM');
    const late = setTimeout(() => member.kill('SIGKILL'), 2 * withinMs);
    const { code } = await member.ended;
    clearTimeout(late);
    assert.equal(code, 0, member.output().slice(-2000));
    const ms = performance.now() - began;
    process.stdout.write(`# told to stop, it ended after ${Math.round(ms)} ms\n`);
    assert.ok(ms < withinMs, `${ms} ms`);
  }
  const started = async (what: Run): Promise<GaitProcess> => {
    const member = startMember(world, what, 0);
    await waitFor('it listens', () => member.address() !== undefined, { withinMs: 60_000, alive: [member] });
    return member;
  };

  /** Of `/readyz`: ready, then whether the log and the store answer. */
  const readiness = async (member: GaitProcess): Promise<readonly boolean[]> => {
    const answer = await fetch(new URL('/readyz', member.address()));
    const { ready, parts } = (await answer.json()) as { ready: boolean; parts: Record<string, { ok: boolean }> };
    assert.equal(answer.status, ready ? 200 : 503);
    return [ready, parts.log!.ok, parts.store!.ok];
  };

  test('the process says what is away, ends by itself with 0, and nothing was lost', async () => {
    await world.log.ensureTopics([{ name: 'stopped.source', partitions, cleanup: 'delete' }]);
    await writeSource(world, run.name, attackedTraffic({ events, seed: 1 }).records);
    await world.clickhouse.stop('SIGKILL');
    const storeless = await started(run);
    assert.deepEqual(await readiness(storeless), [false, true, false]);
    await endsWithZero(storeless, 15_000);
    await world.clickhouse.start();

    const cutOff = await started(run);
    await world.broker.kill('SIGKILL');
    // It makes the store's tables first, for which it needs no log.
    await waitFor('the store has its tables', async () => (await readiness(cutOff))[2]!, {
      withinMs: 60_000,
      alive: [cutOff],
    });
    assert.deepEqual(await readiness(cutOff), [false, false, true]);
    await endsWithZero(cutOff, 15_000);
    const waiting = startMember(world, run, 0);
    await waitFor('it says what it waits for', () => waiting.output().includes('is tried again'), {
      withinMs: 30_000,
      alive: [waiting],
    });
    await endsWithZero(waiting, 5000);
    await world.broker.restart();

    const last = await started(run);
    await settle(world, run, { events, alive: [last], withinMs: 60_000 });
    await endsWithZero(last, 15_000);
    const [row] = await world.clickhouse.query(
      `SELECT count() AS n, uniqExact(event_id) AS ids FROM ${run.name}.events`,
    );
    assert.deepEqual(row, { n: events, ids: events });
  });

  test('in full work it ends as soon, whether it has noticed or not, and nothing was lost', async () => {
    const busy = { name: 'busy' };
    const all = 20_000;
    const { records } = attackedTraffic({ events: all, seed: 1 });
    await world.log.ensureTopics([{ name: 'busy.source', partitions, cleanup: 'delete' }]);
    const isAway = async (member: GaitProcess): Promise<boolean> => !(await readiness(member))[1]!;
    for (const half of [0, 1]) {
      await writeSource(world, busy.name, records.slice((half * all) / 2, ((half + 1) * all) / 2));
      const before = await checkpointed();
      const stored = await countEvents(world, busy.name);
      const member = await started(busy);
      const soon = { withinMs: 60_000, everyMs: 10, alive: [member] };
      await waitFor('its shards have written their state', async () => (await checkpointed()) > before, soon);
      await waitFor('verdicts are stored', async () => (await countEvents(world, busy.name)) > stored, soon);
      await world.broker.kill('SIGKILL');
      if (half === 0) await waitFor('it says that the log is away', () => isAway(member), soon);
      await endsWithZero(member, 15_000);
      await world.broker.restart();
    }
    const last = await started(busy);
    await settle(world, busy, { events: all, alive: [last], withinMs: 60_000 });
    await endsWithZero(last, 15_000);
    const [row] = await world.clickhouse.query('SELECT count() AS n, uniqExact(event_id) AS ids FROM busy.events');
    assert.deepEqual(row, { n: all, ids: all });

    async function checkpointed(): Promise<number> {
      const at = await world.admin
        .fetchOffsets({ groupId: 'busy-detect', topics: [eventsTopic('busy')] })
        .catch(() => []);
      return at.flatMap((topic) => topic.partitions).reduce((sum, { offset }) => sum + Math.max(Number(offset), 0), 0);
    }
  });
});
