import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeyMap } from '../../src/baseline/key-map.ts';

test('holds what a Map would hold, in the same order, after whatever came, was left out or was cleared', () => {
  const key = fc.integer({ min: 1, max: 0xffffffff });
  const step = fc.oneof(
    fc.record({ add: key, value: fc.nat() }),
    fc.record({ keepFrom: fc.nat() }),
    fc.constant('clear' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const map = new KeyMap<number>();
      let model = new Map<number, number>();
      for (const each of steps) {
        if (each === 'clear') {
          map.clear();
          model.clear();
        } else if ('keepFrom' in each) {
          map.keep((value) => value >= each.keepFrom);
          model = new Map([...model].filter(([, value]) => value >= each.keepFrom));
        } else if (!model.has(each.add)) {
          map.add(each.add, each.value);
          model.set(each.add, each.value);
        }
        assert.deepEqual(map.entries(), [...model]);
        assert.equal(map.size, model.size);
        for (const known of model.keys()) assert.equal(map.get(known), model.get(known));
        assert.equal(map.get(0x12345), model.get(0x12345));
      }
    }),
  );
});
