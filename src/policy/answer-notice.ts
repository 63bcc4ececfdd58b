import { derivedId } from '../core/hash.ts';
import { effectOf, verdictIdOf } from '../finding/verdict.ts';
import { identityId, identityParts } from '../identity/identity-key.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import type { Whom } from './allowlist.ts';
import type { Decision } from './decision.ts';
import type { Verdict } from './guardrail.ts';
import { type Rules, scopeOf } from './judge.ts';
import { page, termsOf } from './make-decision.ts';
import type { Notice, NoticeOf } from './notice.ts';
import { calm, confirm, levelAt, riskAt, unconfirm, withdraw } from './risk.ts';
import { isRevocation, stepFor, strength } from './rule.ts';
import { type Open, rememberedMax, type Subject } from './subject.ts';

export type Notified = {
  readonly rules: Rules;
  readonly shard: number;
  readonly subject: Subject;
  /** An enforced decision whose time is not over, of anybody. */
  readonly running: (id: string) => Decision | undefined;
  /** Asks the guardrail, which counts what it lets through. */
  readonly admit: (revokes: boolean) => Verdict;
};

/** Whose word it is, when and why. */
export type Word = Pick<Notice, 'at' | 'by' | 'reason'>;

/** What follows from a notice: decisions made, or versions of open ones. */
export function answerNotice(notice: Notice, to: Notified): readonly Decision[] {
  switch (notice.notice) {
    case 'decide':
      return decide(notice, to);
    case 'restore':
      return restore(notice, to);
    case 'step-up-succeeded':
      return stepUpSucceeded(notice, to);
    case 'step-up-ignored':
      return stepUpIgnored(notice, to);
    case 'verdict':
      return verdict(notice, to);
    case 'verdict-undone':
      return verdictUndone(notice, to);
    case 'session-established':
    case 'credential-changed':
    case 'session-ended':
      return [];
  }
}

/** A person's decision takes the place of what policy decided by itself about the same sessions. */
function decide(notice: NoticeOf<'decide'>, to: Notified): readonly Decision[] {
  const { subject } = to;
  const { session_id, token_id = null, at } = notice;
  const scope = session_id === null && token_id === null ? 'identity' : 'session';
  const allowance = to.rules.allowlist(whom(notice.identity, null), at);
  const made = manualDecision(notice, to, scope);
  const decision: Decision =
    allowance === undefined
      ? made
      : {
          ...made,
          action: 'observe',
          mode: 'shadow',
          ...termsOf(to.rules.config, { action: 'observe', at }),
          why: `${made.why} Not acted on (would be ${made.action}): allowed by ${allowance.owner}: ${allowance.reason}`,
        };
  const isOfSame = (open: Open): boolean =>
    open.decision.scope === 'session' &&
    open.decision.session_id === session_id &&
    (session_id !== null || open.decision.token_id === token_id);
  const isSame = (open: Open): boolean =>
    open.decision.rule === 'manual' &&
    (scope === 'identity' ? open.decision.scope === 'identity' : isOfSame(open)) &&
    open.decision.action === decision.action &&
    open.decision.mode === decision.mode;
  const before = subject.open.find(isSame);
  if (before !== undefined) {
    const expires_at = Math.max(before.decision.expires_at, decision.expires_at);
    return [change(subject, before, { change: 'extended', ...signed(notice), expires_at })];
  }
  const replaced =
    decision.mode === 'shadow'
      ? []
      : subject.open.filter(
          (open) =>
            open.state !== 'ended' && open.decision.rule !== 'guardrail' && (scope === 'identity' || isOfSame(open)),
        );
  const ended = replaced.map((open) => end(subject, open, { notice, change: 'restored' }));
  subject.open = [...subject.open, { decision, offence: 0, state: 'open' } as const].slice(-rememberedMax);
  return [decision, ...ended];
}

/** Of no call; an address stands in its own key. */
function whom(identity: IdentityKey, clientIp: string | null): Whom {
  const isAddress = identityParts(identity)?.kind === 'address';
  return { identity, clientIp: isAddress ? (identityId(identity) ?? null) : clientIp, route: null };
}

