import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findingLine } from '../../src/alert/terminal.ts';
import { visible } from '../../src/core/visible.ts';
import { aFinding } from '../policy/a-finding.ts';
import { attackerTexts } from './attacker-texts.ts';

/** Everything that moves a cursor, hides, reorders or breaks a line. */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|\p{M}{4}/u;

test('a finding is one readable line', () => {
  assert.equal(
    findingLine(aFinding()),
    '2026-01-01 00:00:00Z  HIGH      new_context       called from a country never seen before',
  );
});

test('no text of an attacker moves the cursor, hides, reorders or breaks the line', () => {
  for (const text of attackerTexts) {
    const line = findingLine(aFinding({ title: text, identity: `user:acme:${text}` }));
    assert.doesNotMatch(line, unsafe, JSON.stringify(text.slice(0, 40)));
  }
});

test('any text becomes visible, bounded, and is the same where it was harmless', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 100 }), (text, max) => {
      const shown = visible(text, max);
      assert.doesNotMatch(shown, unsafe);
      assert.ok(Array.from(shown).length <= max * 10);
      if (!unsafe.test(text) && Array.from(text).length <= max) assert.equal(shown, text);
    }),
    { verbose: 1 },
  );
});

test('what cannot be seen is spelled out', () => {
  assert.equal(visible('a\u001b[0m\u202eb', 99), 'a\\u{1b}[0m\\u{202e}b');
});
