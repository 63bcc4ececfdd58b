import { context } from '../../src/feature/context.ts';
import type { Family } from '../../src/feature/family.ts';
import { novelty } from '../../src/feature/novelty.ts';
import { reach } from '../../src/feature/reach.ts';

/** The family together with those that fill the slots it reads, as in the engine: it judges every event before any of them learns. */
export function whole(family: Family): Family {
  const others = [novelty, context, reach].filter((each) => each !== family);
  const out = new Float32Array(Math.max(family.features.length, reach.features.length));
  return {
    ...family,
    learn: (moment, weight) => {
      for (const each of [reach, family]) each.extract(moment, out, 0);
      for (const each of [...others, family]) each.learn(moment, weight);
    },
  };
}
