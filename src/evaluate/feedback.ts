import type { Claim } from './claims.ts';
import { type FindingScores, incidentOutcomes, type Raised } from './outcome.ts';
import { digits, type Table } from './table.ts';
import type { Traffic } from './traffic.ts';

/** What an analyst would have said after a pass, and what the next pass said then. */
export type FeedbackRun = {
  readonly name: string;
  readonly before: FindingScores;
  readonly after: FindingScores;
  /** Which findings are of one cause, as far as the verdicts reach. */
  readonly causeOf: (raised: Raised) => string;
};

const graceMs = 3_600_000;
/** Of false findings of the same cause. */
const lessMin = 0.9;
/** Of attacks found, in points. */
const lossMax = 0.01;

/** Findings that name no attacked identity while it was attacked, an hour more included. */
export function falseOf(traffic: Traffic, { raised }: FindingScores): Raised[] {
  const attacks = traffic.incidents.filter(({ kind }) => kind === 'attack');
  return raised.filter(
    ({ finding }) =>
      !attacks.some(
        ({ identities, first_ts, last_ts }) =>
          identities.includes(finding.identity) &&
          finding.first_seen <= last_ts + graceMs &&
          finding.last_seen >= first_ts,
      ),
  );
}

/** False findings of the judged causes, all false findings, and attacks found: before and after. */
function measure(traffic: Traffic, run: FeedbackRun) {
  const judged = falseOf(traffic, run.before);
  const causes = new Set(judged.map(run.causeOf));
  const left = falseOf(traffic, run.after);
  const found = (scores: FindingScores): number =>
    incidentOutcomes(traffic, scores).filter((each) => each.incident.kind === 'attack' && each.found).length;
  const attacks = traffic.incidents.filter(({ kind }) => kind === 'attack').length;
  return {
    causes: causes.size,
    same: [judged.length, left.filter((each) => causes.has(run.causeOf(each))).length] as const,
    all: [judged.length, left.length] as const,
    found: [found(run.before), found(run.after)] as const,
    attacks,
  };
}

export function feedbackTable(set: string, traffic: Traffic, runs: readonly FeedbackRun[]): Table {
  return {
    title: `Verdicts on every false finding, and the same traffic again (${set})`,
    columns: [
      'scope',
      'budget',
      'causes',
      'false findings of them',
      'less',
      'all false findings',
      'attacks found',
      'of',
    ],
    rows: runs.map((run) => {
      const { causes, same, all, found, attacks } = measure(traffic, run);
      return [
        run.name,
        String(run.before.budget),
        String(causes),
        `${same[0]} → ${same[1]}`,
        same[0] === 0 ? '-' : `${digits(100 * (1 - same[1] / same[0]), 1)} %`,
        `${all[0]} → ${all[1]}`,
        `${found[0]} → ${found[1]}`,
        String(attacks),
      ];
    }),
  };
}

/** Of the scope that a verdict has unless a person chooses another. */
export function feedbackClaims(set: string, traffic: Traffic, run: FeedbackRun): Claim[] {
  const { same, found, attacks } = measure(traffic, run);
  const less = 1 - same[1] / same[0];
  const loss = (found[0] - found[1]) / attacks;
  const at = `feedback, ${set}, budget ${run.before.budget}`;
  return [
    {
      claim: `${at}: false findings of the same cause after verdicts that they are false`,
      required: `at least ${100 * lessMin} % less`,
      measured: `${digits(100 * less, 1)} % less (${same[0]} → ${same[1]})`,
      holds: less >= lessMin,
    },
    {
      claim: `${at}: attacks found after these verdicts`,
      required: `at most ${100 * lossMax} point less`,
      measured: `${digits(100 * loss, 1)} points less (${found[0]} → ${found[1]} of ${attacks})`,
      holds: loss <= lossMax,
    },
  ];
}
