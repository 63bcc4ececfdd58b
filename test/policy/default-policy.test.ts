import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parsePolicyFile, parsePolicyTests } from '../../src/config/policy-file.ts';
import { runPolicyTests } from '../../src/policy/policy-test.ts';

const folder = join(import.meta.dirname, '../../../pipelines/detect');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');

test('the shipped policy decides what its own tests declare', () => {
  const config = parsePolicyFile(read('default.yaml'), 'default.yaml');
  const tests = parsePolicyTests(read('default.test.yaml'), 'default.test.yaml');
  assert.deepEqual(runPolicyTests(config, tests), []);
});

test('the shipped policy enforces nothing until somebody says so', () => {
  const config = parsePolicyFile(read('default.yaml'), 'default.yaml');
  assert.equal(config.mode, 'shadow');
  assert.ok(config.rules.every((rule) => rule.mode === 'inherit'));
});

test('a policy test that expects something else is told what was decided', () => {
  const config = parsePolicyFile(read('default.yaml'), 'default.yaml');
  const tests = parsePolicyTests('cases: [{ name: wrong, steps: [{ expect: [], level: LOW }] }]', 't.yaml');
  assert.deepEqual(runPolicyTests(config, tests), [
    'wrong: step 1: decided [throttle medium-risk shadow], expected []',
    'wrong: step 1: risk 60 is MEDIUM, expected LOW',
  ]);
});
