import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePolicyFile, parsePolicyTests } from '../../src/config/policy-file.ts';
import { GaitError } from '../../src/core/errors.ts';

function errorsOf(text: string): readonly string[] {
  try {
    parsePolicyFile(text, 'policy.yaml');
  } catch (error) {
    assert.ok(error instanceof GaitError && error.code === 'CONFIG_INVALID');
    return error.message.split('\n');
  }
  return [];
}

test('every error of a policy file is named with its line and column', () => {
  const errors = errorsOf(`version: 1
mode: enforced
risk:
  halfLife: 6 hours
  medium: { enter: 20, leave: 30 }
rules:
  - name: a
    action: throtle
    ttl: 0s
    why: x
    colour: red
  - { name: a b, action: throttle, why: x }
allowlist:
  - { network: 10.0.0.0/33, until: tomorrow, owner: me, reason: x }
`);
  assert.deepEqual(
    errors.map((error) => error.split(' ').slice(0, 2).join(' ')),
    [
      'policy.yaml:2:1: mode:',
      'policy.yaml:4:3: risk.halfLife:',
      'policy.yaml:5:3: risk.medium:',
      'policy.yaml:8:5: rules.0.action:',
      'policy.yaml:9:5: rules.0.ttl:',
      'policy.yaml:11:5: unknown',
      'policy.yaml:12:7: rules.1.name:',
      'policy.yaml:12:5: rules.1.ttl:',
      'policy.yaml:14:7: allowlist.0.network:',
      'policy.yaml:14:29: allowlist.0.until:',
    ],
  );
});

test('what was probably meant is named: keys, words, tags, and in tests of policies', () => {
  assert.deepEqual(
    errorsOf(`version: 1
rules:
  - { name: a, when: { severtyMin: high, tags: [paymets] }, action: throtle, ttl: 1m, why: x }
tags: { payments: { routes: ["/pay*"] } }
`).map((error) => error.replace(/expected one of.*; did/, '… did')),
    [
      'policy.yaml:3:24: unknown key rules.0.when.severtyMin; did you mean severityMin?',
      'policy.yaml:3:61: rules.0.action: invalid option: … did you mean throttle?',
    ],
  );
  assert.deepEqual(
    errorsOf(`version: 1
rules: [{ name: a, when: { tags: [paymets] }, action: throttle, ttl: 1m, why: x }]
tags: { payments: { routes: ["/pay*"] } }
`),
    ['policy.yaml:2:35: rules.0.when.tags.0: no tag of this name is declared; did you mean payments?'],
  );
  const steps = `cases: [{ name: a, steps: [{ told: step-up-ignord, expect: [] }, { severty: high, expect: [] }] }]`;
  assert.throws(() => parsePolicyTests(steps, 't.yaml'), {
    message:
      /^t\.yaml:1:30: cases\.0\.steps\.0\.told: .*; did you mean step-up-ignored\?\nt\.yaml:1:68: unknown key cases\.0\.steps\.1\.severty; did you mean severity\?$/,
  });
});

test('two rules of one name, an allowance of everybody and broken YAML are refused', () => {
  const rule = '{ name: a, action: observe, ttl: 1m, why: x }';
  assert.match(
    errorsOf(`version: 1\nrules: [${rule}, ${rule}]`).join('\n'),
    /^policy.yaml:2:58: rules.1.name: rules.0 has this name/m,
  );
  const entry = '{ until: "2027-01-01T00:00:00Z", owner: me, reason: x }';
  assert.match(
    errorsOf(`version: 1\nrules: []\nallowlist: [${entry}]`)[0] ?? '',
    /^policy.yaml:3:13: .*give identity, network or route/,
  );
  assert.match(errorsOf('version: 1\nrules: [')[0] ?? '', /^policy.yaml:2:\d+: /);
  assert.match(errorsOf('version: 1\nversion: 1\nrules: []')[0] ?? '', /^policy.yaml:2:1: /);
});

test('what cannot be meant has its place too: a time to live without an end, a key that is a number', () => {
  assert.match(
    errorsOf(`version: 1\nrules:\n - {name: a, action: observe, ttl: 999999999d, why: x}`)[0] ?? '',
    /^policy.yaml:3:31: rules.0.ttl: .*at most 366d/,
  );
  assert.match(errorsOf('version: 1\nrules: []\n7: x')[0] ?? '', /^policy.yaml:3:1: unknown key 7/);
});

test('a rule that can never hold, because one before it always does, is refused', () => {
  const [always, own] = [
    '{ name: a, action: observe, ttl: 1m, why: x }',
    '{ name: b, action: observe, ttl: 1m, why: x, when: { severityMin: high } }',
  ];
  assert.deepEqual(errorsOf(`version: 1\nrules:\n - ${own}\n - ${always}`), []);
  assert.match(
    errorsOf(`version: 1\nrules:\n - ${always}\n - ${own}`)[0] ?? '',
    /^policy.yaml:4:4: rules.1: is never asked, for rules.0 before it holds for every finding/,
  );
});

test('aliases that unfold into a great tree are refused', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (const [i, name] of [...'bcdefg'].entries()) {
    const inside = Array.from({ length: 9 }, () => `*${'abcdefg'[i]}`).join(', ');
    bomb.push(`${name}: &${name} [${inside}]`);
  }
  assert.match(errorsOf(bomb.join('\n'))[0] ?? '', /too many aliases/);
  assert.match(errorsOf('version: 1\nrules: &r [*r]')[0] ?? '', /^policy.yaml:1:1: .*one that holds itself/);
});

test('a key that must be there and is not is said to be missing', () => {
  assert.equal(
    errorsOf('version: 1\nrules: [{ name: a, action: observe, ttl: 1h }]')[0],
    'policy.yaml:2:9: rules.0.why: is missing',
  );
});

test('what is left out takes its default, durations become milliseconds', () => {
  const config = parsePolicyFile('version: 1\nrules: [{ name: a, action: observe, ttl: 90s, why: x }]', 'policy.yaml');
  assert.equal(config.mode, 'shadow');
  assert.equal(config.rules[0]?.ttl, 90_000);
  assert.equal(config.risk.halfLife, 21_600_000);
  assert.deepEqual(config.risk.high, { enter: 70, leave: 50 });
  assert.deepEqual(config.guardrails, { revocationsMax: 10, activeShareMax: 0.01 });
});
