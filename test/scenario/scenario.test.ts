import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Model } from '../../src/score/model.ts';
import { company } from './company.ts';
import { scenarios, textOf } from './generate.ts';
import { complaints, eventsOf, folder, play, type Scenario, shippedModel } from './play.ts';

const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

let model: Model | null = null;
before(async () => {
  model = await shippedModel();
});

for (const name of names) {
  const scenario = JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8')) as Scenario;
  const claim = scenario.findings.length === 0 ? 'is not held against anybody' : 'is found in time';
  test(`${name} ${scenario.knownMiss ? 'is still missed' : claim}`, () => {
    const complained = complaints(play(eventsOf(name), scenario, model), scenario);
    if (scenario.knownMiss) assert.notDeepEqual(complained, [], 'no longer a miss: remove the flag knownMiss');
    else assert.deepEqual(complained, []);
  });

  test(`${name} says why it is there`, () => {
    assert.ok(readFileSync(join(folder, name, 'why.md'), 'utf8').length > 100);
  });
}

test('the files are what the generator makes', () => {
  assert.deepEqual([...names].sort(), Object.keys(scenarios).sort());
  assert.equal(gunzipSync(readFileSync(join(folder, 'company.ndjson.gz'))).toString('utf8'), textOf(company()));
  for (const [name, make] of Object.entries(scenarios)) {
    assert.equal(readFileSync(join(folder, name, 'events.ndjson'), 'utf8'), textOf(make()), name);
  }
});
