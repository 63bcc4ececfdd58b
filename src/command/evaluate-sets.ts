import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describeError, GaitError } from '../core/errors.ts';
import { newcomerIncidents, newcomerRecords, techniques } from '../evaluate/cloudtrail.ts';
import type { Items } from '../evaluate/measure.ts';
import { parseSessions, sessionEvents, sessionIncidents, sessionItems } from '../evaluate/rest-sessions.ts';
import { type Takeover, takeoverIncidents, windowItems } from '../evaluate/source-activity.ts';
import { type Incident, parseLines } from '../evaluate/traffic.ts';
import { parseSimulationRecipe } from '../simulate/recipe.ts';
import { createSimulation } from '../simulate/simulate.ts';
import type { LabelledStream } from './evaluate-engine.ts';
import { labelOf } from './simulate.ts';

/** With what the set's own scorer ranks, where it has one. */
export type EvaluationSet = LabelledStream & { readonly items?: Items };

const bundled = (path: string): string => fileURLToPath(new URL(`../../../pipelines/${path}`, import.meta.url));

/** Sets by name; nothing is read before it is asked for. */
export const recordedSets: Readonly<Record<string, () => EvaluationSet>> = {
  'source-activity': () => {
    const records = () => linesOf(bundled('evaluate/sets/source-activity/events.ndjson.gz'));
    const labels = parseLines<Takeover>(readText(bundled('evaluate/sets/source-activity/labels.ndjson')));
    const incidents = () => takeoverIncidents(labels);
    return {
      name: 'source-activity',
      format: 'canonical',
      incidents,
      records,
      items: (traffic, scores) => windowItems(traffic, scores),
    };
  },
  'rest-sessions': () => {
    const sessions = parseSessions(readText(bundled('evaluate/sets/rest-sessions/sessions.csv')));
    return {
      name: 'rest-sessions',
      format: 'canonical',
      incidents: () => sessionIncidents(sessions),
      records: () => sessionEvents(sessions).map((event) => JSON.stringify(event)),
      items: (traffic, scores) => sessionItems(sessions, traffic, scores),
    };
  },
  cloudtrail: () => {
    const incidents = () => techniques(readText(bundled('sample/cloudtrail-attack-labels.csv.gz')));
    const records = () => linesOf(bundled('sample/cloudtrail-attack.jsonl.gz'));
    return { name: 'cloudtrail', format: 'cloudtrail', incidents, records };
  },
  newcomers: () => {
    const recording = parseLines<Record<string, unknown>>(readText(bundled('sample/cloudtrail-attack.jsonl.gz')));
    const added = newcomerRecords(recording);
    const all = [...recording, ...added].sort((a, b) => timeOf(a) - timeOf(b));
    const records = () => all.map((record) => JSON.stringify(record));
    return { name: 'newcomers', format: 'cloudtrail', incidents: () => newcomerIncidents(added), records };
  },
};

function timeOf(record: Record<string, unknown>): number {
  return Date.parse(record.eventTime as string);
}

/** Traffic that is made while it is read. */
export function simulatedSet(recipe: 'default' | 'small' | 'company', seed: number): EvaluationSet {
  const path = bundled(`simulate/${recipe}.yaml`);
  let simulation = createSimulation(parseSimulationRecipe(readText(path), path), seed);
  return {
    name: `simulated ${recipe}, seed ${seed}`,
    format: 'canonical',
    *records() {
      simulation = createSimulation(parseSimulationRecipe(readText(path), path), seed);
      for (const event of simulation.events()) yield JSON.stringify(event);
    },
    incidents: () => simulation.incidents().map(labelOf),
  };
}

/** What `gait simulate` wrote: `events.ndjson.gz`, `labels.ndjson`. */
export function simulatedFolder(folder: string): EvaluationSet {
  const labels = parseLines<Incident>(readText(join(folder, 'labels.ndjson')));
  const incidents = () => labels;
  const file = ['events.ndjson.gz', 'events.ndjson'].map((name) => join(folder, name)).find((path) => existsSync(path));
  if (file === undefined) throw new GaitError('INPUT_UNREADABLE', `${folder} holds no events.ndjson.gz`);
  const records = () => linesOf(file);
  return { name: folder.replace(/\/+$/, '').split('/').at(-1)!, format: 'canonical', incidents, records };
}

/** One line after the other: all of them as one text may be longer than a text can be, and Node looks for nothing beyond 2 GiB of a buffer. */
function* linesOf(path: string): Generator<string> {
  for (let rest = readBytes(path); rest.length > 0; ) {
    const end = rest.indexOf(10);
    const to = end < 0 ? rest.length : end;
    if (to > 0) yield rest.toString('utf8', 0, to);
    rest = rest.subarray(to + 1);
  }
}

function readText(path: string): string {
  return readBytes(path).toString('utf8');
}

function readBytes(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  } catch (cause) {
    throw new GaitError('INPUT_UNREADABLE', `${path}: ${describeError(cause)}`, { cause });
  }
}
