import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dimensionIndex, dimensions } from '../../src/baseline/row-layout.ts';
import { RowSlab } from '../../src/baseline/row-slab.ts';
import { learnSlot, readSlots, type SlotView } from '../../src/baseline/slots.ts';
import { hash32 } from '../../src/core/hash.ts';

const method = dimensionIndex('method');
const capacity = dimensions[method]!.slots;

function memory() {
  const slab = new RowSlab(4);
  slab.create(9, 9);
  const row = slab.create(1, 2);
  return {
    slab,
    learn: (text: string, weight = 1) => learnSlot(slab, { row, dimension: method, value: hash32(text) }, weight),
    read: (text: string): SlotView => {
      const view = { count: 0, total: 0, distinct: 0 };
      readSlots(slab, { row, dimension: method, value: hash32(text) }, view);
      return view;
    },
  };
}

test('counts, total and distinct values are those of what was learned', () => {
  const { learn, read } = memory();
  for (let i = 0; i < 3; i++) learn('GET');
  learn('PUT', 0.5);
  assert.deepEqual(read('GET'), { count: 3, total: 3.5, distinct: 2 });
  assert.deepEqual(read('PUT'), { count: 0.5, total: 3.5, distinct: 2 });
  assert.deepEqual(read('POST'), { count: 0, total: 3.5, distinct: 2 });
});

test('however little is learned from an event, it leaves a trace', () => {
  const { learn, read } = memory();
  learn('GET', 1e-9);
  assert.equal(read('GET').count, 1 / 16);
});

test('a value too many takes the place of the rarest', () => {
  const { learn, read } = memory();
  for (let i = 0; i < capacity; i++) for (let n = 0; n <= i; n++) learn(`m${i}`);
  learn('new');
  assert.equal(read('m0').count, 0);
  assert.equal(read('m1').count, 2);
  assert.equal(read('new').count, 1);
  assert.equal(read('new').distinct, capacity);
});

test('the memory is of about a thousand events: an old habit fades as a new one grows', () => {
  const { learn, read } = memory();
  for (let i = 0; i < 1000; i++) learn('GET');
  for (let i = 0; i < 4000; i++) {
    learn('POST');
    assert.ok(read('GET').total <= 1024);
  }
  assert.ok(read('GET').count < 100);
  assert.ok(read('POST').count > 400);
});

test('a dimension leaves its neighbours and other rows alone', () => {
  const { slab, learn } = memory();
  const before = slab.u32.slice();
  learn('GET');
  assert.equal(slab.u32.filter((word, i) => word !== before[i]).length, 1);
});
