import type { SetResult, Spent } from './measure.ts';
import type { NabRow } from './nab.ts';
import { per1000Days } from './outcome.ts';
import { median } from './ranking.ts';
import { isHigh, splitCell } from './report.ts';
import { takeoverFindings } from './source-activity.ts';
import { digits, type Table } from './table.ts';

/** Something that must hold, and whether it does. */
export type Claim = {
  readonly claim: string;
  readonly required: string;
  readonly measured: string;
  readonly holds: boolean;
};

export function claimTable(claims: readonly Claim[]): Table {
  return {
    title: `Must hold: ${claims.filter(({ holds }) => holds).length} of ${claims.length} do`,
    columns: ['what', 'required', 'measured', 'holds'],
    rows: claims.map(({ claim, required, measured, holds }) => [claim, required, measured, holds ? 'yes' : 'NO']),
  };
}

/** What must hold on a set, at the shipped defaults and the default budget. Peers are compared with on every set. */
export function claimsOf(result: SetResult, gaitRows: ReadonlySet<string>): Claim[] {
  const own = bySet[result.set] ?? simulated;
  return [...own(result), ...budgets(result), ...peers(result, gaitRows)];
}

const bySet: Readonly<Record<string, (result: SetResult) => Claim[]>> = {
  'source-activity': sourceActivity,
  'rest-sessions': restSessions,
  cloudtrail,
  newcomers,
};

function atLeast(claim: string, measured: number, required: number): Claim {
  return { claim, required: `at least ${required}`, measured: digits(measured, 4), holds: measured >= required };
}

function sourceActivity({ set, ranked, traffic, shipped }: SetResult): Claim[] {
  const { surprise, evidence } = ranked[0]!.items!;
  const { raised, falseRate } = takeoverFindings(traffic, shipped.raised);
  return [
    atLeast(`${set}: AUROC of mean surprise`, surprise.auroc, 0.86),
    atLeast(`${set}: AUROC of evidence`, evidence.auroc, 0.9),
    ...[0.2, 0.38, 0.55].map((least, i) =>
      atLeast(`${set}: windows caught at ${['0.1', '1', '5'][i]} % false positives`, surprise.hits[i]!, least),
    ),
    {
      claim: `${set}: takeovers raised; false findings per 1,000 active identities and 30 days`,
      required: 'at least 18 of 34; at most 3',
      measured: `${raised} of ${traffic.incidents.length}; ${digits(falseRate, 2)}`,
      holds: raised >= 18 && falseRate <= 3,
    },
  ];
}

function restSessions({ set, ranked }: SetResult): Claim[] {
  const { evidence } = ranked[0]!.items!;
  return [
    atLeast(`${set}: AUROC of evidence by session`, evidence.auroc, 0.9965),
    atLeast(`${set}: attack sessions caught at 1 % false positives`, evidence.hits[1]!, 0.985),
  ];
}

/** Names that fit into a cell. */
const missedShown = 4;

/** A technique is covered when a finding of the right identity reaches over its time. */
function cloudtrail({ set, shipped, spent }: SetResult): Claim[] {
  const { outcomes } = spent[0]!;
  const missed = outcomes.filter((each) => !each.covered).map(({ incident }) => incident.incident);
  const some =
    missed.length === 0
      ? ''
      : `; missed ${missed.slice(0, missedShown).join(', ')}${missed.length > missedShown ? ', …' : ''}`;
  // Services call under their own name, which the decoder makes a client.
  const services = shipped.raised.filter(({ finding }) => finding.identity_kind === 'client').length;
  return [
    {
      claim: `${set}: techniques after the first ten minutes covered by a finding of the right identity`,
      required: `${outcomes.length} of ${outcomes.length}`,
      measured: `${outcomes.length - missed.length} of ${outcomes.length}${some}`,
      holds: missed.length === 0,
    },
    {
      claim: `${set}: findings of AWS service callers`,
      required: 'at most 2',
      measured: `${services}`,
      holds: services <= 2,
    },
  ];
}

