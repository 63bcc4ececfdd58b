import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noun } from '../../src/core/noun.ts';

test('one of a thing is told in the singular, none and more in the plural', () => {
  const told = [0, 1, 2].map((count) => `${count} ${noun(count, 'finding')}, ${noun(count, 'identity', 'identities')}`);
  assert.deepEqual(told, ['0 findings, identities', '1 finding, identity', '2 findings, identities']);
});
