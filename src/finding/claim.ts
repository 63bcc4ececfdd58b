import { behaviourFamilies, type DetectorName, detectors } from '../baseline/row-layout.ts';
import { derivedId } from '../core/hash.ts';
import { actorKindOf } from '../identity/peer-group.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';
import type { Entry } from '../score/batch.ts';
import { type CaseFile, causeOf, reasonsOf, strongestOf } from './case-file.ts';
import type { Evidence } from './evidence-budget.ts';
import type { Finding, FindingKind, Severity } from './finding.ts';
import { incidentOf } from './incident.ts';
import { behaviourKind, isOfKind, kindOf, kinds } from './kinds.ts';

/** Events of which no detector has as much as this to say do not go into a case, in decades of identity-days. */
export const oddDecades = 1;
/** While something is claimed of an identity already, another claim must be ten times as rare; so must one that was told before. */
export const newsDecades = 1;
/** What corroborates must be rare itself, in decades: of several detectors one or another is as high as once in ten days on many days. */
const rareDecades = 2;
/** Detectors that say that it is somebody else, or not allowed; the others that much is new, that there is much, or that much goes wrong. */
const suspicious: ReadonlySet<string> = new Set(['behaviour', 'token', 'reach', 'source']);
/** The same of a machine that stayed where it was: that it does something new says that it was released anew; that it is refused there says more. */
const suspiciousOfMachines: ReadonlySet<string> = new Set(['errors', 'token', 'reach', 'source']);
const context = behaviourFamilies.indexOf('context');
/** What networks and clients must have added to behaviour's evidence, nats, for a machine to be somewhere else. */
const elsewhereNats = 1;

export type FindingEvent = {
  readonly finding: Finding;
  readonly change: 'opened' | 'escalated' | 'updated' | 'counted' | 'suppressed';
};

/** What has gathered about an identity, and what is claimed of it. Plain data. */
export type Story = {
  file: CaseFile;
  open: (Finding | null)[];
  /** Decades of behaviour's evidence that a finding has told already: until it has calmed down, only much more is news. */
  told: number;
};

/** An event, what of it counts, what the day comes to with it, and what each of behaviour's families added to its evidence. */
export type Said = {
  readonly seen: Entry;
  readonly contributions: Entry['contributions'];
  readonly evidence: Evidence;
  readonly shares: (family: number) => number;
};

/** From evidence to claims: one open finding per story and detector. Of itself it remembers nothing. */
export class Claims {
  readonly #threshold: number;
  readonly #shard: number;

  /** `threshold`: decades of evidence at which a finding is opened. */
  constructor(threshold: number, shard: number) {
    this.#threshold = threshold;
    this.#shard = shard;
  }

  /** What changes about the story's findings with an odd event. */
  make(story: Story, said: Said): FindingEvent[] {
    const { seen, evidence } = said;
    const changes: FindingEvent[] = [];
    for (let turn = 0; turn < detectors.length; turn++) {
      const d = inTurn(turn, evidence);
      const open = story.open[d]!;
      const decades = d === evidence.strongest ? evidence.together : evidence.alone[d]!;
      if (open === null && decades < this.#needed(story, d, evidence)) continue;
      if (d === 0) story.told = Math.max(story.told, evidence.together);
      const excess = decades - this.#threshold;
      if (
        open !== null &&
        !isTold(story.file.count) &&
        atLeast(open.severity, this.#severity(story, said, { excess })) === open.severity
      ) {
        const { count, surprise } = story.file;
        const last_seen = Math.max(open.last_seen, seen.resolved.event.ts);
        const cause = isMore(story, said) ? this.#causeOf(story, d) : open.cause;
        const finding = { ...open, count, surprise, last_seen, cause, version: seen.seq };
        story.open[d] = finding;
        changes.push({ finding, change: 'counted' });
        continue;
      }
      const next = this.#claim(story, said, { detector: d, excess, before: open });
      story.open[d] = next;
      const change = open === null ? 'opened' : next.severity === open.severity ? 'updated' : 'escalated';
      changes.push({ finding: next, change });
    }
    return changes;
  }

  #causeOf(story: Story, detector: number): Finding['cause'] {
    return causeOf(story.file, (family) => isOthers(story, detector, family));
  }

  #severity(story: Story, said: Said, of: { excess: number; agreeing?: number }): Severity {
    return severityOf({
      agreeing: agreeingOf(story),
      ...of,
      file: story.file,
      isUncorroborated: isUncorroborated(said),
    });
  }

  /** Decades from which the detector opens a finding of its own. The first claim is the strongest's; another needs more, all by itself. */
  #needed({ open, told }: Story, detector: number, { strongest }: Evidence): number {
    if (isAnyOpen(open)) return this.#threshold + newsDecades;
    if (detector !== strongest) return Number.POSITIVE_INFINITY;
    return detector === 0 && told > 0 ? told + newsDecades : this.#threshold;
  }

  #claim(story: Story, said: Said, why: { detector: number; excess: number; before: Finding | null }): Finding {
    const { detector, excess, before } = why;
    const { seen } = said;
    const { file } = story;
    const { resolved } = seen;
    const kind = before?.kind ?? kindFor(detector, file, said);
    const reasons = reasonsOf(file, (feature) => isOfKind(kind, feature));
    const first_seen = before?.first_seen ?? file.firstSeen;
    const agreeing = agreeingOf(story) + (before === null ? 1 : 0);
    const severity = atLeast(before?.severity, this.#severity(story, said, { excess, agreeing }));
    const { events } = seen;
    const confidence =
      0.3 + 0.3 * (events / (events + 50)) + 0.2 * Math.min(1, Math.max(0, excess)) + 0.1 * Math.min(2, agreeing - 1);
    return {
      finding_id: before?.finding_id ?? derivedId('fnd', [resolved.identity, kind, first_seen]),
      kind,
      identity: resolved.identity,
      identity_kind: resolved.identity_kind,
      tenant: resolved.event.tenant ?? '-',
      incident_id: (before ?? told(story))?.incident_id ?? incidentOf({ resolved, file }),
      state: before?.state ?? 'open',
      suppressed_by: before?.suppressed_by ?? '',
      severity,
      confidence: Math.max(before?.confidence ?? 0, Math.round(confidence * 100) / 100),
      first_seen,
      last_seen: Math.max(before?.last_seen ?? 0, resolved.event.ts),
      count: file.count,
      surprise: file.surprise,
      risk: before?.risk ?? 0,
      title: titleOf(resolved, kind, reasons),
      reasons,
      cause: this.#causeOf(story, detector),
      event_ids: file.examples.map((example) => example.event_id),
      owasp: kinds[kind].owasp,
      attack: kinds[kind].attack,
      shard: this.#shard,
      version: seen.seq,
    };
  }
}