/** The id of the decision that a notice makes, unless it extends an open one. */
export function manualId(noticeId: string): string {
  return derivedId('dec', [noticeId]);
}

function manualDecision(notice: NoticeOf<'decide'>, to: Notified, scope: Decision['scope']): Decision {
  const { identity, at, action, session_id, token_id = null } = notice;
  const { config } = to.rules;
  const { kind, tenant } = identityParts(identity)!;
  const decision_id = manualId(notice.notice_id);
  return {
    decision_id,
    version: 1,
    change: 'made',
    identity,
    identity_kind: kind,
    tenant,
    scope,
    action,
    ended: null,
    mode: notice.mode,
    by: notice.by,
    rule: 'manual',
    why: notice.reason,
    finding_ids: [],
    incident_id: derivedId('inc', [decision_id]),
    risk: riskAt(to.subject, at, config.risk),
    risk_level: levelAt(to.subject, at, config.risk),
    session_risk: null,
    session_id,
    token_id,
    client_ip: null,
    ...termsOf(config, { action, at }),
    made_at: at,
    updated_at: at,
    expires_at: at + notice.ttl_ms,
    shard: to.shard,
  };
}

/** What a person ended stays ended: until it would have been over, policy does not begin it anew by itself. */
function restore(notice: NoticeOf<'restore'>, { subject, running }: Notified): readonly Decision[] {
  const { decision_id, identity } = notice;
  const ended = subject.open.filter(
    (open) => open.state !== 'ended' && (decision_id === null || open.decision.decision_id === decision_id),
  );
  // One of more than are remembered of an identity is enforced all the same, and must be taken back as well.
  const forgotten = decision_id === null || ended.length > 0 ? undefined : running(decision_id);
  if (forgotten?.identity === identity) return [restored(forgotten, { notice, change: 'restored' })];
  return ended.map((open) => end(subject, open, { notice, change: 'restored', isKept: true }));
}

/**
 * The owner was there. A thief's token must not pass because its owner proved himself: a step-up goes on for tokens that are older, and for the
 * session of the odd call, if that is another one and known. Anything else ends. Risk falls to a share, and the ladder of its rule begins anew.
 */
function stepUpSucceeded(notice: NoticeOf<'step-up-succeeded'>, { subject, rules }: Notified): readonly Decision[] {
  const { decision_id, session_id, at } = notice;
  const answered = subject.open.filter(
    ({ decision, state }) =>
      state === 'open' &&
      (decision_id === null ? decision.action === 'step-up' : decision.decision_id === decision_id) &&
      strength(decision.action) <= strength('step-up') &&
      !(decision.scope === 'session' && decision.session_id !== session_id),
  );
  if (answered.length === 0) return [];
  const { risk } = rules.config;
  calm(subject, at, risk);
  const own = subject.sessions.find(({ id }) => id === session_id);
  if (own !== undefined) calm(own.risk, at, risk);
  const proven = new Set(answered.map(({ decision }) => decision.rule));
  subject.offences = subject.offences.filter(({ rule }) => !proven.has(rule));
  return answered.map((open) => {
    const odd = open.decision.session_id;
    if (odd !== null && session_id !== null && odd !== session_id)
      return change(subject, open, { change: 'narrowed', scope: 'session', ...signed(notice) });
    if (open.decision.action !== 'step-up') return end(subject, open, { notice, change: 'answered' });
    return change(subject, open, { change: 'narrowed', ...signed(notice) });
  });
}

