import type { RowSlab } from '../baseline/row-slab.ts';
import { hash64 } from '../core/hash.ts';
import type { Moment as EventMoment } from '../feature/family.ts';
import type { Entry } from '../score/batch.ts';
import type { Excuse } from '../score/spare.ts';
import { addToCase } from './case-file.ts';
import { type Claims, type FindingEvent, isAnyOpen, newsDecades, oddDecades, type Story } from './claim.ts';
import { type EvidenceBudget, emptyEvidence } from './evidence-budget.ts';
import type { Finding } from './finding.ts';
import { beginAnew, beginHearing, type Hearing, hear, weighHearing } from './hearing.ts';
import { coverage, type Suppression, Suppressions } from './suppression.ts';

export type IdentityCase = Story & {
  /** The same without what people expect; null while nobody expects any of it. */
  hearing: Hearing | null;
};

export type FeedbackOptions = {
  readonly slab: RowSlab;
  readonly cases: ReadonlyMap<string, IdentityCase>;
  readonly budget: EvidenceBudget;
  readonly claims: Claims;
  readonly touched: (identity: string) => void;
  /** Of the configuration: there from the start, and not part of the state. */
  readonly suppressions: readonly Suppression[];
};

/** When it is said, and the running number of what changes by it. */
type Moment = { readonly at: number; readonly seq: number };

/**
 * What people say of findings, and what is told then. Cases go on as if nothing had been said: what is expected is left out of a copy of them, the
 * hearing, and claims are made of that one.
 */
export class Feedback {
  readonly suppressions = new Suppressions();
  readonly #of: FeedbackOptions;
  readonly #evidence = emptyEvidence();

  constructor(of: FeedbackOptions) {
    this.#of = of;
    for (const suppression of of.suppressions) this.suppressions.add(suppression);
  }

  /** What people expect of an event; nearly always nothing. */
  excuseOf({ resolved, population, group }: EventMoment): Excuse | undefined {
    if (this.suppressions.size === 0) return undefined;
    const { identity, route, event } = resolved;
    const calls = [{ route, clientIp: event.client_ip }];
    return this.suppressions.excuseFor({ identity, peers: population.groupName(group), calls, at: event.ts });
  }

  /** Before anything is claimed of an event: from the first one of which something is expected, the case has a hearing. */
  listen(found: IdentityCase, seen: Entry): void {
    const { slab, budget, touched } = this.#of;
    const { spared, resolved, row } = seen;
    if (found.hearing === null && spared === null) return;
    touched(resolved.identity);
    const to = { budget, evidence: this.#evidence, slab, row };
    if (found.hearing !== null) {
      hear(found.hearing, seen, to);
      return;
    }
    found.hearing = beginHearing(found, { slab, row, excuse: spared!.excuse, ts: resolved.event.ts });
    weighHearing(found.hearing, to);
  }

  /** What is told of an event, of what its case claims of it: all of that, unless some of it is expected. */
  tell(
    { hearing }: IdentityCase,
    seen: Entry,
    made: { readonly changes: FindingEvent[]; readonly odd: boolean },
  ): FindingEvent[] {
    if (hearing === null) return made.changes.map(named);
    const evidence = this.#evidence;
    const isOdd = made.odd && (seen.spared === null || seen.spared.contributions.length > 0);
    if (isOdd) this.#addTo(hearing, seen);
    const contributions = seen.spared?.contributions ?? seen.contributions;
    const shares = (family: number): number => hearing.shares[family]!;
    // What is left may be too little of each to be put into words: that is nothing to claim.
    const isClaimed = (isOdd || evidence.loudest >= oddDecades) && Object.keys(hearing.file.tallies).length > 0;
    const told = isClaimed ? this.#of.claims.make(hearing, { seen, contributions, evidence, shares }) : [];
    const withheld = made.changes.flatMap(({ finding }): FindingEvent[] =>
      hearing.open.some((open) => open?.finding_id === finding.finding_id)
        ? []
        : [{ finding: suppressed(finding, hearing.by), change: 'suppressed' }],
    );
    return [...told.map(named), ...withheld];
  }

  /** All that is told of a case is over. */
  close(identity: string, found: IdentityCase, seq: number): Finding[] {
    const closed = openOf(found).flatMap((open) =>
      open?.state === 'open' ? [{ ...open, state: 'closed' as const, version: seq }] : [],
    );
    if (found.hearing === null) return closed;
    this.#of.touched(identity);
    beginAnew(found.hearing, found.file.lastSeen);
    return closed;
  }

  #addTo(hearing: Hearing, seen: Entry): void {
    const contributions = seen.spared?.contributions ?? seen.contributions;
    const { event_id, route, event } = seen.resolved;
    addToCase(hearing.file, {
      event_id,
      ts: event.ts,
      surprise: seen.surprise,
      route,
      clientIp: event.client_ip,
      success: event.status === null || event.status < 400,
      contributions,
      keepsOpen: this.#evidence.together >= this.#of.budget.threshold - newsDecades || !isAnyOpen(hearing.open),
    });
  }

  /** The open finding, as it is told. */
  openFinding(identity: string, id: string): Finding | undefined {
    return openOf(this.#of.cases.get(identity)).find((open) => open?.finding_id === id) ?? undefined;
  }

  /** From now on; open findings that rest on nothing else are suppressed, and returned. */
  suppress(suppression: Suppression, moment: Moment): Finding[] {
    if (suppression.until <= moment.at) return [];
    this.suppressions.add(suppression);
    const covers = coverage(suppression);
    return [...this.#of.cases].flatMap(([identity, found]) => {
      const concerned = concernedOf(identity, found);
      if (concerned === undefined || !covers(concerned)) return [];
      return this.#reconsider(identity, found, { ...moment, by: suppression.suppression_id });
    });
  }

