import type { PolicyConfig } from '../config/policy-file.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Decision } from './decision.ts';
import { calmRisk, levelAt, type RiskState, riskAt } from './risk.ts';

/**
 * A decision whose time is not over. `ended`: a person took it back, and the next call must not begin it anew. `answered`: a step-up that goes on
 * for older tokens, and stands in the way of nothing.
 */
export type Open = {
  readonly decision: Decision;
  readonly offence: number;
  readonly state: 'open' | 'ended' | 'answered';
};

type Offence = { readonly rule: string; readonly at: EpochMs };
type SessionRisk = { readonly id: string; readonly risk: RiskState };

/** What policy remembers of one identity: its risk, that of its sessions, what is open, what it did against which rule. */
export type Subject = RiskState & {
  open: readonly Open[];
  offences: readonly Offence[];
  sessions: readonly SessionRisk[];
};

/** Decisions, offences and sessions per identity; beyond it the oldest is forgotten. */
export const rememberedMax = 16;

export function newSubject(at: EpochMs): Subject {
  return { ...calmRisk(at), open: [], offences: [], sessions: [] };
}

/** The risk of one session, moved to the end of the order. */
export function sessionOf(subject: Subject, id: string, at: EpochMs): RiskState {
  const session = subject.sessions.find((each) => each.id === id) ?? { id, risk: calmRisk(at) };
  subject.sessions = [...subject.sessions.filter((each) => each !== session), session].slice(-rememberedMax);
  return session.risk;
}

/** All identities that policy remembers, those touched longest ago first. Bounded by `risk.identitiesMax`. */
export class Subjects {
  readonly #config: PolicyConfig;
  readonly #subjects = new Map<string, Subject>();

  constructor(config: PolicyConfig) {
    this.#config = config;
  }

  get size(): number {
    return this.#subjects.size;
  }

  known(identity: string, at: EpochMs): Subject | undefined {
    const subject = this.#subjects.get(identity);
    return subject === undefined || this.#forgettable(subject, at) ? undefined : subject;
  }

  /** At the limit the one touched longest ago is evicted, its risk with it. */
  touch(identity: string, at: EpochMs): Subject {
    const subject = this.known(identity, at) ?? newSubject(at);
    this.#subjects.delete(identity);
    const { identitiesMax } = this.#config.risk;
    if (this.#subjects.size >= identitiesMax) this.forget(at);
    if (this.#subjects.size >= identitiesMax) this.#subjects.delete(this.#subjects.keys().next().value ?? '');
    this.#subjects.set(identity, subject);
    subject.open = subject.open.filter(({ decision }) => decision.expires_at > at);
    subject.offences = subject.offences.filter((offence) => offence.at > at - this.#config.offenceWindow);
    return subject;
  }

  /** Frees what has decayed. Never changes a result, only memory: a forgettable identity already counts as unknown. */
  forget(at: EpochMs): void {
    for (const [identity, subject] of this.#subjects) {
      if (!this.#forgettable(subject, at)) break;
      this.#subjects.delete(identity);
    }
  }

  save(): readonly (readonly [string, Subject])[] {
    return [...this.#subjects];
  }

  load(subjects: readonly (readonly [string, Subject])[]): void {
    this.#subjects.clear();
    for (const [identity, subject] of subjects) this.#subjects.set(identity, subject);
  }

  #forgettable(subject: Subject, at: EpochMs): boolean {
    const { risk } = this.#config;
    return (
      riskAt(subject, at, risk) < 1 &&
      levelAt(subject, at, risk) === 'LOW' &&
      subject.open.every(({ decision }) => decision.expires_at <= at) &&
      subject.offences.every((offence) => offence.at <= at - this.#config.offenceWindow)
    );
  }
}
