import { parseSimulationRecipe } from '../../../src/simulate/recipe.ts';
import { createSimulation } from '../../../src/simulate/simulate.ts';
import type { Incident, WireEvent, World } from '../../../src/simulate/world.ts';

/** One run, with what each event was part of at hand. */
export type Played = {
  readonly world: World;
  readonly events: readonly WireEvent[];
  readonly incidents: readonly Incident[];
  /** Events of the incidents of a recipe, one list for each. */
  readonly of: (recipe: string) => readonly (readonly WireEvent[])[];
  /** Events that no attack made. */
  readonly ordinary: readonly WireEvent[];
  readonly withIds: (ids: readonly string[]) => readonly WireEvent[];
};

export type Doses = {
  readonly identities: number;
  readonly days: number;
  readonly attacks: string;
  readonly lookAlikes: string;
};

/** Everything that `attacks/` contains, `count` times, in a world large enough that nobody is short of victims. */
export function play(seed: number, doses: Partial<Doses> = {}): Played {
  const { identities = 400, days = 5, attacks = '{ count: 1 }', lookAlikes = '{ count: 1 }' } = doses;
  const yaml = `
version: 1
start: 2026-04-20T00:00:00Z
days: ${days}
identities: ${identities}
tenants: 8
activity: 0.5
attackedShareMax: 0.5
attacks: { every: ${attacks} }
lookAlikes: { every: ${lookAlikes} }
`;
  const simulation = createSimulation(parseSimulationRecipe(yaml, 'test.yaml'), seed);
  const events = [...simulation.events()];
  const incidents = simulation.incidents();
  const byId = new Map(events.map((event) => [event.event_id, event]));
  const withIds = (ids: readonly string[]) => ids.map((id) => byId.get(id)!);
  const hostile = new Set(incidents.filter(({ kind }) => kind === 'attack').flatMap(({ ids }) => ids));
  return {
    world: simulation.world,
    events,
    incidents,
    withIds,
    of: (recipe) => incidents.filter((incident) => incident.recipe === recipe).map(({ ids }) => withIds(ids)),
    ordinary: events.filter((event) => !hostile.has(event.event_id!)),
  };
}
