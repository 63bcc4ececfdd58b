import type { VerdictWord } from '../core/words.ts';
import type { FindingKind } from './finding.ts';
import { effectOf } from './verdict.ts';

/** A finding that is stored, with what was said of it. `route`: that of its calls, where all of its examples are of one. */
export type Noted = {
  readonly kind: FindingKind;
  readonly identity: string;
  readonly peers: string;
  readonly route: string | null;
  readonly verdict: VerdictWord | null;
};

type Part = 'identity' | 'peer_group' | 'route';

/** What would quiet a detection, in the form in which it is ordered. */
export type Proposal = { readonly [name in Part]?: string } & {
  readonly kinds: readonly FindingKind[];
  readonly reason: string;
  readonly expires: string;
};

export type Noise = {
  readonly kind: FindingKind;
  readonly findings: number;
  readonly identities: number;
  readonly judged: number;
  readonly false_positives: number;
  readonly true_positives: number;
  /** Of those judged; null when none was. */
  readonly false_positive_share: number | null;
  /** Null where no narrow scope holds enough of it, or something true was in it. */
  readonly proposal: Proposal | null;
};

/** A detection is noisy from so many findings on, and a scope is worth a suppression that holds so much of it. */
const findingsMin = 3;
const shareMin = 0.5;

/** By false findings, then by findings. */
export function noiseOf(findings: readonly Noted[]): readonly Noise[] {
  const byKind = grouped(findings, ({ kind }) => kind);
  const noise = [...byKind].map(([kind, of]): Noise => {
    const judged = of.filter(({ verdict }) => verdict !== null).length;
    const falses = of.filter(({ verdict }) => verdict !== null && effectOf(verdict) === 'teaches').length;
    return {
      kind,
      findings: of.length,
      identities: new Set(of.map(({ identity }) => identity)).size,
      judged,
      false_positives: falses,
      true_positives: of.filter(isTrue).length,
      false_positive_share: judged === 0 ? null : Math.round((falses / judged) * 1000) / 1000,
      proposal: proposalFor(kind, of),
    };
  });
  return noise.sort(
    (a, b) => b.false_positives - a.false_positives || b.findings - a.findings || (a.kind < b.kind ? -1 : 1),
  );
}

function isTrue({ verdict }: Noted): boolean {
  return verdict !== null && effectOf(verdict) === 'confirms';
}

/** The narrowest of one identity, one route, one peer group that holds half of it and nothing that was right. */
function proposalFor(kind: FindingKind, findings: readonly Noted[]): Proposal | null {
  if (findings.length < findingsMin) return null;
  const parts: readonly (readonly [Part, (of: Noted) => string | null])[] = [
    ['identity', ({ identity }) => identity],
    ['route', ({ route }) => route],
    ['peer_group', ({ peers }) => peers],
  ];
  for (const [part, keyOf] of parts) {
    const groups = grouped(findings, keyOf);
    groups.delete(null);
    const [largest] = [...groups].sort(([, a], [, b]) => b.length - a.length);
    if (largest === undefined || largest[0] === '' || largest[1].some(isTrue)) continue;
    const share = largest[1].length / findings.length;
    if (share < shareMin) continue;
    const reason = `${largest[1].length} of ${findings.length} findings of 30 days`;
    return { [part]: largest[0], kinds: [kind], reason, expires: '30d' };
  }
  return null;
}

function grouped<K>(findings: readonly Noted[], keyOf: (of: Noted) => K): Map<K, Noted[]> {
  const groups = new Map<K, Noted[]>();
  for (const each of findings) {
    const group = groups.get(keyOf(each));
    if (group === undefined) groups.set(keyOf(each), [each]);
    else group.push(each);
  }
  return groups;
}
