import { CallShares } from './call-shares.ts';
import { ChangePatterns } from './change-patterns.ts';
import { FunctionNumbers } from './function-numbers.ts';
import { ObjectOwners } from './object-owners.ts';
import { Outages } from './outages.ts';
import { ReachCounts } from './reach-counts.ts';
import { SourceTable } from './source-table.ts';
import { TallyHabits } from './tally-habits.ts';
import { Transitions } from './transitions.ts';

/**
 * What a shard knows across identities beyond what the population counts. Each table has a limit, and shows what it held when the frame
 * began: what a frame's events add becomes visible together, in an order that does not depend on how identities were interleaved.
 */
type Table = {
  readonly bytes: number;
  readonly advance: (ts: number) => void;
  readonly snapshot: () => unknown;
  readonly restore: (snapshot: never) => void;
};

/** Where nobody has been seen yet: ln(1 + KiB) of about a kilobyte, and ln ms of 3 seconds, give or take a factor of 7. */
const kilobyte = { mean: 0.7, deviation: 2 };
const pace = { mean: 8, deviation: 2 };

export class Shared {
  readonly owners = new ObjectOwners();
  readonly habits = new TallyHabits();
  readonly shares = new CallShares();
  readonly answerSizes = new FunctionNumbers(kilobyte);
  readonly requestSizes = new FunctionNumbers(kilobyte);
  /** Of the gap before a call, ms: people and machines call the same function at their own pace. */
  readonly gaps = {
    human: new FunctionNumbers(pace),
    service: new FunctionNumbers(pace),
    unknown: new FunctionNumbers(pace),
  };
  readonly outages = new Outages();
  /** How tokens are used on identity-days, and what is new on them. */
  readonly tokenPatterns = new ChangePatterns();
  readonly dayPatterns = new ChangePatterns();
  readonly reach = new ReachCounts();
  readonly sources = new SourceTable();
  readonly transitions = new Transitions();
  readonly #tables: Readonly<Record<string, Table>> = {
    transitions: this.transitions,
    sources: this.sources,
    owners: this.owners,
    habits: this.habits,
    shares: this.shares,
    answerSizes: this.answerSizes,
    requestSizes: this.requestSizes,
    humanGaps: this.gaps.human,
    serviceGaps: this.gaps.service,
    unknownGaps: this.gaps.unknown,
    outages: this.outages,
    tokenPatterns: this.tokenPatterns,
    dayPatterns: this.dayPatterns,
    reach: this.reach,
  };

  get bytes(): number {
    return Object.values(this.#tables).reduce((sum, table) => sum + table.bytes, 0);
  }

  advance(ts: number): void {
    for (const table of Object.values(this.#tables)) table.advance(ts);
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(Object.entries(this.#tables).map(([name, table]) => [name, table.snapshot()]));
  }

  restore(saved: Readonly<Record<string, unknown>>): void {
    for (const [name, table] of Object.entries(this.#tables)) table.restore(saved[name] as never);
  }
}
