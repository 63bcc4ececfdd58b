import { emptyEvent, type TrafficEvent } from '../event/traffic-event.ts';
import { resolveIdentity } from '../identity/resolve.ts';
import { bank } from './apis/bank.ts';
import { mesh } from './apis/mesh.ts';
import { partner } from './apis/partner.ts';
import { saas } from './apis/saas.ts';
import { shop } from './apis/shop.ts';
import { createApi } from './create-api.ts';
import { Dice } from './dice.ts';
import { planIncidents } from './incidents.ts';
import { live } from './life.ts';
import { digestOf } from './personas.ts';
import { createGround, createPersonas } from './population.ts';
import type { Recipe } from './recipe.ts';
import { Timeline } from './timeline.ts';
import { dayMs } from './week.ts';
import type { Actor, Api, Incident, Mood, Persona, Watch, WireEvent, World } from './world.ts';

/** Labels name so many events of one incident at most; a change that befalls many identities for days is labelled by its beginning. */
const idsMax = 20_000;

export type Simulation = {
  readonly world: World;
  /** Every event, in order of time, once. Run to the end before labels are read. */
  readonly events: () => Generator<WireEvent, void, void>;
  /** Incidents in which something happened. */
  readonly incidents: () => readonly Incident[];
};

/** A world that is about to begin. The same recipe and seed give the same events, byte for byte. */
export function createSimulation(recipe: Recipe, seed: number): Simulation {
  const world = new Clockwork(recipe, `seed-${seed}`);
  const planned = planIncidents(world, recipe);
  for (const persona of world.personas) world.play(live(world, persona));
  return {
    world,
    events: () => world.run(),
    incidents: () => planned.filter((incident) => incident.ids.length > 0),
  };
}

class Clockwork implements World {
  readonly startMs: number;
  readonly endMs: number;
  readonly warmMs: number;
  readonly dice: Dice;
  readonly apis: readonly Api[];
  readonly tenants: World['tenants'];
  readonly zones: World['zones'];
  readonly networks: World['networks'];
  readonly personas: Persona[];
  readonly moods: Mood[] = [];
  readonly #timeline = new Timeline();
  #watches: Watch[] = [];
  #pending: WireEvent[] = [];
  #emitted = 0;
  now: number;

  constructor(recipe: Recipe, seed: string) {
    this.startMs = recipe.start;
    this.now = recipe.start;
    this.endMs = recipe.start + recipe.days * dayMs;
    this.warmMs = recipe.start + recipe.warmUp * recipe.days * dayMs;
    this.dice = new Dice(seed);
    this.apis = [shop, bank, saas, partner, mesh].map((spec) => createApi(spec, seed));
    const ground = createGround(recipe, this.dice);
    this.tenants = ground.tenants;
    this.zones = ground.zones;
    this.networks = ground.networks;
    this.personas = createPersonas(this, recipe, this);
  }

  api(name: Api['name']): Api {
    return this.apis.find((api) => api.name === name)!;
  }

  play(actor: Actor, atMs = this.now): void {
    this.#timeline.add(actor, Math.max(this.now, atMs));
  }

  join(persona: Persona): void {
    this.personas.push(persona);
    this.play(live(this, persona));
  }

  watch(watch: Watch): void {
    this.#watches.push(watch);
  }

  emit(event: WireEvent, incident?: Incident): string {
    const id = `e${(this.#emitted++).toString(36).padStart(6, '0')}`;
    const taken: WireEvent = { ts: Math.floor(this.now), event_id: id, ...event };
    this.#pending.push(taken);
    if (incident !== undefined) label(incident, taken, id);
    else this.#askWatches(taken, id);
    return id;
  }

  #askWatches(event: WireEvent, id: string): void {
    let isOver = false;
    for (const watch of this.#watches) {
      if (this.now >= watch.untilMs) isOver = true;
      else if (this.now >= watch.fromMs && watch.fits(event)) label(watch.incident, event, id);
    }
    if (isOver) this.#watches = this.#watches.filter((watch) => watch.untilMs > this.now);
  }

  *run(): Generator<WireEvent, void, void> {
    while (this.#timeline.nextMs < this.endMs) {
      this.now = this.#timeline.nextMs;
      const actor = this.#timeline.take();
      const { value, done } = actor.next();
      if (done !== true) this.play(actor, value as number);
      if (this.#pending.length === 0) continue;
      const pending = this.#pending;
      this.#pending = [];
      yield* pending;
    }
  }
}

function label(incident: Incident, event: WireEvent, id: string): void {
  const ts = event.ts!;
  if (incident.ids.length === 0) incident.firstMs = ts;
  else if (incident.ids.length >= idsMax) return;
  incident.lastMs = ts;
  incident.ids.push(id);
  const whole: TrafficEvent = emptyEvent();
  for (const [field, value] of Object.entries(event))
    if (value !== undefined) (whole as Record<string, unknown>)[field] = value;
  if (whole.api_key !== null) whole.api_key = digestOf(whole.api_key);
  const resolution = resolveIdentity(whole);
  if (resolution !== null) incident.identities.add(resolution.identity);
}
