import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Column, facts, table, visibleJson } from '../../src/command/table.ts';
import { hostileTexts } from '../hostile/corpus.ts';

type Row = { readonly id: string; readonly text: string };
const columns: readonly Column<Row>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'TEXT', value: ({ text }) => text, isFlexible: true },
];

test('a table is headed, aligned, and cut where the terminal ends', () => {
  const rows = [
    { id: 'a', text: 'short' },
    { id: 'bbb', text: 'longer than the terminal is wide' },
  ];
  assert.equal(table(columns, rows, 24), 'ID   TEXT\na    short\nbbb  longer than the te…\n');
});

test('wide letters take two columns and marks none', () => {
  const rows = [
    { id: '漢字', text: 'x' },
    { id: 'ééé', text: 'y' },
    { id: '😀', text: '漢字漢字漢字漢字' },
  ];
  assert.equal(table(columns, rows, 16), 'ID    TEXT\n漢字  x\nééé   y\n😀    漢字漢字…\n');
});

test('for a program a row is a line, its values parted by tabs, uncut and without a head', () => {
  assert.equal(
    table(columns, [{ id: 'a\tb\nc', text: 'x'.repeat(500) }], undefined),
    `a\\u{9}b\\u{a}c\t${'x'.repeat(500)}\n`,
  );
  assert.equal(table(columns, [], undefined), '');
});

test('nothing that an attacker wrote reaches a terminal as more than letters', () => {
  for (const { text } of hostileTexts) {
    const rows = [{ id: text, text }];
    for (const printed of [table(columns, rows, 80), table(columns, rows, undefined), facts([['name', text]], 80)]) {
      assert.doesNotMatch(printed.replace(/[\n\t]/g, ''), /[\p{C}\p{Zl}\p{Zp}]/u, JSON.stringify(text));
    }
    assert.equal(table(columns, rows, undefined).split('\n').length, 2, 'one line');
    assert.equal(table(columns, rows, undefined).split('\t').length, 2, 'two values');
  }
});

test('printed JSON holds what was answered, and no character that a terminal obeys', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
      const printed = visibleJson(value);
      assert.doesNotMatch(printed.replaceAll('\n', ''), /[\p{C}\p{Zl}\p{Zp}]/u);
      assert.deepEqual(JSON.parse(printed), JSON.parse(JSON.stringify(value)));
    }),
  );
  for (const { text } of hostileTexts) assert.deepEqual(JSON.parse(visibleJson({ [text]: text })), { [text]: text });
});
