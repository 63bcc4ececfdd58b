import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createDecoder } from '../../src/event/decode/decoder.ts';
import { createRedactor } from '../../src/event/redact.ts';
import { createRouteTemplater } from '../../src/event/route-template.ts';
import { createIngest } from '../../src/identity/ingest.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Outputs, runAll, shardWith } from './traffic.ts';

/** 56 minutes of an AWS account under attack: the attacker starts machines and makes users, before and after something is claimed of him. */
function recording(): readonly ResolvedEvent[] {
  const path = join(import.meta.dirname, '../../../pipelines/sample/cloudtrail-attack.jsonl.gz');
  const redactor = createRedactor({ hmacKey: 'a key for tests only' });
  const ingest = createIngest({
    sourceFor: () => ({ decoder: createDecoder({ format: 'cloudtrail', redactor }) }),
    redactor,
    templater: createRouteTemplater(),
  });
  const lines = gunzipSync(readFileSync(path)).toString('utf8').trim().split('\n');
  return lines.flatMap((line, offset) => {
    const position = { topic: 'cloudtrail', partition: 0, offset, index: 0 };
    return ingest.ingest(line, position, Date.UTC(2026, 0, 1)).events;
  });
}

const shipped = () => shardWith({ findingsPer1000PerDay: 1, reorderWindowMs: 2000 });

test('machines and users that an attacker made are told of with him, and a shard that dies on the way tells the same', () => {
  const events = recording();
  const undisturbed = runAll(events, shipped());
  const told = [...undisturbed.findings.values()].filter(({ kind }) => kind === 'suspect_origin');
  const names = told.map(({ identity }) => identity.slice(identity.lastIndexOf('/') + 1)).sort();
  assert.deepEqual(names, ['i-05c30218156bcc246', 'i-0dbc91f429e48eeed', 'stratus-red-team-nmfalu-gfjyeaypjt']);
  assert.ok(told.every(({ severity, state }) => severity === 'medium' && state === 'open'));
  // What the store has of their risk: no call of theirs raised it.
  assert.ok(told.some(({ risk, told_at, last_seen }) => risk > 0 && told_at! > last_seen));
  assert.ok(told.every(({ risk }) => risk > 0));
  const outputs = new Outputs();
  let shard = shipped();
  const stored: Buffer[] = [];
  for (const [i, event] of events.entries()) {
    shard.accept(event);
    if (i % 83 !== 0) continue;
    outputs.drain(shard);
    stored.push(...[...shard.checkpoint(i === 0)].flat());
    shard = shipped();
    shard.restore(stored.map((record) => Buffer.from(record)));
    shard.restored();
  }
  shard.flush();
  outputs.drain(shard);
  assert.deepEqual(outputs.findings, undisturbed.findings);
  assert.deepEqual(outputs.decisions, undisturbed.decisions);
});
