import type { Claim } from '../evaluate/claims.ts';
import { type FeedbackRun, falseOf, feedbackClaims, feedbackTable } from '../evaluate/feedback.ts';
import type { FindingScores, Raised } from '../evaluate/outcome.ts';
import { digits, type Table } from '../evaluate/table.ts';
import type { Traffic } from '../evaluate/traffic.ts';
import { type Scope, type Suppression, scopes, taughtBy } from '../finding/suppression.ts';
import type { AnyNotice } from '../policy/notice.ts';
import type { Model } from '../score/model.ts';
import { Engine, type LabelledStream, pass } from './evaluate-engine.ts';

/** The shipped budget, and one at which there are enough false findings to speak of. */
const budgets = [1, 10];

export type FeedbackResult = { readonly tables: readonly Table[]; readonly claims: readonly Claim[] };

/** What verdicts change: a pass, a verdict on each of its false findings, and the same traffic again with what they teach. */
export function evaluateFeedback(set: LabelledStream, model: Model | null): FeedbackResult {
  const routes = new Map<string, string>();
  const engineOf = (findingsPer1000PerDay: number, notices: readonly AnyNotice[]): Engine =>
    new Engine({ name: 'Gait', model, findingsPer1000PerDay, notices });
  const run = (engines: readonly Engine[]): { traffic: Traffic; scores: FindingScores[] } => {
    const traffic = pass(set, (event) => {
      routes.set(event.event_id, event.route);
      for (const engine of engines) engine.accept(event);
    });
    return { traffic, scores: engines.map((engine) => engine.end(traffic)) };
  };
  const first = run(budgets.map((budget) => engineOf(budget, [])));
  const { traffic } = first;
  const routeOf = ({ finding }: Raised): string => commonest(finding.event_ids.map((id) => routes.get(id) ?? ''));
  const planned = budgets.flatMap((budget, i) =>
    (budget === 1 ? scopes.slice(0, 1) : scopes).map((scope) => ({ budget, scope, before: first.scores[i]! })),
  );
  const taught = planned.map(({ scope, before }) =>
    falseOf(traffic, before).map((each) => taughtByAnalyst(each, scope, routeOf(each))),
  );
  const second = run([
    ...planned.map(({ budget }, i) => engineOf(budget, taught[i]!.map(given))),
    engineOf(1, [...taught[0]!.map(given), ...taught[0]!.map(takenBack)]),
  ]);
  const runs = planned.map(({ scope, before }, i): FeedbackRun => {
    const causeOf = (raised: Raised): string => causeIn(scope, raised, routeOf(raised));
    return { name: scope, before, after: second.scores[i]!, causeOf };
  });
  const undone = isSame(first.scores[0]!, second.scores.at(-1)!);
  return {
    tables: [feedbackTable(set.name, traffic, runs)],
    claims: [
      ...runs.filter(({ name }) => name === 'identity').flatMap((each) => feedbackClaims(set.name, traffic, each)),
      {
        claim: `feedback, ${set.name}: scores and findings when all verdicts are taken back`,
        required: 'byte for byte as before',
        measured: undone ? 'the same' : 'others',
        holds: undone,
      },
    ],
  };
}

function taughtByAnalyst({ finding }: Raised, scope: Scope, route: string): Suppression {
  const said = { verdict_id: finding.finding_id, scope, route, owner: 'evaluation', reason: 'false' };
  return taughtBy({ ...said, until: Number.MAX_SAFE_INTEGER }, finding);
}

const base = { identity: null, session_id: null, at: 0, by: 'evaluation', reason: 'false' } as const;

function given(suppression: Suppression, i: number): AnyNotice {
  return { ...base, notice: 'suppress', notice_id: `ntc_given-${i}`, suppression };
}

function takenBack({ suppression_id }: Suppression, i: number): AnyNotice {
  return { ...base, notice: 'unsuppress', notice_id: `ntc_taken-back-${i}`, suppression_id };
}

function causeIn(scope: Scope, { finding }: Raised, route: string): string {
  const { identity, tenant, kind, reasons } = finding;
  const whom = { identity, 'peer-group': reasons[0]?.peer_group, route: `${tenant} ${route}` }[scope];
  return `${kind} ${whom}`;
}

function isSame(a: FindingScores, b: FindingScores): boolean {
  return digest(a) === digest(b);
}

function digest({ event, state, raised }: FindingScores): string {
  const sum = (scores: Float64Array): string =>
    digits(
      scores.reduce((all, each) => all + each, 0),
      9,
    );
  return JSON.stringify([sum(event), sum(state), raised]);
}

function commonest(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0] ?? '';
}
