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
  object_enumeration: {
    claim: 'goes through objects as it and its peers do not',
    owasp: ['API1:2023'],
    attack: ['T1119', 'T1530'],
  },
  mass_change: {
    claim: 'changes or deletes far more than it does',
    owasp: ['API6:2023'],
    attack: ['T1485', 'T1531'],
  },
  reconnaissance: {
    claim: 'tries more of the API than it does',
    owasp: ['API8:2023', 'API9:2023'],
    attack: ['T1595.003', 'T1526'],
  },
  data_exfiltration: {
    claim: 'takes out far more data than it does',
    owasp: ['API1:2023', 'API6:2023'],
    attack: ['T1530', 'T1567'],
  },
  automation: { claim: 'keeps time like a machine', owasp: ['API6:2023'], attack: ['T1119'] },
  token_replay: {
    claim: 'has a token that is used where it cannot be',
    owasp: ['API2:2023'],
    attack: ['T1550.001', 'T1539'],
  },
  impossible_travel: { claim: 'is in two places at once', owasp: ['API2:2023'], attack: ['T1078'] },
  privilege_drift: {
    claim: 'reaches for what others of its kind do not use',
    owasp: ['API5:2023', 'API9:2023'],
    attack: ['T1078', 'T1098'],
  },
  account_takeover: {
    claim: 'changed in more ways at once than its kind does',
    owasp: ['API2:2023'],
    attack: ['T1078'],
  },
  dormant_reactivated: { claim: 'is back after a long absence, changed', owasp: ['API2:2023'], attack: ['T1078'] },
  credential_stuffing: {
    claim: 'is part of a burst of tried credentials',
    owasp: ['API2:2023'],
    attack: ['T1110.003', 'T1110.004'],
  },
  auth_failure_burst: {
    claim: 'is refused again and again for want of a valid credential',
    owasp: ['API2:2023'],
    attack: ['T1110.001'],
  },
  bulk_accounts: {
    claim: 'is one of many new identities of one origin',
    owasp: ['API6:2023'],
    attack: ['T1136', 'T1585'],
  },
  suspect_origin: {
    claim: 'was made by an identity about which something is claimed',
    owasp: ['API2:2023'],
    attack: ['T1136', 'T1098'],
  },
  sequence_anomaly: {
    claim: 'does things in another order than it and its peers do',
    owasp: ['API6:2023'],
    attack: ['T1078'],
  },
};

/** The kind that a detector's finding is of, unless its strongest feature is of a kind of its own. */
const kindOfDetector: Readonly<Record<Exclude<DetectorName, 'behaviour'>, FindingKind>> = {
  rate: 'rate_spike',
  errors: 'error_ratio',
  volume: 'volume_spike',
  objects: 'object_enumeration',
  change: 'mass_change',
  probing: 'reconnaissance',
  egress: 'data_exfiltration',
  rhythm: 'automation',
  token: 'token_replay',
  reach: 'privilege_drift',
  patterns: 'account_takeover',
  source: 'credential_stuffing',
  sequence: 'sequence_anomaly',
};
const kindOfFeature: Readonly<Record<string, FindingKind>> = {
  'patterns.dormant': 'dormant_reactivated',
  'token.travel': 'impossible_travel',
  'source.tries': 'auth_failure_burst',
  'source.newcomers': 'bulk_accounts',
  'source.maker': 'suspect_origin',
};
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

/** Whether a finding of the kind may rest on the feature. */
export function isOfKind(kind: FindingKind, feature: string): boolean {
  const family = feature.slice(0, feature.indexOf('.'));
  const behaviour = behaviourFamilies.find((name) => name === family);
  if (behaviour !== undefined) return kind === 'behaviour_change' || kind === kindOfFamily[behaviour];
  return kind === kindOf(family as Exclude<DetectorName, 'behaviour'>, feature);
}
