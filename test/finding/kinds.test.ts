import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findingKinds } from '../../src/finding/finding.ts';
import { kinds } from '../../src/finding/kinds.ts';

test('every kind of finding points to techniques and risks that exist in form', () => {
  assert.deepEqual(Object.keys(kinds).sort(), [...findingKinds].sort());
  for (const { owasp, attack } of Object.values(kinds)) {
    for (const risk of owasp) assert.match(risk, /^API([1-9]|10):2023$/);
    for (const technique of attack) assert.match(technique, /^T\d{4}(\.\d{3})?$/);
    assert.ok(attack.length > 0);
  }
});
