import type { Action, FindingKind, Severity } from '../../core/words.ts';

/** The rows that the pages show, as the JSON routes give them: times are ISO 8601 in UTC, and every text may have been written by an attacker. */
export type ReasonRow = {
  readonly feature: string;
  readonly observed: number | string;
  readonly expected?: number | string;
  readonly low?: number | null;
  readonly high?: number | null;
  readonly share?: number;
  readonly level?: string;
  readonly peer_group?: string;
  readonly sample_size?: number;
  readonly text: string;
};

export type FindingRow = {
  readonly finding_id: string;
  readonly kind: FindingKind;
  readonly identity: string;
  readonly incident_id: string;
  readonly state: 'open' | 'closed' | 'suppressed';
  readonly severity: Severity;
  readonly confidence: number;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly count: number;
  readonly surprise: number;
  readonly risk: number;
  readonly title: string;
  readonly reasons: readonly ReasonRow[];
  readonly event_ids: readonly string[];
  readonly owasp: readonly string[];
  readonly attack: readonly string[];
};

export type EventRow = {
  readonly ts: string;
  readonly event_id: string;
  readonly method: string;
  readonly host: string;
  readonly route: string;
  readonly operation: string;
  readonly status: number;
  readonly client_ip: string;
  readonly country: string;
  readonly surprise: number;
  readonly top: readonly string[];
  readonly in_finding: boolean;
};

export type DecisionRow = {
  readonly decision_id: string;
  readonly identity: string;
  readonly action: Action;
  readonly mode: 'shadow' | 'enforce';
  readonly scope: 'identity' | 'session';
  readonly by: string;
  readonly rule: string;
  readonly why: string;
  readonly change: string;
  readonly made_at: string;
  readonly expires_at: string;
};

/** How far a decision came at one enforcement point or receiver, or at all calls together (`traffic`). */
export type DecisionPoint = {
  readonly point: string;
  readonly sent: string;
  readonly sent_at: string | null;
  readonly seen_at: string | null;
  readonly acknowledged_at: string | null;
  readonly effect: string;
  readonly effect_at: string | null;
  readonly detail: string;
};

export type FindingContext = {
  readonly finding: FindingRow;
  readonly events: readonly EventRow[];
  readonly similar: readonly FindingRow[];
  readonly decisions: readonly DecisionRow[];
  readonly peers: { readonly group: string; readonly size: number | null };
};

export type IncidentRow = {
  readonly incident_id: string;
  readonly state: 'open' | 'closed';
  readonly severity: Severity;
  readonly title: string;
  readonly identities: readonly string[];
  readonly identity_count: number;
  readonly kinds: readonly FindingKind[];
  readonly finding_count: number;
  readonly open_count: number;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly risk: number;
  readonly assignee: string;
  /** The newest that stands; empty: none. */
  readonly verdict?: string;
  /** Of a list only. */
  readonly actions?: readonly string[];
};

export type Incident = IncidentRow & {
  readonly findings: readonly FindingRow[];
  readonly decisions: readonly DecisionRow[];
  readonly comments: readonly {
    readonly note_id: string;
    readonly at: string;
    readonly who: string;
    readonly text: string;
  }[];
  readonly timeline: readonly {
    readonly at: string;
    readonly type: 'event' | 'finding' | 'decision' | 'receipt' | 'verdict' | 'comment' | 'case';
    readonly text: string;
    readonly ref: string;
  }[];
};

export type IdentityRow = {
  readonly identity: string;
  readonly identity_kind: string;
  readonly tenant: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly events: number;
  readonly errors: number;
  readonly risk: number;
  /** Decayed since; of a list only. */
  readonly risk_now?: number;
};

export type Explanation = {
  readonly outcome: string;
  readonly rule: string | null;
  readonly rules: readonly { readonly rule: string; readonly failed: string | null }[];
};

export type Session = { readonly caller: string; readonly roles: readonly string[]; readonly needs_key: boolean };
