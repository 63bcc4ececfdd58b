import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Claim, Contender, compare } from '../../pipelines/train/challenge.ts';
import { DeviationCollector } from '../../pipelines/train/deviations.ts';
import { exportModel } from '../../pipelines/train/export.ts';
import { fit } from '../../pipelines/train/fit.ts';
import type { Recipe } from '../../pipelines/train/recipe.ts';
import type { Config } from '../config/config.ts';
import { storeOptions } from '../config/connections.ts';
import { GaitError } from '../core/errors.ts';
import { printTable } from '../evaluate/table.ts';
import type { ShardOptions } from '../pipeline.ts';
import { createPolicy } from '../policy/decide.ts';
import { assembleFusion, assembleModel, readPolicy } from '../role/assemble.ts';
import { loadModel, type Model } from '../score/model.ts';
import { openStore, type Store } from '../store/clickhouse.ts';
import { createStoreQueries } from '../store/queries.ts';
import { storedDays, storedEvents } from '../store/stored-events.ts';

export type FromStoreOptions = {
  readonly config: Config;
  readonly recipe: Recipe;
  /** The newest so many days that have events. */
  readonly days: number;
  /** Challengers are called `<name>-<kind>-v<N>`, with the first number that is free. */
  readonly name: string;
  readonly out: string;
  readonly say: (line: string) => void;
};

/** Beyond it older days are left out. Every event goes through the engine once to train and once for each contender: some minutes for so many. */
const eventsMax = 2_000_000;
const daysMin = 3;
const findingsMax = 10_000;
const dayMs = 86_400_000;

type Days = { readonly first: number; readonly last: number; readonly heldOut: number };

/**
 * `gait train --from-store`: challengers from the operator's own events, kept beside the champion and compared with it on the newest third of the
 * days, which they were not trained on. Nothing changes until the configuration names one of them, and naming the old one goes back.
 */
export async function trainFromStore(options: FromStoreOptions): Promise<void> {
  const target = storeOptions(options.config);
  if (target === undefined) throw new GaitError('USAGE', 'there is nothing to train from: store.kind is off');
  const store = await openStore({ ...target, limits: { seconds: 120 } });
  try {
    const days = await chooseDays(store, options);
    const names = await challengers(store, days, options);
    await challenge(store, days, { ...options, names });
  } finally {
    await store.close();
  }
}

async function chooseDays(store: Store, { days: wanted, say }: FromStoreOptions): Promise<Days> {
  const stored = await storedDays(store, wanted);
  let events = 0;
  const taken = stored.filter((day, i) => {
    events += day.events;
    return i < daysMin || events <= eventsMax;
  });
  if (taken.length < daysMin)
    throw new GaitError('USAGE', `the store holds events of ${taken.length} days; training needs at least ${daysMin}`);
  const heldOut = taken[Math.ceil(taken.length / 3) - 1]!.day;
  const days = { first: taken.at(-1)!.day, last: taken[0]!.day, heldOut };
  say(`${taken.length} days from ${dateOf(days.first)} to ${dateOf(days.last)}; held out from ${dateOf(heldOut)} on`);
  if (taken.length < stored.length) say(`older days are left out: more than ${eventsMax} events`);
  return days;
}

async function challengers(store: Store, days: Days, options: FromStoreOptions): Promise<string[]> {
  const { recipe, out, say } = options;
  // A quarter of the days goes by before baselines say what they say in service, but not more than in the recipe.
  const burnInDays = Math.min(recipe.traffic.burnInDays, (days.heldOut - days.first) / 4);
  const collector = new DeviationCollector({ ...recipe, burnInDays });
  for await (const page of storedEvents(store, { first: days.first, last: days.heldOut - 1 }))
    for (const event of page) collector.accept(event);
  const models = recipe.models.map((each) => ({ ...each, name: freeName(options, each.kind), verdict: ownVerdict }));
  const trained = await fit({ ...recipe, models }, say, collector.end());
  for (const [i, model] of trained.entries()) say(exportModel(model, models[i]!, out));
  return models.map(({ name }) => name);
}

const ownVerdict =
  "Trained by an operator on events of their own; compared with the champion when it was made, by 'gait train --from-store'.";

function freeName({ name, out }: FromStoreOptions, kind: string): string {
  for (let version = 1; ; version++) {
    const folder = `${name}-${kind}-v${version}`;
    if (!existsSync(join(out, folder))) return folder;
  }
}

async function challenge(store: Store, days: Days, of: FromStoreOptions & { names: readonly string[] }): Promise<void> {
  const { config, names, out, say } = of;
  const { backend, findingsPer1000PerDay: budget } = config.detect;
  const from = days.heldOut * dayMs;
  const loaded = await Promise.all(names.map((name) => loadModel({ dir: join(out, name), backend })));
  const contenders = [await assembleModel(config), ...loaded].map(
    (model) => new Contender(model?.name ?? 'none', optionsFor(config, model), from),
  );
  for await (const page of storedEvents(store, days))
    for (const event of page) for (const contender of contenders) contender.accept(event);
  const known = await knownFindings(store, from);
  say(
    printTable(
      compare(
        contenders.map((contender) => contender.end()),
        { known, budget },
      ),
    ),
  );
  say(`To use one: detect.model: ${names[0]} in the configuration; to go back: detect.model: ${config.detect.model}`);
}

/** A shard that keeps what it sees to itself. */
function optionsFor(config: Config, model: Model | null): ShardOptions {
  const own = { shard: 0, model, fusion: assembleFusion(config), policy: createPolicy(readPolicy(config)) };
  return { ...config.detect, ...own };
}

async function knownFindings(store: Store, since: number): Promise<Claim[]> {
  const queries = createStoreQueries(store);
  const known: Claim[] = [];
  let cursor: string | undefined;
  do {
    const { rows, next } = await queries.findings({ since, limit: 500, cursor });
    for (const { identity, first_seen, last_seen } of rows)
      known.push({ identity, first_seen: Date.parse(first_seen), last_seen: Date.parse(last_seen) });
    cursor = next;
  } while (cursor !== undefined && known.length < findingsMax);
  return known;
}

function dateOf(day: number): string {
  return new Date(day * dayMs).toISOString().slice(0, 10);
}
