import { behaviourFamilies, type DetectorName } from '../baseline/row-layout.ts';
import type { FindingKind } from './finding.ts';

type Kind = {
  /** What a sentence says that the identity does. */
  readonly claim: string;
  /** OWASP API Security Top 10 (2023) and MITRE ATT&CK techniques that the kind points to. */
  readonly owasp: readonly string[];
  readonly attack: readonly string[];
};

/** Every kind of finding: what it claims and what it may mean. */
export const kinds: Readonly<Record<FindingKind, Kind>> = {
  rate_spike: { claim: 'calls far more often than it does', owasp: ['API4:2023'], attack: ['T1499'] },
  new_function: { claim: 'uses functions that are new to it', owasp: ['API5:2023'], attack: ['T1078'] },
  new_context: {
    claim: 'comes from somewhere else or with another program',
    owasp: ['API2:2023'],
    attack: ['T1078'],
  },
  error_ratio: {
    claim: 'is refused or fails far more often than its peers',
    owasp: ['API2:2023', 'API8:2023'],
    attack: ['T1595.003'],
  },
  volume_spike: {
    claim: 'sends or receives far more than it does',
    owasp: ['API1:2023', 'API6:2023'],
    attack: ['T1530', 'T1567'],
  },
  off_hours: { claim: 'is active at times that are not its own', owasp: [], attack: ['T1078'] },
  behaviour_change: {
    claim: 'does not behave like itself',
    owasp: ['API2:2023'],
    attack: ['T1078', 'T1550.001'],
  },
};

/** The kind that a detector's finding is of, unless its strongest feature is of a kind of its own. */
const kindOfDetector: Readonly<Record<Exclude<DetectorName, 'behaviour'>, FindingKind>> = {
  rate: 'rate_spike',
  errors: 'error_ratio',
  volume: 'volume_spike',
};
const kindOfFeature: Readonly<Record<string, FindingKind>> = {};
const kindOfFamily = { novelty: 'new_function', context: 'new_context', calendar: 'off_hours' } as const;

export function kindOf(detector: Exclude<DetectorName, 'behaviour'>, feature: string | undefined): FindingKind {
  return (feature === undefined ? undefined : kindOfFeature[feature]) ?? kindOfDetector[detector];
}

/** Behaviour's finding is of the kind of the family that gathered more than `dominance` of its evidence. */
const dominance = 0.6;
export function behaviourKind(shares: readonly number[]): FindingKind {
  const total = shares.reduce((a, b) => a + b, 0);
  const top = shares.indexOf(Math.max(...shares));
  return total === 0 || shares[top]! < dominance * total ? 'behaviour_change' : kindOfFamily[behaviourFamilies[top]!];
}

/** Whether a feature is a reason of first choice for a finding of this detector and kind. */
export function speaksFor(detector: DetectorName, kind: FindingKind, feature: string): boolean {
  const family = feature.slice(0, feature.indexOf('.'));
  if (detector !== 'behaviour') return family === detector;
  if (kind === 'behaviour_change') return behaviourFamilies.some((name) => name === family);
  return behaviourFamilies.some((name) => name === family && kindOfFamily[name] === kind);
}
