import type { PolicyConfig } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';

export const guardrailWindowMs = 600_000;

export type GuardrailState = { revocations: readonly EpochMs[]; trippedUntil: EpochMs };

export type Verdict = 'pass' | 'shadow' | 'trip';

/** Which of how many shards this is. Shards share nothing, so each gets its part of the cap and the parts add up to the cap. */
export type ShardOf = { readonly shard: number; readonly shards: number };

/**
 * The limit on automatic revocations: at most `revocationsMax` in any ten minutes over all shards, and at most `activeShareMax` of
 * the shard's active identities (never below one, or a small shard could not act at all). The first one beyond trips it, and for ten
 * minutes nothing automatic is enforced: a detector gone wrong, or led astray, must not lock everybody out.
 */
export class Guardrail {
  readonly #cap: number;
  readonly #shareMax: number;
  #state: GuardrailState = { revocations: [], trippedUntil: 0 };

  constructor(settings: PolicyConfig['guardrails'], { shard, shards }: ShardOf) {
    const max = settings.revocationsMax;
    this.#cap = Math.floor(max / shards) + (shard < max % shards ? 1 : 0);
    this.#shareMax = settings.activeShareMax;
  }

  /** Asked before each decision that would be enforced; `trip` once, when this one went over the limit. */
  admit(revokes: boolean, at: EpochMs, activeIdentities: number): Verdict {
    if (at < this.#state.trippedUntil) return 'shadow';
    if (!revokes) return 'pass';
    const recent = this.#state.revocations.filter((time) => time > at - guardrailWindowMs);
    const limit = Math.min(this.#cap, Math.max(1, Math.floor(this.#shareMax * activeIdentities)));
    if (recent.length >= limit) {
      this.#state = { revocations: recent, trippedUntil: at + guardrailWindowMs };
      return 'trip';
    }
    this.#state = { ...this.#state, revocations: [...recent, at] };
    return 'pass';
  }

  save(): GuardrailState {
    return this.#state;
  }

  load(state: GuardrailState): void {
    this.#state = state;
  }
}