function newcomers({ set, spent }: SetResult): Claim[] {
  return spent[0]!.outcomes
    .filter(({ incident }) => incident.kind === 'attack')
    .map(({ incident, found, delayEvents }) => ({
      claim: `${set}: a brand-new identity that ${{ refused: 'is refused', privileged: 'makes privileged calls' }[incident.recipe] ?? incident.recipe}`,
      required: 'found within 25 calls',
      measured: found ? `after ${delayEvents}` : 'not found',
      holds: found && delayEvents <= 25,
    }));
}

function simulated({ set, spent }: SetResult): Claim[] {
  const { outcomes } = spent[0]!;
  const attacks = outcomes.filter(({ incident }) => incident.kind === 'attack');
  const lookAlikes = outcomes.filter(({ incident }) => incident.kind === 'look-alike');
  const found = attacks.filter((each) => each.found);
  const fast = median(found.flatMap((each) => (each.incident.pace === 'fast' ? each.delayEvents : [])));
  const explained = found.filter(({ incident }) => incident.expected.length > 0);
  const high = lookAlikes.filter(isHigh).length / Math.max(1, lookAlikes.length);
  return [
    atLeast(`${set}: share of incidents found`, found.length / attacks.length, 0.9),
    {
      claim: `${set}: median delay of fast attacks, calls`,
      required: 'at most 30',
      measured: digits(fast, 0),
      holds: fast <= 30,
    },
    {
      claim: `${set}: share of look-alikes with a finding of severity high`,
      required: 'at most 0.05',
      measured: digits(high, 4),
      holds: high <= 0.05,
    },
    atLeast(
      `${set}: found with an expected reason in the top three`,
      explained.filter((each) => each.reasonsRight).length / explained.length,
      1,
    ),
  ];
}

export function nabClaims(rows: readonly NabRow[]): Claim[] {
  return rows
    .filter(({ series }) => /^(even|all), at the threshold/.test(series))
    .map(({ series, score }) => atLeast(`nab: standard profile, ${series}`, score, 60));
}

/** All false findings count, those of look-alikes too; how they split is told beside it. The budget is met within a quarter, once there are enough days for a quarter to mean something (ten findings expected). */
function budgets({ set, spent }: SetResult): Claim[] {
  const shipped = spent.filter(({ detector }) => detector === spent[0]!.detector);
  return shipped.flatMap(({ budget, spending }) => {
    const realised = per1000Days(spending);
    const split = splitCell(spending);
    if (budget === null || realised === null || (spending.identityDays * budget) / 1000 < 10) return [];
    return {
      claim: `${set}: false findings per 1,000 innocent identity-days at budget ${budget}`,
      required: `${0.75 * budget} to ${1.25 * budget}`,
      measured: `${digits(realised, 3)}${split === '-' ? '' : ` (by ordinary identities; by those with a look-alike: ${split})`}`,
      holds: Math.abs(realised - budget) <= 0.25 * budget,
    };
  });
}

function peers({ set, spent, ranked }: SetResult, gaitRows: ReadonlySet<string>): Claim[] {
  const shipped = spent[0]!;
  const share = ({ outcomes }: Spent): number =>
    outcomes.filter((each) => each.incident.kind === 'attack' && each.covered).length;
  // Made up around a recording, to ask one question.
  if (set === 'newcomers') return [];
  const rivals = spent.filter(({ detector, budget }) => !gaitRows.has(detector) && budget === shipped.budget);
  return rivals.map((rival) => {
    const theirs = ranked.find(({ detector }) => detector === rival.detector)!.rankings.days.auroc;
    const ours = ranked[0]!.rankings.days.auroc;
    return {
      claim: `${set}: beats ${rival.detector} (incidents covered at the same false findings; AUROC of identity-days)`,
      required: `${share(rival)}; ${digits(theirs, 4)}`,
      measured: `${share(shipped)}; ${digits(ours, 4)}`,
      holds: share(shipped) >= share(rival) && ours >= theirs,
    };
  });
}
