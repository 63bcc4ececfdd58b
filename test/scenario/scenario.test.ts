import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Model } from '../../src/score/model.ts';
import { company } from './company.ts';
import { scenarios, textOf } from './generate.ts';
import { complaints, eventsOf, folder, play, type Scenario, shippedModel, unfounded } from './play.ts';

const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

let model: Model | null = null;
before(async () => {
  model = await shippedModel();
});

for (const name of names) {
  const scenario = JSON.parse(readFileSync(join(folder, name, 'expected.json'), 'utf8')) as Scenario;
  const claim = scenario.findings.length === 0 ? 'raises nothing of severity high' : 'is found in time';
  test(`${name} ${scenario.knownMiss === undefined ? claim : 'is still missed'}`, () => {
    const stages = play(eventsOf(name), scenario, model);
    assert.deepEqual(unfounded(stages), [], 'the first reason of a finding says what the finding claims');
    const complained = complaints(stages, scenario);
    if (scenario.knownMiss !== undefined) assert.notDeepEqual(complained, [], 'no longer a miss: remove knownMiss');
    else assert.deepEqual(complained, []);
  });

  test(`${name} declares the reasons that an analyst would expect`, () => {
    for (const { expected } of scenario.findings) assert.ok(expected.length > 0);
    assert.equal(scenario.findings.length === 0, name.startsWith('innocent-'));
    assert.ok(scenario.knownMiss === undefined || scenario.knownMiss.length > 30, 'a miss needs its reason');
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
