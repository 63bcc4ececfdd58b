import { derivedId } from '../core/hash.ts';
import { type VerdictWord, verdictIds } from '../core/words.ts';
import type { Finding } from './finding.ts';
import type { Suppression } from './suppression.ts';

/**
 * What a verdict does. `teaches`: the finding was wrong, its cause is expected from now on. `dismisses`: it was right and is nobody's business, or
 * somebody else's. `confirms`: it was right, and the identity is trusted less for a while. `notes`: somebody has said so, and nothing follows.
 */
export type VerdictEffect = 'teaches' | 'dismisses' | 'confirms' | 'notes';

const effects: Readonly<Record<VerdictWord, VerdictEffect>> = {
  'false-positive': 'teaches',
  benign: 'teaches',
  test: 'dismisses',
  disregard: 'dismisses',
  duplicate: 'dismisses',
  'managed-externally': 'notes',
  'true-positive': 'confirms',
  'security-risk': 'confirms',
  suspicious: 'notes',
  'insufficient-data': 'notes',
  other: 'notes',
};

export function effectOf(word: VerdictWord): VerdictEffect {
  return effects[word];
}

/** Records of the topic `gait.verdicts`, keyed by id, and rows of the table; the highest version is the valid one. */
export type VerdictRow = {
  readonly verdict_id: string;
  readonly finding_id: string;
  readonly identity: string;
  /** Empty when the finding was not open any more. */
  readonly kind: Finding['kind'] | '';
  readonly verdict: VerdictWord;
  readonly ocsf_id: number;
  readonly by: string;
  readonly note: string;
  readonly at: number;
  /** What it taught; empty when nothing. */
  readonly suppression_id: string;
  /** Open findings that it closed. */
  readonly closes: number;
  readonly state: 'given' | 'undone';
  readonly version: number;
};

/** The same of `gait.suppressions`. Texts are empty where a suppression has null. */
export type SuppressionRow = {
  readonly [Name in 'verdict_id' | 'identity' | 'peer_group' | 'route' | 'network' | 'cause']: string;
} & Pick<Suppression, 'suppression_id' | 'kinds' | 'owner' | 'reason' | 'until'> & {
    readonly made_by: string;
    readonly made_at: number;
    readonly state: 'active' | 'lifted';
    readonly version: number;
  };

/** The id of the verdict that a notice gives. */
export function verdictIdOf(noticeId: string): string {
  return derivedId('vdt', [noticeId]);
}

export function ocsfIdOf(word: VerdictWord): number {
  return verdictIds[word];
}

export function suppressionRow(
  suppression: Suppression,
  of: Pick<SuppressionRow, 'made_by' | 'made_at' | 'state'>,
): SuppressionRow {
  const { verdict_id, identity, peer_group, route, network, cause, ...rest } = suppression;
  return {
    ...rest,
    verdict_id: verdict_id ?? '',
    identity: identity ?? '',
    peer_group: peer_group ?? '',
    route: route ?? '',
    network: network ?? '',
    cause: cause === null ? '' : JSON.stringify(cause),
    ...of,
    version: of.made_at,
  };
}
