import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { canonicalFields, canonicalJsonSchema } from '../../src/event/canonical-fields.ts';
import { emptyEvent } from '../../src/event/traffic-event.ts';

const docs = join(import.meta.dirname, '../../../docs');

test('the field table has exactly the fields of an event, in its order', () => {
  assert.deepEqual(Object.keys(canonicalFields), Object.keys(emptyEvent()));
});

test('the published JSON Schema is the one of the field table (GAIT_UPDATE_DOCS=1 writes it)', () => {
  const path = join(docs, 'canonical-event.schema.json');
  const schema = canonicalJsonSchema();
  if (process.env.GAIT_UPDATE_DOCS === '1') writeFileSync(path, `${JSON.stringify(schema, null, 2)}\n`);
  assert.deepEqual(JSON.parse(readFileSync(path, 'utf8')), schema);
});

test('the documented field table names every field with its meaning', () => {
  const page = readFileSync(join(docs, 'sources.md'), 'utf8').replace(/ +/g, ' ');
  const missing = Object.entries(canonicalFields).filter(
    ([name, { about }]) => !page.includes(`| \`${name}\` | ${about.replaceAll('|', '\\|')} |`),
  );
  assert.deepEqual(
    missing.map(([name, { about }]) => `| \`${name}\` | ${about} |`),
    [],
  );
});
