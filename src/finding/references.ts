import type { FindingKind } from './finding.ts';

/** OWASP API Security Top 10 (2023) and MITRE ATT&CK techniques that a kind of finding points to. */
export const references: Readonly<
  Record<FindingKind, { readonly owasp: readonly string[]; readonly attack: readonly string[] }>
> = {
  rate_spike: { owasp: ['API4:2023'], attack: ['T1499'] },
  new_function: { owasp: ['API5:2023'], attack: ['T1078'] },
  new_context: { owasp: ['API2:2023'], attack: ['T1078'] },
  error_ratio: { owasp: ['API2:2023', 'API8:2023'], attack: ['T1595.003'] },
  volume_spike: { owasp: ['API1:2023', 'API6:2023'], attack: ['T1530', 'T1567'] },
  off_hours: { owasp: [], attack: ['T1078'] },
  behaviour_change: { owasp: ['API2:2023'], attack: ['T1078', 'T1550.001'] },
};
