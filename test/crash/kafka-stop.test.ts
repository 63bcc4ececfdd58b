import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type GaitProcess, waitFor } from '../integration/gait-process.ts';
import { kafkaSkipReason } from '../integration/kafka-broker.ts';
import { attackedTraffic } from './attacked-traffic.ts';
import { openWorld, partitions, settle, startMember, type World, writeSource } from './kafka-world.ts';

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
  const started = async (): Promise<GaitProcess> => {
    const member = startMember(world, run, 0);
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
    const storeless = await started();
    assert.deepEqual(await readiness(storeless), [false, true, false]);
    await endsWithZero(storeless, 15_000);
    await world.clickhouse.start();

    const cutOff = await started();
    await world.broker.kill('SIGKILL');
    // It makes the store's tables first, for which it needs no log.
    await waitFor('the store has its tables', async () => (await readiness(cutOff))[2]!, {
      withinMs: 60_000,
      alive: [cutOff],
    });
    assert.deepEqual(await readiness(cutOff), [false, false, true]);
    await endsWithZero(cutOff, 30_000);
    const waiting = startMember(world, run, 0);
    await waitFor('it says what it waits for', () => waiting.output().includes('is tried again'), {
      withinMs: 30_000,
      alive: [waiting],
    });
    await endsWithZero(waiting, 5000);
    await world.broker.restart();

    const last = await started();
    await settle(world, run, { events, alive: [last], withinMs: 60_000 });
    await endsWithZero(last, 15_000);
    const [row] = await world.clickhouse.query(
      `SELECT count() AS n, uniqExact(event_id) AS ids FROM ${run.name}.events`,
    );
    assert.deepEqual(row, { n: events, ids: events });
  });
});
