import type { Severity } from '../finding/finding.ts';
import type { Ranked, SetResult, Spent } from './measure.ts';
import type { NabRow } from './nab.ts';
import { type IncidentOutcome, onLookAlikes, per1000Days, type RankedBy, type Spending } from './outcome.ts';
import { median, type Roc } from './ranking.ts';
import { digits, duration, percent, type Table } from './table.ts';

/** The tables of one set, from the broad to the particular. */
export function tablesOf(result: SetResult): Table[] {
  const shipped = result.spent[0]!;
  const attacks = shipped.outcomes.filter(({ incident }) => incident.kind === 'attack');
  const lookAlikes = shipped.outcomes.filter(({ incident }) => incident.kind === 'look-alike');
  const tables = [rankingTable(result), budgetTable(result)];
  if (new Set(attacks.map(({ incident }) => incident.recipe)).size > 1) tables.push(recipeTable(result, attacks));
  if (new Set(attacks.map(({ incident }) => incident.family)).size > 1) tables.push(familyTable(result));
  if (lookAlikes.length > 0) tables.push(lookAlikeTable(result, lookAlikes));
  return tables;
}

function rankingTable({ set, ranked, traffic }: SetResult): Table {
  const hasItems = ranked[0]!.items !== null;
  const attacks = traffic.ts.filter((_, i) => traffic.isAttack(i)).length;
  return {
    title: `${set}: ranking (${traffic.size} events of ${traffic.identities.length} identities, ${attacks} of attacks)`,
    columns: [
      ...['detector', ...rankingColumns],
      ...(hasItems ? ['AUROC mean surprise', 'hits at 0.1 / 1 / 5 % false', 'AUROC evidence', 'hits'] : []),
    ],
    rows: ranked.map(({ detector, rankings, items }: Ranked) => [
      detector,
      ...rankingCells(rankings),
      ...(items === null ? [] : [...rocCells(items.surprise), ...rocCells(items.evidence)]),
    ]),
  };
}

/** Of all who are ranked alike: a peer has one score, and both of an event are that. */
const rankingColumns = ['events by surprise', 'events by evidence', 'identity-days'].flatMap((of) => [
  `AUROC ${of}`,
  `AP ${of}`,
]);

function rankingCells({ events, states, days }: RankedBy): string[] {
  return [events, states, days].flatMap(({ auroc, averagePrecision }) => [
    digits(auroc, 4),
    digits(averagePrecision, 4),
  ]);
}

function rocCells({ auroc, hits }: Roc): string[] {
  return [digits(auroc, 4), hits.map((hit) => hit.toFixed(3)).join(' / ')];
}

function budgetTable({ set, spent }: SetResult): Table {
  return {
    title: `${set}: incidents found at budgets (findings per 1,000 identities and day)`,
    columns: [
      ...[
        'detector',
        'budget',
        'false findings / innocent identity-days',
        'realised',
        'by ordinary identities; by those with a look-alike',
        'found',
        'of fast',
        'of slow',
        'covered',
      ],
      ...['median delay, calls', 'and time', 'look-alikes raised', 'high or critical'],
    ],
    rows: [...spent].sort((a, b) => (a.budget ?? 1000) - (b.budget ?? 1000)).map(budgetRow),
  };
}

function budgetRow({ detector, budget, spending, outcomes }: Spent): string[] {
  const attacks = outcomes.filter(({ incident }) => incident.kind === 'attack');
  const lookAlikes = outcomes.filter(({ incident }) => incident.kind === 'look-alike');
  return [
    detector,
    budget === null ? '-' : String(budget),
    `${spending.falseFindings} / ${spending.identityDays}`,
    digits(per1000Days(spending), 2),
    splitCell(spending),
    ...[undefined, 'fast', 'slow'].map((pace) =>
      foundCell(attacks.filter((each) => !pace || each.incident.pace === pace)),
    ),
    foundCell(attacks, (each) => each.covered),
    digits(median(attacks.flatMap((each) => (each.found ? each.delayEvents : []))), 0),
    duration(median(attacks.flatMap((each) => (each.found ? each.delayMs : [])))),
    foundCell(lookAlikes),
    // A peer's alert has no severity.
    lookAlikes.some((each) => each.found && each.severity === null) ? '-' : foundCell(lookAlikes, isHigh),
  ];
}

/** Per 1,000 identity-days of their own; `-` where nothing tells them apart. */
export function splitCell(spending: Spending): string {
  const others = onLookAlikes(spending);
  if (spending.ordinary === null || others === null) return '-';
  return `${digits(per1000Days(spending.ordinary), 2)}; ${digits(per1000Days(others), 2)}`;
}

function foundCell(outcomes: readonly IncidentOutcome[], counts = (each: IncidentOutcome) => each.found): string {
  const hits = outcomes.filter(counts).length;
  return outcomes.length === 0 ? '-' : `${hits} of ${outcomes.length} (${percent(hits, outcomes.length)})`;
}

export function isHigh({ severity }: { readonly severity: Severity | null }): boolean {
  return severity === 'high' || severity === 'critical';
}

function recipeTable({ set }: SetResult, attacks: readonly IncidentOutcome[]): Table {
  return {
    title: `${set}: by attack, Gait as shipped at its default budget`,
    columns: [
      'attack',
      'family',
      'pace',
      'found',
      'median delay, calls',
      'and time',
      'an expected reason in the top three',
    ],
    rows: byRecipe(attacks).map((own) => {
      const found = own.filter((each) => each.found);
      const { recipe, family, pace, expected } = own[0]!.incident;
      return [
        ...[recipe, family, pace, foundCell(own)],
        digits(median(found.map((each) => each.delayEvents)), 0),
        duration(median(found.map((each) => each.delayMs))),
        expected.length === 0 || found.length === 0
          ? '-'
          : `${found.filter((each) => each.reasonsRight).length} of ${found.length}`,
      ];
    }),
  };
}

function byRecipe(outcomes: readonly IncidentOutcome[]): IncidentOutcome[][] {
  const keyOf = ({ incident: { family, recipe, pace } }: IncidentOutcome): string => `${family} ${recipe} ${pace}`;
  const keys = [...new Set(outcomes.map(keyOf))].sort();
  return keys.map((key) => outcomes.filter((each) => keyOf(each) === key));
}

function familyTable({ set, ranked }: SetResult): Table {
  const { byFamily } = ranked[0]!.rankings;
  return {
    title: `${set}: by family of attacks, Gait as shipped`,
    columns: ['family', 'attack events', ...rankingColumns],
    rows: [...byFamily].map(([family, ranked]) => [family, String(ranked.events.attacks), ...rankingCells(ranked)]),
  };
}

function lookAlikeTable({ set }: SetResult, lookAlikes: readonly IncidentOutcome[]): Table {
  return {
    title: `${set}: innocent look-alikes, Gait as shipped at its default budget`,
    columns: ['look-alike', 'family', 'raised', 'high or critical'],
    rows: byRecipe(lookAlikes).map((own) => {
      const { recipe, family } = own[0]!.incident;
      return [recipe, family, foundCell(own), foundCell(own, isHigh)];
    }),
  };
}

export function nabTable(rows: readonly NabRow[]): Table {
  return {
    title: 'nab: standard profile, the series detector of the rate family',
    columns: ['series', 'how many', 'score', 'threshold'],
    rows: rows.map(({ series, count, score, threshold }) => [
      series,
      String(count),
      digits(score, 1),
      digits(threshold, 2),
    ]),
  };
}
