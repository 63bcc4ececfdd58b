import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { gait } from './gait-command.ts';

const cwd = mkdtempSync(join(tmpdir(), 'gait-simulate-'));
after(() => rmSync(cwd, { recursive: true }));
writeFileSync(
  join(cwd, 'r.yaml'),
  'version: 1\nstart: 2026-04-20T00:00:00Z\ndays: 9\nidentities: 900\nattackedShareMax: 0.5\n',
);
const read = (path: string): Buffer => readFileSync(join(cwd, path));

test('the same recipe and seed give the same files, byte for byte', async () => {
  for (const out of ['a', 'b']) {
    const ended = await gait(
      ['simulate', '--recipe', 'r.yaml', '--seed', '7', '--identities', '80', '--days', '2', '--out', out],
      { cwd },
    );
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^\d+ events of 8\d identities, \d+ attacks and \d+ look-alikes in /);
  }
  for (const file of ['events.ndjson.gz', 'labels.ndjson', 'recipe.json'])
    assert.ok(read(`a/${file}`).equals(read(`b/${file}`)), file);
  const events = gunzipSync(read('a/events.ndjson.gz')).toString().trimEnd().split('\n');
  const { counts, seed, recipe } = JSON.parse(read('a/recipe.json').toString());
  assert.deepEqual([counts.events, seed, recipe.days], [events.length, 7, 2]);
  const label = JSON.parse(read('a/labels.ndjson').toString().split('\n')[0]!);
  assert.deepEqual(Object.keys(label), [
    'incident',
    'recipe',
    'family',
    'kind',
    'pace',
    'identities',
    'first_ts',
    'last_ts',
    'ids',
    'expected',
  ]);
});

test('a wrong recipe ends with code 2 and its place, a missing one with code 1', async () => {
  writeFileSync(join(cwd, 'wrong.yaml'), 'version: 1\nstart: yesterday\ndays: 1\nidentities: 50\n');
  const wrong = await gait(['simulate', '--recipe', 'wrong.yaml', '--out', 'c'], { cwd });
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^wrong\.yaml:2:1: start: /);
  const missing = await gait(['simulate', '--recipe', 'none.yaml', '--out', 'c'], { cwd });
  assert.equal(missing.code, 1);
});
