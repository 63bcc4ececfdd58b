import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { activeAt, activeBytes } from '../../src/baseline/active-layout.ts';
import { patternBits } from '../../src/baseline/change-patterns.ts';
import { historyBuckets, numericCount } from '../../src/baseline/population.ts';
import { at, rowBytes } from '../../src/baseline/row-layout.ts';
import { Shared } from '../../src/baseline/shared.ts';
import { encodeState } from '../../src/baseline/snapshot.ts';
import { placeKinds } from '../../src/baseline/source-table.ts';
import { hash64 } from '../../src/core/hash.ts';
import { emptyObservation, observe } from '../../src/feature/observation.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { bins } from '../../src/baseline/tail-calibrator.ts';
import { call } from '../feature/moment.ts';
import { shardWith } from '../property/traffic.ts';
import { eventsOf } from '../scenario/play.ts';

export const folder = join(import.meta.dirname, '../../../test/compat');
const none = (): never[] => [];
const opening = { full: { rows: 0, active: 0 }, rows: none, active: none, cold: none };
const rest = { ids: () => Buffer.alloc(0), changes: () => ({}), common: () => ({}) };
export const currentVersion = [...encodeState({ ...opening, ...rest })][0]![0]![1]!;

export type About = {
  /** Of the layout in which it was written. */
  readonly layout: string;
  readonly identities: number;
  readonly accepted: number;
  /** An identity with an open finding, and the finding. */
  readonly open: { readonly identity: string; readonly finding: string };
};

/**
 * What the bytes mean beyond their form: where a number stands in a row, how a value becomes a hash, how many bins there are. A change
 * of any of it reads old state wrongly without noticing.
 */
export function layout(): string {
  const observation = emptyObservation();
  observe(
    call({
      operation: 's3:Get',
      client_ip: '10.0.0.1',
      user_agent: 'a/1.2',
      country: 'FR',
      tz: '+0100',
      client_id: 'c',
    }),
    observation,
  );
  const rest = emptyObservation();
  observe(call({ path: '/a/b.pdf', host: 'h', client_ip: '2001:db8::1', asn: null }), rest);
  const parts = [
    at,
    rowBytes,
    activeAt,
    activeBytes,
    Object.keys(new Shared().snapshot()),
    patternBits,
    placeKinds,
    historyBuckets,
    numericCount,
    hash64('user:-:a'),
    [...observation.values],
    [...rest.values],
  ];
  return createHash('sha256')
    .update(JSON.stringify([...parts, bins]))
    .digest('hex');
}

/** The company's ten days with a stolen token, whose finding is open, and a few events that wait for their order. */
export function recordedEvents(): readonly ResolvedEvent[] {
  return eventsOf('stolen-token');
}

export function readState(version: number): { readonly records: Buffer[]; readonly about: About } {
  const bytes = gunzipSync(readFileSync(join(folder, `state-v${version}.bin.gz`)));
  const records: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; offset += 4 + records.at(-1)!.length) {
    records.push(bytes.subarray(offset + 4, offset + 4 + bytes.readUInt32LE(offset)));
  }
  return { records, about: JSON.parse(readFileSync(join(folder, `state-v${version}.json`), 'utf8')) as About };
}

/** Writes the state of the current version: once, when a version is new. */
function writeState(): void {
  const shard = shardWith({ findingsPer1000PerDay: 1 });
  for (const event of recordedEvents()) shard.accept(event);
  const findings = shard
    .drain()
    .findings.filter(({ identity, state }) => identity.endsWith('clerk-05') && state === 'open');
  const records = [...shard.checkpoint(true)].flat().flatMap((record) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(record.length);
    return [length, record];
  });
  writeFileSync(join(folder, `state-v${currentVersion}.bin.gz`), gzipSync(Buffer.concat(records), { level: 9 }));
  const about: About = {
    layout: layout(),
    identities: shard.identities,
    accepted: shard.counters.accepted,
    open: { identity: findings[0]!.identity, finding: findings[0]!.finding_id },
  };
  writeFileSync(join(folder, `state-v${currentVersion}.json`), `${JSON.stringify(about, null, 2)}\n`);
}

if (process.argv[1] === import.meta.filename) writeState();
