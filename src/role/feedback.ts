import type { Config } from '../config/config.ts';
import type { PolicyConfig } from '../config/policy-file.ts';
import type { Audit } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { derivedId } from '../core/hash.ts';
import { randomId } from '../core/random.ts';
import type { VerdictWord } from '../core/words.ts';
import { noiseOf } from '../finding/noise.ts';
import { type Suppression, taughtBy, wouldHide } from '../finding/suppression.ts';
import { effectOf, verdictIdOf } from '../finding/verdict.ts';
import type { FeedbackParts, SuppressionDraft, VerdictDraft, Who } from '../http/feedback-parts.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import type { Log } from '../log/log.ts';
import type { AnyNotice } from '../policy/notice.ts';
import type { FindingRow, StoreQueries } from '../store/queries.ts';
import { type FeedbackQueries, type PastRow, pastMax } from '../store/queries-feedback.ts';
import { fileSuppressions } from './assemble.ts';
import type { Tell } from './notices.ts';

export type FeedbackOptions = {
  readonly config: Config;
  readonly policy: PolicyConfig;
  readonly log: Log;
  readonly tell: Tell;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly queries: FeedbackQueries & Pick<StoreQueries, 'finding'>;
};

const examplesMax = 10;

/** What people say of findings: the audit first, then the shards, then the channels of alerts. */
export function createFeedback(options: FeedbackOptions): FeedbackParts {
  const { queries, clock, policy } = options;
  const past = async (needsCalls: boolean): Promise<readonly PastRow[]> =>
    queries.past({ now: clock.now(), withCalls: needsCalls });
  return {
    giveVerdict: async (id, draft, who) => {
      const finding = await queries.finding(id);
      return finding && giveVerdict(options, finding, { draft, who, noticeId: randomId('ntc') });
    },
    undoVerdict: (id, who) => undoVerdict(options, id, who),
    verdicts: (filter) => queries.verdicts(filter),
    suppress: async (draft, who) => {
      const suppression = suppressionOf(draft, clock.now());
      const { caller, from } = who;
      const { suppression_id: about } = suppression;
      await options.audit({
        who: caller,
        from,
        action: 'suppression.make',
        about,
        detail: JSON.stringify(suppression),
      });
      await options.tell([noticeOf(options, who, { notice: 'suppress', identity: null, suppression })]);
      return about;
    },
    liftSuppression: async (id, who) => {
      const stored = await queries.suppression(id);
      if (stored === undefined || stored.state === 'lifted') return false;
      const { caller, from } = who;
      await options.audit({ who: caller, from, action: 'suppression.lift', about: id, detail: '{}' });
      await options.tell([noticeOf(options, who, { notice: 'unsuppress', identity: null, suppression_id: id })]);
      return true;
    },
    suppressions: async () => {
      const [stored, hits] = await Promise.all([queries.suppressions(clock.now()), queries.hits()]);
      const byId = new Map(hits.map(({ suppression_id, ...rest }) => [suppression_id, rest]));
      const own = stored.map(({ cause, version: _, state: __, ...row }) => ({
        ...row,
        cause: cause === '' ? null : (JSON.parse(cause) as object),
      }));
      return [...own, ...ofTheFile(policy)].map((row) => ({
        ...row,
        ...(byId.get(row.suppression_id) ?? { hits: 0, last_hit: null }),
      }));
    },
    preview: async (draft) => {
      const rows = await past(draft.route !== null || draft.network !== null);
      return previewOf(rows, suppressionOf(draft, clock.now()));
    },
    noise: async () => {
      const rows = await past(true);
      const told = rows.filter(({ state }) => state !== 'suppressed');
      return noiseOf(told.map((row) => ({ ...row, route: routeOf(row) })));
    },
  };
}

type Given = { readonly draft: VerdictDraft; readonly who: Who; readonly noticeId: string };

