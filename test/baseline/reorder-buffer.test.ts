import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ReorderBuffer } from '../../src/baseline/reorder-buffer.ts';

type Item = { readonly event_id: string; readonly event: { readonly ts: number } };
const item = (ts: number, event_id: string): Item => ({ event_id, event: { ts } });

function takeAll(buffer: ReorderBuffer<Item>): Item[] {
  const taken: Item[] = [];
  for (let next = buffer.take(); next !== undefined; next = buffer.take()) taken.push(next);
  return taken;
}
/** Sorting is stable: equal times stay as they arrived. */
const inOrder = (items: readonly Item[]): Item[] => [...items].sort((a, b) => a.event.ts - b.event.ts);

/** Calls that arrive up to 100 ms after a later one. */
const shuffled = fc
  .array(fc.record({ gap: fc.integer({ min: 0, max: 60 }), delay: fc.integer({ min: 0, max: 100 }) }), {
    maxLength: 200,
  })
  .map((calls) => {
    let ts = 0;
    return calls
      .map(({ gap, delay }, i) => {
        ts += gap;
        return { arrival: ts + delay, item: item(ts, `e${(i * 7919) % 1009}`) };
      })
      .sort((a, b) => a.arrival - b.arrival)
      .map(({ item: each }) => each);
  });

test('what is out of order by less than the window comes out in order of time, equal times as they came, each once', () => {
  fc.assert(
    fc.property(shuffled, (items) => {
      const buffer = new ReorderBuffer<Item>(101, 1000);
      const released: Item[] = [];
      for (const each of items) {
        buffer.push(each);
        released.push(...takeAll(buffer));
      }
      for (let next = buffer.flush(); next !== undefined; next = buffer.flush()) released.push(next);
      assert.deepEqual(released, inOrder(items));
    }),
    { endOnFailure: true },
  );
});

test('an event waits until one a window newer has been seen, or a tick says that none older will come', () => {
  const buffer = new ReorderBuffer<Item>(100, 10);
  buffer.push(item(1000, 'a'));
  assert.deepEqual(takeAll(buffer), []);
  buffer.push(item(1099, 'b'));
  assert.deepEqual(takeAll(buffer), []);
  buffer.push(item(1100, 'c'));
  assert.deepEqual(takeAll(buffer), [item(1000, 'a')]);
  buffer.advance(1098);
  assert.deepEqual(takeAll(buffer), []);
  buffer.advance(1099);
  assert.deepEqual(takeAll(buffer), [item(1099, 'b')]);
  buffer.advance(5);
  assert.deepEqual(takeAll(buffer), [], 'a tick never moves time back');
  assert.deepEqual(buffer.flush(), item(1100, 'c'));
});

test('a full buffer lets the oldest go before its time, so that it never holds more than its limit', () => {
  const buffer = new ReorderBuffer<Item>(1_000_000, 5);
  for (let i = 0; i < 8; i++) {
    buffer.push(item(i, `e${i}`));
    const released = takeAll(buffer);
    assert.deepEqual(released, i < 5 ? [] : [item(i - 5, `e${i - 5}`)]);
    assert.ok(buffer.size <= 5);
  }
});

test('without a window nothing waits', () => {
  const buffer = new ReorderBuffer<Item>(0, 10);
  buffer.push(item(5, 'a'));
  assert.deepEqual(takeAll(buffer), [item(5, 'a')]);
  buffer.push(item(3, 'b'));
  assert.deepEqual(takeAll(buffer), [item(3, 'b')]);
});

test('a buffer filled again with what was waiting goes on in the same way', () => {
  fc.assert(
    fc.property(shuffled, fc.nat({ max: 200 }), (items, cut) => {
      const first = new ReorderBuffer<Item>(50, 20);
      const second = new ReorderBuffer<Item>(50, 20);
      for (const each of items.slice(0, cut)) {
        first.push(each);
        takeAll(first);
      }
      for (const each of first.waiting()) second.push(each);
      second.newest = first.newest;
      for (const each of items.slice(cut)) {
        first.push(each);
        second.push(each);
        assert.deepEqual(takeAll(second), takeAll(first));
      }
      assert.deepEqual(second.waiting(), first.waiting());
    }),
    { endOnFailure: true },
  );
});
