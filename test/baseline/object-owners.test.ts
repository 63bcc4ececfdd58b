import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { foreign, free, ObjectOwners, shared } from '../../src/baseline/object-owners.ts';

const touches = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom(11, 13, 15)), { maxLength: 40 });
const owned = (owners: ObjectOwners): readonly number[] => Array.from({ length: 9 }, (_, i) => owners.owner(i + 1));

test("an object is the one identity's that touches it, and shared from the second on", () => {
  const owners = new ObjectOwners();
  owners.touch(7, 11, free);
  assert.equal(owners.owner(7), 0, 'not before the frame is over');
  owners.advance();
  assert.equal(owners.owner(7), 11);
  owners.touch(7, 11, free);
  owners.advance();
  assert.equal(owners.owner(7), 11);
  owners.touch(7, 13, foreign);
  owners.advance();
  assert.deepEqual([owners.owner(7), owners.owner(8)], [shared, 0]);
});

test('the order in which a frame touches objects changes nothing', () => {
  fc.assert(
    fc.property(touches, touches, (first, second) => {
      const [a, b] = [new ObjectOwners(), new ObjectOwners()];
      for (const frame of [first, second]) {
        for (const [object, identity] of frame) a.touch(object, identity, free);
        for (const [object, identity] of frame.toReversed()) b.touch(object, identity, free);
        a.advance();
        b.advance();
      }
      assert.deepEqual(owned(a), owned(b));
      assert.deepEqual(a.touches, b.touches);
    }),
  );
});

test('a flood of objects is remembered up to the limit and no further, and pushes out what is older', () => {
  const owners = new ObjectOwners();
  owners.touch(1, 11, free);
  owners.advance();
  const flood = (from: number): void => {
    for (let object = from; object < from + 200_000; object++) owners.touch(object, 13, free);
  };
  flood(1000);
  const waiting = owners.bytes;
  flood(300_000);
  assert.equal(owners.bytes, waiting, 'what more the frame touches is not kept');
  owners.advance();
  assert.deepEqual([owners.owner(1), owners.owner(1000), owners.owner(150_000)], [11, 13, 0]);
  flood(1_000_000);
  owners.advance();
  flood(2_000_000);
  owners.advance();
  assert.equal(owners.owner(1), 0);
  assert.ok(owners.bytes < 2 * 2 ** 18 * 8 + 1000);
});