/** A claim of the same story that is open already. */
function told({ open }: Story): Finding | undefined {
  return open.find((finding) => finding !== null) ?? undefined;
}

/** Whether the event said more of something than any before it. */
function isMore({ file }: Story, { contributions }: Said): boolean {
  return contributions.some(({ feature, nats }) => file.tallies[feature]?.most === nats);
}

/**
 * Whether it may all be a new device or a journey, or all be a busy day: each by itself is innocent often enough; both at once are not. A machine's
 * new release is both.
 */
function isUncorroborated(said: Said): boolean {
  const { alone } = said.evidence;
  if (isMachineAtHome(said))
    return !detectors.some((name, d) => alone[d]! >= rareDecades && suspiciousOfMachines.has(name));
  const spoke = detectors.filter((_, d) => alone[d]! >= oddDecades);
  const isAway = behaviourKindOf(said) === 'new_context';
  const elsewhere = spoke.filter((name) => name === 'patterns' || (name === 'behaviour' && isAway));
  const isSign = (name: DetectorName, d: number) => alone[d]! >= rareDecades && suspicious.has(name);
  if (detectors.some((name, d) => isSign(name, d) && !elsewhere.includes(name))) return false;
  return elsewhere.length === 0 || elsewhere.length === spoke.length;
}

function isMachineAtHome({ seen: { resolved }, shares }: Said): boolean {
  return actorKindOf(resolved.event, resolved.identity_kind) === 'service' && shares(context) < elsewhereNats;
}

/** The detector whose turn it is: the one that has most to say is first, so that it makes the first claim, and the others follow in their order. */
function inTurn(turn: number, { strongest }: Evidence): number {
  return turn === 0 ? strongest : turn <= strongest ? turn - 1 : turn;
}

function kindFor(detector: number, file: CaseFile, said: Said): FindingKind {
  const name = detectors[detector]!;
  return name === 'behaviour' ? behaviourKindOf(said) : kindOf(name, strongestOf(file, `${name}.`));
}

function behaviourKindOf({ shares }: Said): FindingKind {
  return behaviourKind(behaviourFamilies.map((_, i) => Math.max(0, shares(i))));
}

/** Whether the family's detector has an open finding of its own: what it says is that one's cause, and no other's. */
function isOthers({ open }: Story, detector: number, family: string): boolean {
  const isBehaviour = behaviourFamilies.some((name) => name === family);
  const own = detectors.findIndex((name) => (isBehaviour ? name === 'behaviour' : name === family));
  return own !== detector && open[own] !== null;
}

export function isAnyOpen(open: readonly (Finding | null)[]): boolean {
  for (let d = 0; d < open.length; d++) if (open[d] !== null) return true;
  return false;
}

export function agreeingOf({ open }: { readonly open: readonly (Finding | null)[] }): number {
  let agreeing = 0;
  for (const finding of open) if (finding !== null) agreeing++;
  return agreeing;
}

/** Reasons are put together anew for the first events of a case, and then now and then: a burst says the same thing with each of its calls. */
export function isTold(count: number): boolean {
  return count <= 16 || count % 64 === 0 || (count & (count - 1)) === 0;
}

const ladder: readonly Severity[] = ['low', 'medium', 'high', 'critical'];

/**
 * Half a decade beyond the budget is medium, two and a half are high; a second detector adds a step, refused probes lose one. What an innocent
 * story tells by itself, as a month-end, a new device or a journey does, is medium at most.
 */
export function severityOf(of: {
  excess: number;
  file: CaseFile;
  agreeing: number;
  isUncorroborated: boolean;
}): Severity {
  let step = of.excess >= 2.5 ? 2 : of.excess >= 0.5 ? 1 : 0;
  if (of.agreeing > 1) step++;
  if (of.file.succeeded * 10 < of.file.count) step--;
  if (of.isUncorroborated) step = Math.min(step, 1);
  return ladder[Math.max(0, Math.min(3, step))]!;
}

export function atLeast(before: Severity | undefined, now: Severity): Severity {
  return before !== undefined && ladder.indexOf(before) > ladder.indexOf(now) ? before : now;
}

export function titleOf(
  { identity, identity_kind }: Pick<ResolvedEvent, 'identity' | 'identity_kind'>,
  kind: FindingKind,
  reasons: Finding['reasons'],
): string {
  const because = reasons
    .slice(0, 2)
    .filter(({ share }, i) => i === 0 || share >= 0.1)
    .map(({ text }) => text);
  // The key is kind:tenant:id; a sentence needs no tenant.
  const who = `${identity_kind} ${identity.split(':').slice(2).join(':')}`;
  return `${who} ${kinds[kind].claim}${because.length === 0 ? '' : `: ${because.join('; ')}`}`;
}