/** The same notice id twice is one verdict. */
export async function giveVerdict(options: FeedbackOptions, finding: FindingRow, { draft, who, noticeId }: Given) {
  const { audit, tell, clock, queries } = options;
  const { finding_id, identity } = finding;
  const { verdict, scope, note } = draft;
  const verdict_id = verdictIdOf(noticeId);
  const now = clock.now();
  const effect = effectOf(verdict);
  const isWide = scope !== 'identity';
  const rows = effect === 'teaches' && isWide ? await queries.past({ now, withCalls: scope === 'route' }) : [];
  const own = rows.find((row) => row.finding_id === finding_id);
  const route = draft.route ?? own?.calls[0]?.route ?? null;
  if (effect === 'teaches' && scope === 'route' && route === null) return 'no-route';
  const suppression =
    effect === 'teaches'
      ? taughtBy(
          {
            verdict_id,
            scope,
            route,
            owner: who.caller,
            reason: note || `verdict ${verdict}`,
            until: now + draft.expiresMs,
          },
          finding,
        )
      : null;
  const detail = JSON.stringify({
    finding_ids: [finding_id],
    scope,
    note,
    suppression_id: suppression?.suppression_id,
  });
  await audit({ who: who.caller, from: who.from, action: `verdict.${verdict}`, about: identity, detail });
  const said = { session_id: null, at: now, by: who.caller, reason: note };
  const notices: AnyNotice[] = [
    { ...said, notice_id: noticeId, notice: 'verdict', identity, finding_id, verdict, suppression },
  ];
  if (suppression !== null && isWide) {
    const notice_id = derivedId('ntc', [noticeId, 'everybody']);
    notices.push({ ...said, notice_id, notice: 'suppress', identity: null, suppression });
  }
  await tell(notices);
  await tellChannels(options, finding, { verdict, by: who.caller, at: now });
  const alike = suppression === null ? [] : rows.filter(isOpen).filter(hides(suppression));
  const closes =
    effect === 'notes' || effect === 'confirms' ? 0 : Math.max(alike.length, finding.state === 'open' ? 1 : 0);
  return { verdict_id, closes, suppression_id: suppression?.suppression_id ?? null };
}

async function undoVerdict(options: FeedbackOptions, id: string, who: Who): Promise<boolean> {
  const { queries, audit, tell } = options;
  const given = await queries.verdict(id);
  if (given === undefined || given.state === 'undone') return false;
  const { finding_id, verdict, identity } = given;
  const suppression_id = given.suppression_id === '' ? null : given.suppression_id;
  const detail = JSON.stringify({ verdict_id: id, finding_ids: [finding_id], suppression_id });
  await audit({ who: who.caller, from: who.from, action: 'verdict.undo', about: identity, detail });
  const undone = { notice: 'verdict-undone', verdict_id: id, finding_id, verdict, suppression_id } as const;
  const notices: AnyNotice[] = [noticeOf(options, who, { ...undone, identity: identity as IdentityKey })];
  // Wherever it was taught to.
  if (suppression_id !== null)
    notices.push(noticeOf(options, who, { notice: 'unsuppress', identity: null, suppression_id }));
  await tell(notices);
  const finding = await queries.finding(finding_id);
  if (finding !== undefined)
    await tellChannels(options, finding, { verdict: null, by: who.caller, at: options.clock.now() });
  return true;
}

/** Boards of alerts know the verdict at once: what was not told yet is not told any more. */
async function tellChannels(
  { log, config }: FeedbackOptions,
  { incident_id, finding_id }: FindingRow,
  said: { readonly verdict: VerdictWord | null; readonly by: string; readonly at: number },
): Promise<void> {
  if (config.alerts.channels.length === 0) return;
  const verdict = { incident_id, finding_ids: [finding_id], ...said, by: said.by.slice(0, 100) };
  await log.append(config.topics.alerts, [{ value: JSON.stringify({ kind: 'verdict', verdict }) }]);
}

type Undated<T> = T extends AnyNotice ? Omit<T, 'notice_id' | 'at' | 'by' | 'reason' | 'session_id'> : never;

function noticeOf({ clock }: FeedbackOptions, { caller }: Who, notice: Undated<AnyNotice>): AnyNotice {
  const said = { notice_id: randomId('ntc'), session_id: null, at: clock.now(), by: caller, reason: '' };
  return { ...notice, ...said } as AnyNotice;
}

function suppressionOf({ expiresMs, ...draft }: SuppressionDraft, now: number): Suppression {
  return { ...draft, suppression_id: randomId('sup'), verdict_id: null, cause: null, until: now + expiresMs };
}

function ofTheFile(policy: PolicyConfig) {
  return fileSuppressions(policy).map(({ until, ...rest }) => ({
    ...rest,
    until: new Date(until).toISOString(),
    made_by: 'file',
    made_at: null,
  }));
}

function previewOf(rows: readonly PastRow[], suppression: Suppression): object {
  const hidden = rows.filter(({ state }) => state !== 'suppressed').filter(hides(suppression));
  const by_kind: Record<string, number> = {};
  for (const { kind } of hidden) by_kind[kind] = (by_kind[kind] ?? 0) + 1;
  return {
    findings: hidden.length,
    open: hidden.filter(isOpen).length,
    true_positives: hidden.filter(({ verdict }) => verdict !== null && effectOf(verdict) === 'confirms').length,
    by_kind,
    examples: hidden.slice(0, examplesMax).map(({ peers: _, cause: __, calls: ___, ...row }) => row),
    is_cut: rows.length >= pastMax,
  };
}

function hides(suppression: Suppression): (row: PastRow) => boolean {
  const test = wouldHide(suppression);
  return (row) => test({ ...row, at: Date.parse(row.last_seen) });
}

function isOpen({ state }: PastRow): boolean {
  return state === 'open';
}

function routeOf({ calls }: PastRow): string | null {
  const routes = new Set(calls.map(({ route }) => route));
  return routes.size === 1 ? [...routes][0]! : null;
}
