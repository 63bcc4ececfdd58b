import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globMatches } from '../../src/core/glob.ts';

test('a star stands for any run of characters and nothing else is special', () => {
  for (const [glob, text, matches] of [
    ['*', '', true],
    ['a*', 'a', true],
    ['a*c', 'abc', true],
    ['a*c', 'ac', true],
    ['a*a', 'a', false],
    ['*b*b*', 'abcb', true],
    ['*b*b', 'ab', false],
    ['a.c', 'abc', false],
    ['(a+)+$', 'aaaa', false],
    ['user:acme:*', 'user:acme:alice', true],
  ] as const) {
    assert.equal(globMatches(glob, text), matches, `${glob} ${text}`);
  }
});
