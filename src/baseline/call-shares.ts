import { GroupSums } from './group-sums.ts';

/** Kinds of calls of which a share of all is kept: names as in the tallies of families. */
export const shareKinds = [
  'objects.distinct',
  'objects.others',
  'objects.first_touch',
  'objects.neighbours',
  'change.writes',
  'change.deletes',
  'change.changed_objects',
] as const;
/** An identity's first calls are unlike its later ones: everything is new to it. So newcomers are compared with what newcomers do. */
const newcomerCalls = 64;
const stages = 2;
const words = 1 + shareKinds.length;
/** Calls of a circle that the wider one's share, or an assumption, weighs against its own: more the fewer identities are behind it. */
const strength = 20;
const identitiesEnough = 20;
const assumed = 0.25;

/** 0 for an identity's first calls, 1 for later ones. */
export function stageOf(history: number): number {
  return history < newcomerCalls ? 0 : 1;
}

/** What share of calls touches a new object, changes something, deletes something: of newcomers and of others. */
export class CallShares extends GroupSums {
  constructor() {
    super(stages * words, shareKinds.length);
  }

  /** The call's share in the group, backed by everyone's; `identities` by group says how many are behind each. */
  share(of: { readonly group: number; readonly stage: number; readonly kind: number }, identities: readonly number[]) {
    const everyone = this.#backed(0, of, { identities: identities[0]!, wider: assumed });
    return of.group === 0 ? everyone : this.#backed(of.group, of, { identities: identities[1]!, wider: everyone });
  }

  /** Calls that the group's share rests on. */
  calls(group: number, stage: number): number {
    return this.sumsOf(group)?.[stage * words] ?? 0;
  }

  #backed(
    group: number,
    of: { readonly stage: number; readonly kind: number },
    { identities, wider }: { readonly identities: number; readonly wider: number },
  ): number {
    const sums = this.sumsOf(group);
    if (sums === undefined) return wider;
    const weight = strength * Math.max(1, identitiesEnough / Math.max(1, identities));
    const at = of.stage * words;
    return (sums[at + 1 + of.kind]! + wider * weight) / (sums[at]! + weight);
  }

  /** A call that counts `weight`, a multiple of 1/1024, and which kinds it is of, one bit each. */
  add(group: number, of: { readonly stage: number; readonly kinds: number; readonly weight: number }): void {
    const pending = this.pendingOf(group);
    const at = of.stage * words;
    pending[at]! += of.weight;
    for (let kinds = of.kinds; kinds !== 0; kinds &= kinds - 1)
      pending[at + 1 + (31 - Math.clz32(kinds & -kinds))]! += of.weight;
  }

  /** How surprising the share of the kind was on an identity's finished day. */
  addDay(kind: number, nats: number): void {
    this.calibrators[kind]!.add(nats);
  }

  /** P(a day's share is as surprising). */
  pValue(kind: number, nats: number): number {
    return this.calibrators[kind]!.pValue(nats);
  }
}
