import type { EpochMs } from '../core/clock.ts';
import type { VerdictWord } from '../core/words.ts';
import type { Finding, Severity } from '../finding/finding.ts';
import { effectOf } from '../finding/verdict.ts';
import type { Decision } from '../policy/decision.ts';
import { type AlertRecord, type Page, rank, type Verdict } from './alert-record.ts';

/** What a message needs of a finding or a page. */
export type Line = Pick<
  Finding,
  'severity' | 'state' | 'kind' | 'title' | 'count' | 'risk' | 'confidence' | 'first_seen' | 'last_seen' | 'version'
> & {
  readonly id: string;
  /** Whom it is about; undefined in what was remembered before incidents had more than one. */
  readonly identity?: string;
  readonly reasons: readonly string[];
};

export type DecisionLine = Pick<Decision, 'action' | 'mode' | 'rule' | 'version'> & {
  readonly isEnded: boolean;
  /** Why it changed: what the rule's name does not tell, such as a step-up that nobody answered or a person's reason. */
  readonly why?: string;
};

/** What a channel was told last. */
export type Told = {
  readonly severity: Severity;
  readonly status: Incident['status'];
  readonly at: EpochMs;
  /** The message at the channel, for updates in place; null where there is none. */
  readonly handle: string | null;
};

/** One incident as one channel knows it. Plain data: it is what the channel's state consists of. */
export type Incident = {
  readonly id: string;
  readonly kind: 'finding' | 'page';
  identity: string;
  tenant: string;
  /** At most `linesMax`, by finding or page; `dropped` counts the others. */
  lines: Record<string, Line>;
  dropped: number;
  decisions: Record<string, DecisionLine>;
  verdict: { readonly verdict: VerdictWord; readonly by: string } | null;
  severity: Severity;
  status: 'open' | 'acknowledged' | 'closed';
  /** Wall clock: when it began, and when something last changed that was not told; null when all was. */
  firstAt: EpochMs;
  changedAt: EpochMs | null;
  touchedAt: EpochMs;
  /** Event time of the newest. */
  lastSeen: EpochMs;
  told: Told | null;
  /** Messages begun so far: part of a message's id, so that each has its own, the same in every try. */
  messages: number;
  /** The severity of a message that was begun and may have arrived; null when none is under way. */
  begun: Severity | null;
  attempts: number;
  /** Was due while the channel's rate was used up: the next summary tells of it. */
  isHeld: boolean;
};

const linesMax = 50;
const decisionsMax = 10;
const textMax = 500;
const reasonsMax = 5;

export function newIncident(id: string, kind: Incident['kind'], now: EpochMs): Incident {
  return {
    id,
    kind,
    identity: '',
    tenant: '',
    lines: {},
    dropped: 0,
    decisions: {},
    verdict: null,
    severity: 'low',
    status: 'open',
    firstAt: now,
    changedAt: null,
    touchedAt: now,
    lastSeen: 0,
    told: null,
    messages: 0,
    begun: null,
    attempts: 0,
    isHeld: false,
  };
}

/** Where a record belongs; undefined for what is about no incident. */
export function incidentOf(record: AlertRecord): { readonly id: string; readonly kind: Incident['kind'] } {
  switch (record.kind) {
    case 'finding':
      return { id: record.finding.incident_id, kind: 'finding' };
    case 'decision':
      return { id: record.decision.incident_id, kind: 'finding' };
    case 'verdict':
      return { id: record.verdict.incident_id, kind: 'finding' };
    case 'page':
      return { id: record.page.group, kind: 'page' };
  }
}

/** Takes a record in; false when it says nothing new (a repeat, an older version). */
export function take(incident: Incident, record: AlertRecord, now: EpochMs): boolean {
  const isNews = apply(incident, record);
  if (!isNews) return false;
  const lines = Object.values(incident.lines);
  const open = lines.filter(({ state }) => state === 'open');
  const counted = lines.some(isTold) ? lines.filter(isTold) : lines;
  incident.severity = counted.reduce<Severity>(
    (most, { severity }) => (rank(severity) > rank(most) ? severity : most),
    'low',
  );
  const { verdict } = incident.verdict ?? { verdict: null };
  const acknowledged = verdict !== null && effectOf(verdict) === 'confirms' ? 'acknowledged' : 'open';
  incident.status = lines.length > 0 && open.length === 0 ? 'closed' : acknowledged;
  incident.changedAt ??= now;
  incident.touchedAt = now;
  return true;
}

/** What people expect is nothing to tell them. */
export function isTold({ state }: Line): boolean {
  return state !== 'suppressed';
}

