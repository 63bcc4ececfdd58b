import type { ResolvedEvent } from '../../identity/resolved-event.ts';
import type { PeerScores } from '../outcome.ts';
import { ecod } from './ecod.ts';
import { isolationForest } from './isolation-forest.ts';
import { LeakyBuckets } from './leaky-buckets.ts';
import { randomCutForest } from './random-cut-forest.ts';
import { type Window, Windows } from './window.ts';
import { zScore } from './z-score.ts';

const byWindow: readonly { name: string; score: (windows: readonly Window[]) => Float64Array }[] = [
  { name: 'isolation forest', score: (windows) => isolationForest(windows.map(({ features }) => features)) },
  { name: 'ECOD', score: (windows) => ecod(windows.map(({ features }) => features)) },
  { name: 'random cut forest', score: (windows) => randomCutForest(windows.map(({ features }) => features)) },
  { name: 'z-score per identity', score: zScore },
];
const fixedThresholds = 'fixed thresholds';
/** Peers that have a threshold of their own, beside those that are chosen for them. */
export const alertsAbove: Readonly<Record<string, number>> = { [fixedThresholds]: 1 };

/** All peers on one stream. A window's score stands for each of its events, and is known with the last of them. */
export class Peers {
  readonly #windows = new Windows();
  readonly #buckets = new LeakyBuckets();
  readonly #levels: number[] = [];

  accept(event: ResolvedEvent, index: number): void {
    this.#windows.accept(event, index);
    this.#levels[index] = this.#buckets.score(event);
  }

  end(): PeerScores[] {
    const windowOf = this.#windows.end();
    const { closed } = this.#windows;
    const knownAt = windowOf.map((window) => closed[window]!.last);
    const scored = byWindow.map(({ name, score }) => {
      const scores = score(closed);
      const event = Float64Array.from(windowOf, (window) => scores[window]!);
      return { name, event, state: event, knownAt };
    });
    const levels = Float64Array.from(this.#levels);
    return [...scored, { name: fixedThresholds, event: levels, state: levels, knownAt: knownAt.map((_, i) => i) }];
  }
}
