import { createHash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import { readUnverified, type TokenVerifier } from '../core/jose.ts';
import { sleep } from '../core/sleep.ts';
import type { Proof } from '../policy/enforce.ts';

export type VerifiedCaller = { readonly subject: string | null; readonly issuer: string | null; readonly proof: Proof };

/** Tokens whose end is remembered, by their hash; beyond it the oldest is forgotten and verified again. */
const rememberedMax = 20_000;
/** A token that was refused is not looked at again for so long: keys may rotate in between, and whoever sends thousands costs little. */
const refusedMs = 30_000;
/** The keys could not be fetched: that passes. */
const unavailableMs = 2_000;
/** Gateways wait for a second, and some let a call pass then: a token whose keys do not come sooner counts as not verified, this once. */
const waitMs = 500;
/** Verifications at a time; a token beyond them counts as not verified, this once. */
const underWayMax = 256;

/** Half of what the verifier keeps them for, so that a call never finds them too old. */
const refreshMs = 300_000;
const retryMs = { first: 1000, max: 60_000 };

type Known = { readonly caller: VerifiedCaller | null; readonly until: number };

/** Who a token proves its bearer to be: by the signature of a configured issuer, unexpired. Never by what it says of itself. */
export class TokenProofs {
  readonly #verifiers: ReadonlyMap<string, TokenVerifier>;
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  readonly #underWay = new Map<string, Promise<VerifiedCaller | null>>();

  constructor(verifiers: readonly TokenVerifier[], clock: Clock) {
    this.#verifiers = new Map(verifiers.map((verifier) => [verifier.issuer, verifier]));
    this.#clock = clock;
  }

  /** At once where the answer is known; null for a token that proves nothing. */
  of(token: string): VerifiedCaller | null | Promise<VerifiedCaller | null> {
    if (this.#verifiers.size === 0) return null;
    const hash = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(hash);
    if (known !== undefined && known.until > this.#clock.now()) return known.caller;
    const underWay = this.#underWay.get(hash);
    if (underWay !== undefined) return underWay;
    const verifier = this.#verifiers.get(String(readUnverified(token)?.iss));
    if (verifier === undefined || this.#underWay.size >= underWayMax) return null;
    const verified = this.#verify(verifier, token, hash).finally(() => this.#underWay.delete(hash));
    const answered = new AbortController();
    const tooLate = sleep(waitMs, answered.signal).then(() => null);
    const inTime = Promise.race([verified, tooLate]).finally(() => answered.abort());
    this.#underWay.set(hash, inTime);
    return inTime;
  }

  /** Has every issuer's keys at hand before the first challenge, until the signal ends it. Told once per issuer while they cannot be had. */
  async keepKeys(signal: AbortSignal, onTrouble: (issuer: string, reason: string) => void): Promise<void> {
    const keep = async ({ issuer, refresh }: TokenVerifier): Promise<void> => {
      let failures = 0;
      while (!signal.aborted) {
        try {
          await refresh();
          failures = 0;
        } catch (error) {
          if (failures++ === 0 && !signal.aborted) onTrouble(issuer, describeError(error));
        }
        await sleep(failures === 0 ? refreshMs : Math.min(retryMs.max, retryMs.first * 2 ** (failures - 1)), signal);
      }
    };
    await Promise.all([...this.#verifiers.values()].map(keep));
  }

  async #verify(verifier: TokenVerifier, token: string, hash: string): Promise<VerifiedCaller | null> {
    const result = await verifier.verify(token);
    const now = this.#clock.now();
    if (result.kind === 'refused') {
      this.#remember(hash, { caller: null, until: now + (result.fault === 'unavailable' ? unavailableMs : refusedMs) });
      return null;
    }
    const { claims } = result;
    const expiresAtSeconds = seconds(claims.exp);
    // What never ends was not made to be shown around; it proves nothing about now.
    const caller = expiresAtSeconds === null ? null : callerOf(claims);
    this.#remember(hash, { caller, until: Math.min((expiresAtSeconds ?? 0) * 1000, now + 3_600_000) });
    return caller;
  }

  #remember(hash: string, known: Known): void {
    this.#known.delete(hash);
    if (this.#known.size >= rememberedMax) this.#known.delete(this.#known.keys().next().value ?? '');
    this.#known.set(hash, known);
  }
}

/** Of claims that somebody has verified. */
export function callerOf(claims: Readonly<Record<string, unknown>>): VerifiedCaller {
  return {
    subject: typeof claims.sub === 'string' ? claims.sub : null,
    issuer: typeof claims.iss === 'string' ? claims.iss : null,
    proof: {
      authTimeSeconds: seconds(claims.auth_time),
      issuedAtSeconds: seconds(claims.iat),
      acr: typeof claims.acr === 'string' ? claims.acr : null,
    },
  };
}

function seconds(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
