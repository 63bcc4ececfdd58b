import { once } from 'node:events';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { GaitError } from '../core/errors.ts';
import { makeFolder } from '../core/folder.ts';
import { noun } from '../core/noun.ts';
import type { Incident as Label } from '../evaluate/traffic.ts';
import { simulatedHmacKey } from '../simulate/personas.ts';
import { parseSimulationRecipe, type Recipe } from '../simulate/recipe.ts';
import { createSimulation } from '../simulate/simulate.ts';
import type { Incident, WireEvent } from '../simulate/world.ts';

export type SimulateCommandOptions = {
  readonly recipe: string;
  readonly seed: number;
  readonly out: string;
  /** Overrides of the recipe. */
  readonly identities?: number;
  readonly days?: number;
};

/** Written at a time; the disk is waited for in between. */
const chunkChars = 1 << 18;

/** `gait simulate`: labelled traffic as files. The same recipe and seed give the same files, byte for byte. */
export async function simulate(options: SimulateCommandOptions): Promise<void> {
  const recipe = override(parseSimulationRecipe(readText(options.recipe), options.recipe), options);
  makeOutFolder(options.out);
  const simulation = createSimulation(recipe, options.seed);
  const events = await writeEvents(join(options.out, 'events.ndjson.gz'), simulation.events());
  const incidents = simulation.incidents();
  writeFileSync(
    join(options.out, 'labels.ndjson'),
    incidents.map((incident) => `${JSON.stringify(labelOf(incident))}\n`).join(''),
  );
  const counts = {
    events,
    identities: simulation.world.personas.length,
    attacks: countOf(incidents, 'attack'),
    lookAlikes: countOf(incidents, 'look-alike'),
  };
  const record = { seed: options.seed, hmac_key: simulatedHmacKey, counts, recipe };
  writeFileSync(join(options.out, 'recipe.json'), `${JSON.stringify(record, null, 2)}\n`);
  process.stdout.write(
    `${events} ${noun(events, 'event')} of ${counts.identities} ${noun(counts.identities, 'identity', 'identities')}, ${counts.attacks} ${noun(counts.attacks, 'attack')} and ${counts.lookAlikes} ${noun(counts.lookAlikes, 'look-alike')} in ${options.out}\n`,
  );
}

function override(recipe: Recipe, { identities, days }: SimulateCommandOptions): Recipe {
  return { ...recipe, ...(identities === undefined ? {} : { identities }), ...(days === undefined ? {} : { days }) };
}

async function writeEvents(path: string, events: Iterable<WireEvent>): Promise<number> {
  const gzip = createGzip({ level: 4 });
  const file = gzip.pipe(createWriteStream(path));
  let count = 0;
  let chunk = '';
  const ended = finished(file).catch((cause: unknown) => {
    throw new GaitError('INPUT_UNREADABLE', `${path} cannot be written`, { cause });
  });
  const flush = async (): Promise<void> => {
    if (!gzip.write(chunk)) await Promise.race([once(gzip, 'drain'), ended]);
    chunk = '';
  };
  for (const event of events) {
    count++;
    chunk += `${JSON.stringify(event)}\n`;
    if (chunk.length >= chunkChars) await flush();
  }
  await flush();
  gzip.end();
  await ended;
  return count;
}

/** A line of `labels.ndjson`. */
export function labelOf(incident: Incident): Label {
  const { id, recipe, family, kind, pace, identities, firstMs, lastMs, ids, expected } = incident;
  return {
    incident: id,
    recipe,
    family,
    kind,
    pace,
    identities: [...identities].sort(),
    first_ts: firstMs,
    last_ts: lastMs,
    ids,
    expected,
  };
}

function countOf(incidents: readonly Incident[], kind: Incident['kind']): number {
  return incidents.filter((incident) => incident.kind === kind).length;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new GaitError('INPUT_UNREADABLE', `${path} cannot be read`, { cause });
  }
}

function makeOutFolder(path: string): void {
  try {
    makeFolder(path);
  } catch (cause) {
    throw new GaitError('INPUT_UNREADABLE', `${path} cannot be made a folder`, { cause });
  }
}
