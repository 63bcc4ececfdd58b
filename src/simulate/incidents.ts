import { incidentRecipes } from './catalogue.ts';
import type { Dice } from './dice.ts';
import { doseOf, type Knob, type Recipe } from './recipe.ts';
import { hourMs } from './week.ts';
import type { Incident, IncidentRecipe, Persona, Stage, World } from './world.ts';

/** The world has at most so much of its time after the warm-up left for an incident to begin in, if the incident is longer than that time. */
const latestShare = 0.9;

/** Every incident that the recipe asks for, put on its stage. Nothing has happened yet: they play when their time comes. */
export function planIncidents(world: World, recipe: Recipe): readonly Incident[] {
  const claims = new Claims(world, recipe.attackedShareMax);
  const incidents: Incident[] = [];
  const doses = incidentRecipes.map((each) => ({ each, ...doseOf(recipe, each.kind, each.name) }));
  const rounds = Math.max(...doses.map((dose) => dose.count));
  // The first of each, then the second: when nobody is left to attack, no recipe goes without.
  for (let round = 0; round < rounds; round++) {
    for (const { each, count, intensity, stealth } of doses) {
      if (round >= count) continue;
      // By name and number: another recipe in the list changes nothing here but who is still to be had.
      const dice = world.dice.fork(`incident/${each.name}/${round}`);
      const incident = announce(each, `i${incidents.length + 1}`);
      incidents.push(incident);
      const stage: Stage = {
        world,
        dice,
        incident,
        startMs: startOf(world, each, dice),
        intensity: setting(intensity, dice),
        stealth: setting(stealth, dice),
        pace: each.pace,
        claim: (fits, also) => claims.take(fits, { kind: each.kind, sparse: also?.sparse ?? false, dice }),
        emit: (event) => void world.emit(event, incident),
      };
      world.play(each.run(stage));
    }
  }
  return incidents;
}

function announce({ name, family, kind, pace, expected }: IncidentRecipe, id: string): Incident {
  return { id, recipe: name, family, kind, pace, expected, identities: new Set(), ids: [], firstMs: 0, lastMs: 0 };
}

/** Late enough for the baselines to stand, early enough to be over in time, or as good as. */
function startOf({ warmMs, endMs }: World, { hours }: IncidentRecipe, dice: Dice): number {
  const latest = Math.max(warmMs + (1 - latestShare) * (endMs - warmMs), endMs - hours * hourMs);
  return Math.floor(dice.between(warmMs, latest));
}

function setting(knob: Knob, dice: Dice): number {
  return typeof knob === 'number' ? knob : dice.between(knob[0], knob[1]);
}

/** Nobody is in two incidents, and attacks leave nearly everybody alone. */
class Claims {
  readonly #world: World;
  readonly #taken = new Set<Persona>();
  readonly #medians: Readonly<Record<Persona['kind'], number>>;
  #attackedLeft: number;

  constructor(world: World, attackedShareMax: number) {
    this.#world = world;
    this.#attackedLeft = Math.ceil(world.personas.length * attackedShareMax);
    this.#medians = { human: medianActivity(world, 'human'), service: medianActivity(world, 'service') };
  }

  take(
    fits: (persona: Persona) => boolean,
    by: { readonly kind: Incident['kind']; readonly sparse: boolean; readonly dice: Dice },
  ): Persona | undefined {
    if (by.kind === 'attack' && this.#attackedLeft <= 0) return undefined;
    const { personas } = this.#world;
    const suits = (persona: Persona): boolean =>
      !this.#taken.has(persona) &&
      (by.sparse || persona.sessionsPerDay >= this.#medians[persona.kind]) &&
      fits(persona);
    // Most wishes suit many: a few throws find one, as likely as any other, without asking everybody.
    let chosen: Persona | undefined;
    for (let tries = 0; tries < 100 && chosen === undefined; tries++) chosen = [by.dice.pick(personas)].find(suits);
    if (chosen === undefined) {
      const suiting = personas.filter(suits);
      if (suiting.length === 0) return undefined;
      chosen = by.dice.pick(suiting);
    }
    this.#taken.add(chosen);
    if (by.kind === 'attack') this.#attackedLeft--;
    return chosen;
  }
}

function medianActivity({ personas }: World, kind: Persona['kind']): number {
  const rates = personas
    .filter((persona) => persona.kind === kind)
    .map((persona) => persona.sessionsPerDay)
    .sort((a, b) => a - b);
  return rates[Math.floor(rates.length / 2)] ?? 0;
}