function apply(incident: Incident, record: AlertRecord): boolean {
  switch (record.kind) {
    case 'finding':
      return addFinding(incident, record.finding);
    case 'decision':
      return addDecision(incident, record.decision);
    case 'verdict': {
      if (isOfSomeOnly(incident, record.verdict)) return false;
      const { verdict, by } = record.verdict;
      if ((incident.verdict?.verdict ?? null) === verdict) return false;
      incident.verdict = verdict === null ? null : { verdict, by: by.slice(0, textMax) };
      return true;
    }
    case 'page':
      return addPage(incident, record.page);
  }
}

/** A verdict on findings about one identity says nothing of what is open about another. */
function isOfSomeOnly({ lines }: Incident, { finding_ids: ids }: Verdict): boolean {
  if (ids === undefined) return false;
  const all = Object.values(lines);
  const judged = new Set(all.filter(({ id }) => ids.includes(id)).map(({ identity }) => identity));
  return judged.size > 0 && all.some(({ state, identity }) => state === 'open' && !judged.has(identity));
}

/** What was judged or is over was about others: whoever joins now is news, and is told as if nothing had been. */
function welcome(incident: Incident, identity: string): void {
  const isKnown = Object.values(incident.lines).some((line) => (line.identity ?? incident.identity) === identity);
  if (isKnown || (incident.verdict === null && incident.status !== 'closed')) return;
  incident.verdict = null;
  incident.told = null;
}

function addFinding(incident: Incident, finding: Finding): boolean {
  if (incident.identity !== '') welcome(incident, finding.identity.slice(0, textMax));
  const { finding_id: id, severity, state, kind, count, risk, confidence, first_seen, last_seen, version } = finding;
  if (state === 'suppressed' && incident.lines[id] === undefined) return false;
  incident.identity = finding.identity.slice(0, textMax);
  incident.tenant = String(finding.tenant ?? '').slice(0, textMax);
  const reasons = finding.reasons.slice(0, reasonsMax).map((reason) => String(reason.text).slice(0, textMax));
  const title = finding.title.slice(0, textMax);
  const { identity } = incident;
  const about = { id, identity, severity, state, kind, title };
  const line = { ...about, count, risk, confidence, first_seen, last_seen, version, reasons };
  return addLine(incident, line);
}

function addPage(incident: Incident, { id, severity, headline, text, at }: Page): boolean {
  const none = { state: 'open', count: 1, risk: 0, confidence: 1, reasons: [], version: 1 } as const;
  const kind = headline.slice(0, textMax) as Finding['kind'];
  return addLine(incident, {
    ...none,
    id,
    severity,
    kind,
    title: text.slice(0, textMax),
    first_seen: at,
    last_seen: at,
  });
}

function addLine(incident: Incident, line: Line): boolean {
  const before = Object.hasOwn(incident.lines, line.id) ? incident.lines[line.id] : undefined;
  if (before !== undefined && before.version >= line.version) return false;
  incident.lastSeen = Math.max(incident.lastSeen, line.last_seen);
  if (before === undefined && Object.keys(incident.lines).length >= linesMax) {
    const least = Object.values(incident.lines).reduce((a, b) => (rank(b.severity) < rank(a.severity) ? b : a));
    incident.dropped++;
    if (rank(least.severity) >= rank(line.severity)) return true;
    delete incident.lines[least.id];
  }
  Object.defineProperty(incident.lines, line.id, { value: line, enumerable: true, configurable: true, writable: true });
  return true;
}

function addDecision(incident: Incident, decision: Decision): boolean {
  const { decision_id: id, action, mode, rule, version, change, why } = decision;
  // That its time is over is no news to people.
  if (action === 'observe' || change === 'expired') return false;
  const before = Object.hasOwn(incident.decisions, id) ? incident.decisions[id] : undefined;
  if (before !== undefined && before.version >= version) return false;
  if (before === undefined && Object.keys(incident.decisions).length >= decisionsMax) return false;
  // What ended keeps the name of what it was.
  const isEnded = action === 'restore';
  const was = isEnded && before !== undefined ? before.action : action;
  const line: DecisionLine = {
    ...{ action: was, mode, rule: rule.slice(0, textMax), version, isEnded },
    ...(change !== 'made' && { why: why.slice(0, textMax) }),
  };
  Object.defineProperty(incident.decisions, id, { value: line, enumerable: true, configurable: true, writable: true });
  return true;
}

/** The finding that a message is named after: open before closed, the most severe, then the newest. */
export function leadOf({ lines }: Incident): Line | undefined {
  return Object.values(lines).sort(
    (a, b) =>
      Number(b.state === 'open') - Number(a.state === 'open') ||
      rank(b.severity) - rank(a.severity) ||
      b.last_seen - a.last_seen,
  )[0];
}
