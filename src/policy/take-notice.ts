import type { Baselines } from '../feature/baselines.ts';
import type { Detector } from '../finding/detect.ts';
import type { Finding } from '../finding/finding.ts';
import type { Suppression } from '../finding/suppression.ts';
import {
  effectOf,
  ocsfIdOf,
  type SuppressionRow,
  suppressionRow,
  type VerdictRow,
  verdictIdOf,
} from '../finding/verdict.ts';
import type { Policy } from './decide.ts';
import type { Decision } from './decision.ts';
import type { AnyNotice, NoticeOf } from './notice.ts';

/** What people said, as it was taken. */
export type Said = { readonly verdicts: VerdictRow[]; readonly suppressions: SuppressionRow[] };

/** What follows from a notice, of all that leaves a shard. */
type Outcome = Said & { readonly findings: readonly Finding[]; readonly decisions: readonly Decision[] };

export function nothingSaid(): Said {
  return { verdicts: [], suppressions: [] };
}

export function addSaid(to: Said, { verdicts, suppressions }: Said): void {
  to.verdicts.push(...verdicts);
  to.suppressions.push(...suppressions);
}

type NoticeTaker = {
  readonly policy: Policy;
  readonly detector: Detector;
  readonly baselines: Baselines;
  /** The running number of whatever findings change. */
  readonly seq: number;
};

const nothing: Outcome = { findings: [], decisions: [], verdicts: [], suppressions: [] };

/** People and other systems have their say. The same notice twice is one. */
export function takeNotice(notice: AnyNotice, to: NoticeTaker): Outcome {
  switch (notice.notice) {
    case 'suppress':
      return to.policy.isNews(notice.notice_id) ? suppress(notice, notice.suppression, to) : nothing;
    case 'unsuppress':
      return to.policy.isNews(notice.notice_id) ? unsuppress(notice, to) : nothing;
    case 'verdict':
      return to.policy.isNews(notice.notice_id) ? verdict(notice, to) : nothing;
    case 'verdict-undone':
      return to.policy.isNews(notice.notice_id) ? undo(notice, to) : nothing;
    case 'session-established':
    case 'credential-changed':
    case 'session-ended':
      if (to.policy.isNews(notice.notice_id)) ofProvider(notice, to);
      return nothing;
    default: {
      const decisions = to.policy.onNotice(notice);
      const isAcquitted = notice.notice === 'step-up-succeeded' && decisions.length > 0;
      return { ...nothing, decisions, findings: isAcquitted ? to.detector.acquit(notice.identity, to.seq) : [] };
    }
  }
}

/**
 * The identity provider's word about its own people. A log-in explains that its session is somewhere new, and begins the story of the session's
 * token; so do new credentials for all of somebody's tokens. Neither closes anything: whoever took an account over logs in and changes its password.
 */
function ofProvider(
  notice: NoticeOf<'session-established' | 'credential-changed' | 'session-ended'>,
  { detector, baselines }: NoticeTaker,
): void {
  const { session_id: session, identity, at } = notice;
  if (notice.notice === 'credential-changed') {
    baselines.forgetTokens(identity, null);
    return;
  }
  // A word about no session in particular explains none.
  if (session === null) return;
  baselines.forgetTokens(identity, session);
  if (notice.notice === 'session-ended') detector.logIns.forget({ identity, session });
  else detector.logIns.take({ session, identity, at });
}

type Word = Pick<AnyNotice, 'at' | 'by' | 'reason' | 'notice_id'>;

function suppress(word: Word, suppression: Suppression, to: NoticeTaker): Outcome {
  const findings = to.detector.feedback.suppress(suppression, { at: word.at, seq: to.seq });
  const decisions = findings.flatMap((finding) => to.policy.onDismissed(finding, word));
  const row = suppressionRow(suppression, { made_by: word.by, made_at: word.at, state: 'active' });
  return { ...nothing, findings, decisions, suppressions: [row] };
}

/** What was kept back is told again; what is done about it is decided with the next call. */
function unsuppress(notice: NoticeOf<'unsuppress'>, to: NoticeTaker): Outcome {
  const { at, by: made_by, suppression_id } = notice;
  const suppression = to.detector.feedback.suppressions.get(suppression_id);
  if (suppression === undefined) return nothing;
  const findings = to.detector.feedback.lift(suppression_id, { at, seq: to.seq });
  return {
    ...nothing,
    findings,
    suppressions: [suppressionRow(suppression, { made_by, made_at: at, state: 'lifted' })],
  };
}

function verdict(notice: NoticeOf<'verdict'>, to: NoticeTaker): Outcome {
  const { suppression, identity, finding_id: id, at } = notice;
  const effect = effectOf(notice.verdict);
  const open = to.detector.feedback.openFinding(identity, id);
  const taught = suppression === null ? nothing : suppress(notice, suppression, to);
  const by = suppression?.suppression_id ?? verdictIdOf(notice.notice_id);
  const isDismissed = effect === 'teaches' || effect === 'dismisses';
  const closed = isDismissed
    ? to.detector.feedback.dismiss({ identity, id }, { at, seq: to.seq, by, isMuted: suppression === null })
    : [];
  const findings = [...taught.findings, ...closed];
  return {
    findings,
    decisions: [...taught.decisions, ...to.policy.onVerdict(notice)],
    verdicts: [rowOf(notice, { kind: open?.kind ?? '', closes: findings.length, state: 'given' })],
    suppressions: taught.suppressions,
  };
}

function undo(notice: NoticeOf<'verdict-undone'>, to: NoticeTaker): Outcome {
  const { suppression_id, verdict_id, at } = notice;
  const lifted =
    suppression_id === null ? nothing : unsuppress({ ...notice, notice: 'unsuppress', suppression_id }, to);
  const findings = [...lifted.findings, ...to.detector.feedback.lift(verdict_id, { at, seq: to.seq })];
  const { kind } = findings.find(({ finding_id }) => finding_id === notice.finding_id) ?? { kind: '' as const };
  return {
    findings,
    decisions: to.policy.onVerdict(notice),
    verdicts: [rowOf(notice, { kind, closes: 0, state: 'undone' })],
    suppressions: lifted.suppressions,
  };
}

function rowOf(
  notice: NoticeOf<'verdict' | 'verdict-undone'>,
  of: Pick<VerdictRow, 'kind' | 'closes' | 'state'>,
): VerdictRow {
  const { identity, finding_id, verdict, by, reason: note, at } = notice;
  const isUndone = notice.notice === 'verdict-undone';
  return {
    verdict_id: isUndone ? notice.verdict_id : verdictIdOf(notice.notice_id),
    finding_id,
    identity,
    verdict,
    ocsf_id: ocsfIdOf(verdict),
    by,
    note,
    at,
    suppression_id: (isUndone ? notice.suppression_id : notice.suppression?.suppression_id) ?? '',
    ...of,
    version: at,
  };
}
