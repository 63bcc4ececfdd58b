import { parseSimulationRecipe, type Recipe } from '../../src/simulate/recipe.ts';
import { createSimulation, type Simulation } from '../../src/simulate/simulate.ts';
import type { WireEvent } from '../../src/simulate/world.ts';

const text = `
version: 1
start: 2026-04-20T00:00:00Z
days: 3
identities: 160
tenants: 5
attackedShareMax: 0.2
attacks: { every: { count: 1 } }
lookAlikes: { every: { count: 1 } }
`;

/** A small world with everything in it once. */
export function aRecipe(changes: Partial<Recipe> = {}): Recipe {
  return { ...parseSimulationRecipe(text, 'a-recipe.yaml'), ...changes };
}

/** Ordinary life and nothing else. */
export const nothing: Pick<Recipe, 'attacks' | 'lookAlikes'> = {
  attacks: { every: { count: 0 }, but: {} },
  lookAlikes: { every: { count: 0 }, but: {} },
};

export function runSimulation(
  recipe: Recipe,
  seed: number,
): { readonly simulation: Simulation; readonly events: WireEvent[] } {
  const simulation = createSimulation(recipe, seed);
  return { simulation, events: [...simulation.events()] };
}
