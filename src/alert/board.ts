import type { EpochMs } from '../core/clock.ts';
import type { Severity } from '../finding/finding.ts';
import { type AlertRecord, rank } from './alert-record.ts';
import type { Errand, Tells } from './channel.ts';
import { type Incident, incidentOf, isTold, newIncident, take } from './incident.ts';

export type BoardOptions = {
  /** What the channel can and wants to be told after the first message. */
  readonly tells: Tells;
  readonly severityMin: Severity;
  /** Findings that an incident needs before anybody is told. */
  readonly findingsMin: number;
  /** From an incident's first finding, or a change that cannot wait, to the message: what belongs together comes together. */
  readonly groupWaitMs: number;
  /** At least this long between two updates of one message. */
  readonly groupIntervalMs: number;
  /** What was seen longer ago is history: nobody is told. Incidents nothing happened to for so long are forgotten. */
  readonly staleAfterMs: number;
  /** At most so many messages (updates in place are none) in any stretch of `perMs`. */
  readonly rate: { readonly messages: number; readonly perMs: number } | undefined;
  readonly isQuiet: (at: EpochMs) => boolean;
  /** What is told in quiet hours too. */
  readonly breakThrough: Severity;
};

export type Ending = 'delivered' | 'rejected' | 'failed';

/** Incidents per channel; beyond it the one touched longest ago is forgotten, and told anew should it go on. */
const incidentsMax = 5000;

/** Characters; the log takes records of 8 MiB. */
const recordLengthMax = 512 * 1024;

type Saved = {
  readonly version: 1;
  readonly incidents?: readonly Incident[];
  readonly gone?: readonly string[];
  readonly sentAt?: readonly EpochMs[];
};

