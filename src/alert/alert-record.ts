import { isTime } from '../core/clock.ts';
import { type VerdictWord, verdictWords } from '../core/words.ts';
import { type Finding, type Severity, severities } from '../finding/finding.ts';
import type { Decision } from '../policy/decision.ts';

/**
 * Alert: what a person is told. In: records of the topic gait.alerts: findings, decisions about them, verdicts, and pages (Gait itself needs a
 * person). Out: messages, one per incident and channel, through Slack, PagerDuty, Teams, e-mail or a webhook; lines for a terminal.
 * Never true: a text that came from traffic is shown as anything but text; a shadow decision is told as if it had been done; an incident is
 * told twice at the same severity because a process died, where the channel can know it again.
 */
export type AlertRecord =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | { readonly kind: 'decision'; readonly decision: Decision }
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'page'; readonly page: Page };

export type Verdict = {
  readonly incident_id: string;
  /** Which of its findings; without them, all. */
  readonly finding_ids?: readonly string[];
  /** Null: the one before was taken back. */
  readonly verdict: VerdictWord | null;
  /** A name that a channel gave, so possibly anything. */
  readonly by: string;
  readonly at: number;
};

/** Something about Gait's own work. Pages of one group are one message. */
export type Page = {
  readonly group: string;
  readonly id: string;
  readonly severity: Severity;
  /** Our own words. */
  readonly headline: string;
  readonly text: string;
  readonly at: number;
};

/** The topic is ours, but a topic can be written to by others: what is none of these is passed over, and never stops the stream. */
export function readAlertRecord(value: Buffer): AlertRecord | undefined {
  try {
    const record = JSON.parse(value.toString('utf8')) as AlertRecord | null;
    return record !== null && isWhole(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

function isWhole(record: AlertRecord): boolean {
  switch (record.kind) {
    case 'finding': {
      const { finding_id, incident_id, identity, kind, title, severity } = record.finding;
      const { reasons, first_seen, last_seen, version, count, risk, confidence } = record.finding;
      return (
        [finding_id, incident_id, identity, kind, title].every(isText) &&
        severities.includes(severity) &&
        Array.isArray(reasons) &&
        [first_seen, last_seen].every(isTime) &&
        [version, count, risk, confidence].every(Number.isFinite)
      );
    }
    case 'decision': {
      const { decision_id, incident_id, identity, action, rule, made_at, expires_at } = record.decision;
      return [decision_id, incident_id, identity, action, rule].every(isText) && [made_at, expires_at].every(isTime);
    }
    case 'verdict': {
      const { incident_id, finding_ids = [], verdict, by, at } = record.verdict;
      return (
        Array.isArray(finding_ids) &&
        [incident_id, by, ...finding_ids].every(isText) &&
        (verdict === null || verdictWords.includes(verdict)) &&
        isTime(at)
      );
    }
    case 'page': {
      const { group, id, severity, headline, text, at } = record.page;
      return [group, id, headline, text].every(isText) && severities.includes(severity) && isTime(at);
    }
    default:
      return false;
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

export function rank(severity: Severity): number {
  return severities.indexOf(severity);
}