/** The next step of the rule's ladder, if it is a stronger one and the guardrail lets it through. */
function stepUpIgnored(notice: NoticeOf<'step-up-ignored'>, { subject, rules, admit }: Notified): readonly Decision[] {
  const { at, decision_id } = notice;
  const open = subject.open.find(({ decision, state }) => state === 'open' && decision.decision_id === decision_id);
  const rule = rules.config.rules.find(({ name }) => name === open?.decision.rule);
  if (open === undefined || rule === undefined || open.decision.action !== 'step-up') return [];
  const { decision } = open;
  // Somebody vouches for him since.
  if (rules.allowlist(whom(decision.identity, decision.client_ip), at) !== undefined) return [];
  const action = stepFor(rule, open.offence + 1, { identityKind: decision.identity_kind, actorKind: 'human' });
  if (strength(action) <= strength(decision.action)) return [];
  const verdict = decision.mode === 'shadow' ? 'pass' : admit(isRevocation(action));
  if (verdict !== 'pass') return verdict === 'trip' ? [page({ ...decision, updated_at: at })] : [];
  subject.offences = [...subject.offences, { rule: rule.name, at }].slice(-rememberedMax);
  const next = {
    change: 'escalated',
    action,
    scope: decision.scope === 'session' ? 'session' : scopeOf(action, decision.session_id),
    ...termsOf(rules.config, { action, rule, at }),
    why: `${rule.why} The step-up was not answered.`,
    by: 'policy',
    updated_at: at,
    expires_at: at + rule.ttl,
  } as const;
  return [change(subject, open, next)];
}

function verdict(notice: NoticeOf<'verdict'>, to: Notified): readonly Decision[] {
  const { subject, rules } = to;
  switch (effectOf(notice.verdict)) {
    case 'confirms':
      confirm(subject, { verdict: verdictIdOf(notice.notice_id), at: notice.at }, rules.config.risk);
      return [];
    case 'teaches':
    case 'dismisses':
      return dismiss(notice.finding_id, notice, to);
    case 'notes':
      return [];
  }
}

/** A false alarm: its share of the risk goes, and what rests on it alone ends. */
export function dismiss(finding: string, word: Word, { subject, rules }: Notified): readonly Decision[] {
  for (const state of [subject, ...subject.sessions.map(({ risk }) => risk)])
    withdraw(state, { finding, at: word.at }, rules.config.risk);
  const unfounded = subject.open.filter(({ decision, state }) => state !== 'ended' && restsOn(decision, finding));
  return unfounded.map((open) => end(subject, open, { notice: word, change: 'restored', isKept: true }));
}

/** What was ended by the verdict may be begun anew, and whom it confirmed is as trusted as before. */
function verdictUndone(
  { verdict_id, finding_id }: NoticeOf<'verdict-undone'>,
  { subject }: Notified,
): readonly Decision[] {
  unconfirm(subject, verdict_id);
  subject.open = subject.open.filter(({ decision, state }) => state !== 'ended' || !restsOn(decision, finding_id));
  return [];
}

function restsOn({ finding_ids }: Decision, finding: string): boolean {
  return finding_ids.length > 0 && finding_ids.every((id) => id === finding);
}

function signed(notice: Word): Pick<Decision, 'by' | 'why' | 'updated_at'> {
  return { by: notice.by, why: notice.reason, updated_at: notice.at };
}

/** `isKept`: remembered as ended until its time would have been over. */
function end(
  subject: Subject,
  open: Open,
  { notice, change, isKept }: { notice: Word; change: 'answered' | 'restored'; isKept?: boolean },
): Decision {
  const kept = isKept === true && open.decision.rule !== 'manual';
  subject.open = subject.open.flatMap((each) =>
    each !== open ? [each] : kept ? [{ ...open, state: 'ended' as const }] : [],
  );
  return restored(open.decision, { notice, change });
}

function restored(decision: Decision, { notice, change }: { notice: Word; change: 'answered' | 'restored' }): Decision {
  return nextVersion({ decision }, { change, action: 'restore', ended: decision.action, ...signed(notice) });
}

function change(subject: Subject, open: Open, fields: Partial<Decision> & Pick<Decision, 'change'>): Decision {
  const decision = nextVersion(open, fields);
  const offence = open.offence + (fields.change === 'escalated' ? 1 : 0);
  const state = decision.change === 'narrowed' && decision.scope === 'identity' ? 'answered' : 'open';
  subject.open = subject.open.map((each) => (each === open ? { decision, offence, state } : each));
  return decision;
}

function nextVersion(
  { decision }: Pick<Open, 'decision'>,
  fields: Partial<Decision> & Pick<Decision, 'change'>,
): Decision {
  return { ...decision, ...fields, version: decision.version + 1 };
}