  /**
   * A person's word about one finding: it is no longer told, and what has gathered for it counts for nothing new. `isMuted`: while it goes on it
   * stays silent; otherwise what comes is judged without what is expected, as a story of its own.
   */
  dismiss(
    finding: { readonly identity: string; readonly id: string },
    of: Moment & { by: string; isMuted: boolean },
  ): Finding[] {
    const { slab, cases, touched } = this.#of;
    const found = cases.get(finding.identity);
    const index = openOf(found).findIndex((open) => open?.finding_id === finding.id && open.state === 'open');
    if (found === undefined || index < 0) return [];
    touched(finding.identity);
    const over = suppressed({ ...openOf(found)[index]!, version: of.seq }, of.by);
    if (of.isMuted) {
      (found.hearing ?? found).open[index] = over;
      return [over];
    }
    const { high, low } = hash64(finding.identity);
    const excuse = this.suppressions.excuseFor(concernedOf(finding.identity, found)!) ?? {
      by: of.by,
      allowed: () => 0,
    };
    const hearing = beginHearing(found, { slab, row: slab.recall(high, low), excuse, ts: found.file.lastSeen });
    const others = hearing.open.map((open, d) => (d === index ? null : open));
    beginAnew(hearing, found.file.lastSeen);
    hearing.open = others;
    found.hearing = hearing;
    return [over];
  }

  /** A suppression or a verdict is taken back, or over: what it kept from being told is told again, as it is now. */
  lift(id: string, moment: Moment): Finding[] {
    const suppression = this.suppressions.remove(id);
    const covers = suppression && coverage({ ...suppression, route: null, network: null, until: Number.MAX_VALUE });
    return [...this.#of.cases].flatMap(([identity, found]) => {
      const isItsOwn = openOf(found).some((open) => open?.suppressed_by === id);
      const concerned = concernedOf(identity, found);
      const isMeant = found.hearing !== null && (found.hearing.by === id || (concerned && covers?.(concerned)));
      if (!isItsOwn && !isMeant) return [];
      this.#of.touched(identity);
      const before = openOf(found);
      if (isMeant) found.hearing = null;
      found.open = found.open.map((open) =>
        open?.suppressed_by === id ? { ...open, state: 'open', suppressed_by: '' } : open,
      );
      this.#reconsider(identity, found, { ...moment, by: id });
      const now = openOf(found).flatMap((open) => (open === null ? [] : [{ ...open, version: moment.seq }]));
      const gone = before.flatMap((open) =>
        open === null || now.some(({ finding_id }) => finding_id === open.finding_id)
          ? []
          : [{ ...open, state: 'closed' as const, version: moment.seq }],
      );
      return [...now, ...gone];
    });
  }

  /** Suppressions whose time is over at `ts`. */
  expire(moment: Moment): Finding[] {
    return this.suppressions.expire(moment.at).flatMap((each) => this.lift(each.suppression_id, moment));
  }

  save(): readonly Suppression[] {
    return this.suppressions.save().filter((each) => !this.#of.suppressions.includes(each));
  }

  load(saved: readonly Suppression[]): void {
    for (const each of saved) this.suppressions.add(each);
  }

  /** A case with open findings, judged without what is expected now. */
  #reconsider(identity: string, found: IdentityCase, of: Moment & { readonly by: string }): Finding[] {
    const { slab, budget, touched } = this.#of;
    const concerned = concernedOf(identity, found);
    const { high, low } = hash64(identity);
    const row = slab.recall(high, low);
    if (concerned === undefined || row < 0) return [];
    const excuse = this.suppressions.excuseFor(concerned);
    if (excuse === undefined) return [];
    touched(identity);
    const by: Excuse = { ...excuse, by: of.by };
    const hearing = beginHearing(found, { slab, row, excuse: by, ts: found.file.lastSeen });
    weighHearing(hearing, { budget, evidence: this.#evidence, slab, row });
    found.hearing = hearing;
    if (this.#evidence.together >= budget.threshold) return [];
    const over = hearing.open.flatMap((open) =>
      open === null || open.state === 'suppressed' ? [] : [suppressed({ ...open, version: of.seq }, of.by)],
    );
    beginAnew(hearing, found.file.lastSeen);
    return over;
  }
}

/** What is open as people are told it. */
export function openOf(found: IdentityCase | undefined): readonly (Finding | null)[] {
  return found === undefined ? [] : (found.hearing ?? found).open;
}

function concernedOf(identity: string, found: IdentityCase) {
  const open = openOf(found).find((each) => each !== null) ?? found.open.find((each) => each !== null);
  if (open === undefined || open === null) return undefined;
  const peers = open.reasons[0]?.peer_group ?? '';
  return { identity, peers, calls: found.file.examples, at: found.file.lastSeen };
}

export function suppressed(finding: Finding, by: string): Finding {
  return { ...finding, state: 'suppressed', suppressed_by: by };
}

/** What is muted goes on, in silence. */
function named(event: FindingEvent): FindingEvent {
  return event.finding.state === 'suppressed' ? { ...event, change: 'suppressed' } : event;
}
