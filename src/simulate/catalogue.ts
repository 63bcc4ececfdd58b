import { attacks, lookAlikes } from './attacks/catalogue.ts';
import { changes } from './look-alikes/changes.ts';
import { crowds } from './look-alikes/crowds.ts';
import { work } from './look-alikes/work.ts';
import type { IncidentRecipe } from './world.ts';

/** Every attack and look-alike there is, by name, in the order in which they choose their identities. */
export const incidentRecipes: readonly IncidentRecipe[] = [...attacks, ...lookAlikes, ...changes, ...crowds, ...work];