/** What one channel knows and was told. No clock, no chance, no I/O: the same calls give the same errands. */
export class Board {
  readonly #options: BoardOptions;
  /** In the order of last touch. */
  readonly #incidents = new Map<string, Incident>();
  #sentAt: EpochMs[] = [];
  readonly #changed = new Set<string>();
  #skipped: Incident[] = [];

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#incidents.size;
  }

  accept(record: AlertRecord, now: EpochMs): void {
    const { id, kind } = incidentOf(record);
    // What a person decided about an identity belongs to no incident.
    if (id === '') return;
    const known = this.#incidents.get(id);
    // The end of what was forgotten. What began and ended while we were away is news all the same.
    const isEnd = record.kind === 'finding' && record.finding.state !== 'open';
    if (known === undefined && isEnd && record.finding.last_seen <= now - this.#options.staleAfterMs) return;
    if (known === undefined && record.kind === 'finding' && record.finding.state === 'suppressed') return;
    const incident = known ?? newIncident(id, kind, now);
    if (!take(incident, record, now)) return;
    this.#incidents.delete(id);
    if (this.#incidents.size >= incidentsMax) this.#forget(this.#incidents.keys().next().value ?? '');
    this.#incidents.set(id, incident);
    this.#changed.add(id);
  }

  /** The most urgent errand; what failed before stands behind what was not tried as often, so that no message blocks the others. */
  next(now: EpochMs): Errand | undefined {
    this.#drop(now);
    const due = [...this.#incidents.values()]
      .flatMap((incident) => {
        const kind = this.#dueKind(incident, now);
        return kind === undefined ? [] : [{ kind, incident }];
      })
      .sort(
        (a, b) =>
          a.incident.attempts - b.incident.attempts ||
          rank(b.incident.severity) - rank(a.incident.severity) ||
          a.incident.firstAt - b.incident.firstAt,
      );
    const update = due.find(({ kind }) => kind === 'update');
    const posts = due.filter(({ kind }) => kind === 'post');
    const room = this.#room(now);
    const held = posts.filter(({ incident }) => incident.isHeld);
    if (room > 0 && held.length > 1) {
      const incidents = held.map(({ incident }) => incident);
      return { kind: 'summary', id: summaryId(incidents), held: incidents };
    }
    const post = room > 0 ? posts[0] : undefined;
    if (room === 0) for (const { incident } of posts) this.#hold(incident);
    const chosen = post ?? update;
    if (chosen === undefined) return undefined;
    const { id, messages, begun } = chosen.incident;
    return { ...chosen, id: `${id}:${begun === null ? messages + 1 : messages}` };
  }

  /** Before a message is sent: from here on it may have arrived, whatever becomes of this process. */
  begin(errand: Errand): void {
    if (errand.kind === 'summary') return;
    const { incident } = errand;
    if (incident.begun === null) incident.messages++;
    incident.begun ??= incident.severity;
    this.#changed.add(incident.id);
  }

  /** `isEarlier`: what stands at the channel is what an earlier try brought there, so it may not be the newest. */
  settle(errand: Errand, ending: Ending, at: { now: EpochMs; handle: string | null; isEarlier?: boolean }): void {
    const { now, handle, isEarlier = false } = at;
    const incidents = errand.kind === 'summary' ? errand.held : [errand.incident];
    for (const incident of incidents) {
      this.#changed.add(incident.id);
      incident.attempts = ending === 'failed' ? incident.attempts + 1 : 0;
      if (ending === 'failed') continue;
      const { status, told, begun } = incident;
      // Who drops repetitions by their id has seen the first try, and not what became worse since.
      const severity = begun ?? incident.severity;
      incident.told = { severity, status, at: now, handle: handle ?? told?.handle ?? null };
      incident.changedAt = isEarlier || severity !== incident.severity ? now : null;
      incident.begun = null;
      incident.isHeld = false;
    }
    if (ending === 'delivered' && errand.kind !== 'update') this.#sentAt.push(now);
  }

  /** Incidents that were given up since the last call: too old to wake anybody, or pushed out at the limit. */
  skipped(): readonly Incident[] {
    const skipped = this.#skipped;
    this.#skipped = [];
    return skipped;
  }

  /** What changed since the last call; none when nothing did. */
  changes(): readonly Buffer[] {
    if (this.#changed.size === 0) return [];
    const ids = [...this.#changed];
    this.#changed.clear();
    const gone = ids.filter((id) => !this.#incidents.has(id));
    return this.#records(
      ids.flatMap((id) => this.#incidents.get(id) ?? []),
      gone,
    );
  }

  whole(): readonly Buffer[] {
    this.#changed.clear();
    return this.#records([...this.#incidents.values()], []);
  }

  /** Of bounded size, or one incident. The first carries the rest of the state. */
  #records(incidents: readonly Incident[], gone: readonly string[]): readonly Buffer[] {
    const head = { version: 1, gone, sentAt: this.#sentAt };
    const parts: string[][] = [[]];
    let bytes = 0;
    for (const incident of incidents) {
      const text = JSON.stringify(incident);
      if (bytes > 0 && bytes + text.length > recordLengthMax) {
        parts.push([]);
        bytes = 0;
      }
      parts.at(-1)!.push(text);
      bytes += text.length;
    }
    return parts.map((texts, n) =>
      Buffer.from(`${JSON.stringify(n === 0 ? head : { version: 1 }).slice(0, -1)},"incidents":[${texts.join(',')}]}`),
    );
  }

  restore(record: Buffer): void {
    const { incidents = [], gone = [], sentAt } = JSON.parse(record.toString('utf8')) as Saved;
    if (sentAt !== undefined) this.#sentAt = [...sentAt];
    for (const id of gone) this.#incidents.delete(id);
    for (const incident of incidents) {
      this.#incidents.delete(incident.id);
      this.#incidents.set(incident.id, incident);
    }
  }

  #dueKind(incident: Incident, now: EpochMs): 'post' | 'update' | undefined {
    const { changedAt, told, status, severity, firstAt } = incident;
    const { groupWaitMs, groupIntervalMs, tells } = this.#options;
    if (changedAt === null) return undefined;
    if (told === null) {
      const isWanted = incident.verdict === null && this.#isEnough(incident);
      return isWanted && now >= firstAt + groupWaitMs && this.#mayDisturb(incident, now) ? 'post' : undefined;
    }
    const soon = now >= Math.max(changedAt, told.at) + groupWaitMs;
    if (status !== 'closed' && rank(severity) > rank(told.severity)) {
      return soon && this.#mayDisturb(incident, now) ? 'post' : undefined;
    }
    if (tells === 'rises' || told.handle === null) return undefined;
    if (status !== told.status) return soon ? 'update' : undefined;
    return tells === 'changes' && now >= told.at + groupIntervalMs ? 'update' : undefined;
  }

  #isEnough({ kind, severity, lines, dropped }: Incident): boolean {
    if (kind === 'page') return true;
    const { severityMin, findingsMin } = this.#options;
    const count = Object.values(lines).filter(isTold).length + dropped;
    return count > 0 && rank(severity) >= rank(severityMin) && count >= findingsMin;
  }

  #mayDisturb({ severity }: Incident, now: EpochMs): boolean {
    const { isQuiet, breakThrough } = this.#options;
    return rank(severity) >= rank(breakThrough) || !isQuiet(now);
  }

  #room(now: EpochMs): number {
    const { rate } = this.#options;
    if (rate === undefined) return 1;
    this.#sentAt = this.#sentAt.filter((at) => at > now - rate.perMs);
    return Math.max(0, rate.messages - this.#sentAt.length);
  }

  #hold(incident: Incident): void {
    if (incident.isHeld) return;
    incident.isHeld = true;
    this.#changed.add(incident.id);
  }

  /** Those that nothing happened to for long, in the order of last touch. */
  #drop(now: EpochMs): void {
    const { staleAfterMs } = this.#options;
    for (const [id, incident] of this.#incidents) {
      if (incident.touchedAt > now - staleAfterMs) break;
      this.#forget(id);
    }
    for (const [id, incident] of this.#incidents) {
      // Old news that came in now, as after an outage.
      if (incident.told === null && incident.lastSeen > 0 && incident.lastSeen <= now - staleAfterMs) this.#forget(id);
    }
  }

  #forget(id: string): void {
    const incident = this.#incidents.get(id);
    if (incident === undefined) return;
    if (incident.told === null && incident.verdict === null && this.#isEnough(incident)) this.#skipped.push(incident);
    this.#incidents.delete(id);
    this.#changed.add(id);
  }
}

function summaryId(held: readonly Incident[]): string {
  return `summary:${held[0]?.id}:${held[0]?.messages}:${held.length}`;
}
