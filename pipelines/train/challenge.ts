import { digits, percent, type Table } from '../../src/evaluate/table.ts';
import type { Finding } from '../../src/finding/finding.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Shard, type ShardOptions } from '../../src/pipeline.ts';

/** A claim about an identity and a stretch of time: what two models agree on, or not. Times in ms. */
export type Claim = Pick<Finding, 'identity' | 'first_seen' | 'last_seen'>;

export type Showing = {
  readonly name: string;
  readonly meanSurprise: number;
  /** Raised on the held-out days. */
  readonly findings: readonly Claim[];
  readonly identityDays: number;
};

const dayMs = 86_400_000;
const eventsPerDrain = 512;

/** One model in the engine, run over all days and measured from a time on that it was not trained on. */
export class Contender {
  readonly #name: string;
  readonly #from: number;
  readonly #shard: Shard;
  readonly #findings = new Map<string, Finding>();
  readonly #before = new Set<string>();
  readonly #days = new Set<string>();
  #surprise = 0;
  #events = 0;
  #accepted = 0;

  constructor(name: string, options: ShardOptions, from: number) {
    this.#name = name;
    this.#from = from;
    this.#shard = new Shard(options);
  }

  accept(event: ResolvedEvent): void {
    this.#shard.accept(event);
    if (++this.#accepted % eventsPerDrain === 0) this.#take();
  }

  end(): Showing {
    this.#shard.flush();
    this.#take();
    const findings = [...this.#findings].flatMap(([id, finding]) => (this.#before.has(id) ? [] : [finding]));
    const meanSurprise = this.#surprise / this.#events;
    return { name: this.#name, meanSurprise, findings, identityDays: this.#days.size };
  }

  #take(): void {
    const { verdicts, findings } = this.#shard.drain();
    for (const { resolved, surprise, findings: open } of verdicts) {
      const { ts } = resolved.event;
      if (ts < this.#from) {
        for (const id of open) this.#before.add(id);
        continue;
      }
      this.#surprise += surprise;
      this.#events++;
      this.#days.add(`${resolved.identity} ${Math.floor(ts / dayMs)}`);
    }
    for (const finding of findings) this.#findings.set(finding.finding_id, finding);
  }
}

/** Champion first. `known`: findings of those days that the store remembers, that analysts know of. */
export function compare(
  showings: readonly Showing[],
  of: { readonly known: readonly Claim[]; readonly budget: number },
): Table {
  const champion = showings[0]!;
  const rows = showings.map(({ name, meanSurprise, findings, identityDays }, i) => {
    const rate = digits((1000 * findings.length) / identityDays, 2);
    const both = i === 0 ? '-' : percent(again(champion.findings, findings), champion.findings.length);
    const known = `${again(of.known, findings)} of ${of.known.length}`;
    return [`${name}${i === 0 ? ' (champion)' : ''}`, rate, both, digits(meanSurprise, 4), known];
  });
  return {
    title: `Champion and challengers on held-out days: ${champion.identityDays} identity-days, ${of.budget} findings per 1,000 configured`,
    columns: ['model', 'findings per 1,000', "champion's found again", 'mean surprise', 'known found again'],
    rows,
  };
}

/** How many of the claims another set makes as well: of the same identity, at overlapping times. */
function again(claims: readonly Claim[], others: readonly Claim[]): number {
  return claims.filter((claim) =>
    others.some(
      (other) =>
        other.identity === claim.identity && other.first_seen <= claim.last_seen && other.last_seen >= claim.first_seen,
    ),
  ).length;
}
