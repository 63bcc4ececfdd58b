import { context } from '../../src/feature/context.ts';
import type { Family } from '../../src/feature/family.ts';
import { novelty } from '../../src/feature/novelty.ts';
import { reach } from '../../src/feature/reach.ts';

/** The family together with those that fill the slots it reads: what is called and from where. */
export function whole(family: Family): Family {
  const others = [novelty, context, reach].filter((each) => each !== family);
  return {
    ...family,
    learn: (moment, weight) => {
      for (const each of [family, ...others]) each.learn(moment, weight);
    },
  };
}
