import type { EpochMs } from '../core/clock.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';

/** A session that the identity provider says began with a log-in. */
export type LogIn = {
  readonly session: string;
  readonly identity: string;
  readonly at: EpochMs;
  /** A call of the session came in time. */
  isTaken: boolean;
};

/** The first call of a session comes so soon after its log-in; whoever comes first later may be somebody else. */
const firstCallMs = 15 * 60_000;
/** What is new today is compared by days. */
const explainsMs = 86_400_000;
/** Clocks of the identity provider and of gateways. */
const leewayMs = 60_000;
/** Beyond it the log-in that was told longest ago is forgotten: its calls are judged like any. */
const logInsMax = 50_000;

/** Log-ins that explain a new device and a new place of the session that began with them, for a day. Of one session, never of all that somebody does. */
export class LogIns {
  /** By identity and session: no identity's key holds a blank. */
  readonly #logIns = new Map<string, LogIn>();

  take(logIn: Omit<LogIn, 'isTaken'>): void {
    const key = keyOf(logIn);
    this.#logIns.delete(key);
    this.#logIns.set(key, { ...logIn, isTaken: false });
    if (this.#logIns.size > logInsMax) this.#logIns.delete(this.#logIns.keys().next().value ?? '');
  }

  forget(logIn: Pick<LogIn, 'identity' | 'session'>): void {
    this.#logIns.delete(keyOf(logIn));
  }

  explains({ identity, event }: ResolvedEvent): boolean {
    if (this.#logIns.size === 0 || event.session_id === null) return false;
    const logIn = this.#logIns.get(keyOf({ identity, session: event.session_id }));
    if (logIn === undefined || event.ts < logIn.at - leewayMs) return false;
    if (event.ts > logIn.at + (logIn.isTaken ? explainsMs : firstCallMs)) {
      this.forget(logIn);
      return false;
    }
    logIn.isTaken = true;
    return true;
  }

  save(): readonly LogIn[] {
    return [...this.#logIns.values()].map((logIn) => ({ ...logIn }));
  }

  load(saved: readonly LogIn[]): void {
    this.#logIns.clear();
    for (const logIn of saved) this.#logIns.set(keyOf(logIn), { ...logIn });
  }
}

function keyOf({ identity, session }: Pick<LogIn, 'identity' | 'session'>): string {
  return `${identity} ${session}`;
}
