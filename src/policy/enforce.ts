import type { EpochMs } from '../core/clock.ts';
import { derivedId } from '../core/hash.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import { type DecisionTable, type Held, heldUntil } from './decision-table.ts';
import type { NoticeOf } from './notice.ts';
import { type ThrottleRate, TokenBuckets } from './token-buckets.ts';

/** What is known of a call beyond any doubt, or not: its token was verified, or the gateway says that it did. */
export type Proof = {
  readonly authTimeSeconds: number | null;
  readonly issuedAtSeconds: number | null;
  readonly acr: string | null;
};

export type Question = {
  readonly caller: Parameters<DecisionTable['find']>[0];
  /** What the token says, verified or not, of its log-in, or else of when it was issued; null for one that says neither. */
  readonly claimedAuthTimeSeconds: number | null;
  readonly proof: Proof | null;
  /** Whether the caller is the identity for certain, and not somebody with a forged token that names it. */
  readonly isProven: boolean;
};

export type Verdict =
  | { readonly kind: 'allow'; readonly held: Held | undefined }
  | { readonly kind: 'throttled'; readonly held: Held; readonly retryAfterSeconds: number }
  | { readonly kind: 'challenge'; readonly held: Held }
  | { readonly kind: 'revoked'; readonly held: Held };

/** What the shard that made a decision must hear of. The same id from two processes is one notice. */
export type EnforcementNotice = NoticeOf<'step-up-succeeded' | 'step-up-ignored'>;

export type EnforcementRules = {
  readonly throttle: ThrottleRate;
  /** So many calls that went on without a better token, from `graceMs` after the decision on, are one ignored step-up. */
  readonly ignoredMax: number;
  readonly graceMs: number;
};

/** From the table to an answer. Deterministic in its questions and their times; tells what the shard must know through `notify`. */
export class Enforcement {
  readonly #table: DecisionTable;
  readonly #rules: EnforcementRules;
  readonly #buckets: TokenBuckets;
  readonly #notify: (notice: EnforcementNotice) => void;

  constructor(table: DecisionTable, rules: EnforcementRules, notify: (notice: EnforcementNotice) => void) {
    this.#table = table;
    this.#rules = rules;
    this.#buckets = new TokenBuckets(rules.throttle);
    this.#notify = notify;
  }

  /** Whether anything is to be said about a call at all; when not, nothing has to be proven. */
  concerns(question: Question, now: EpochMs): boolean {
    const mayCount = (held: Held): boolean => !isOver(held, question, now) || mayOutlive(held, question, now);
    return this.#table.find(question.caller, now, mayCount) !== undefined;
  }

  judge(question: Question, point: string, now: EpochMs): Verdict {
    for (const held of this.#satisfied(question, now)) {
      held.isCleared = true;
      this.#tell('step-up-succeeded', held, { question, point, now });
    }
    const held = this.#find(question, now);
    if (held === undefined) return { kind: 'allow', held };
    switch (held.action) {
      case 'throttle':
        return this.#throttle(held, question, now);
      case 'step-up':
        this.#countIgnored(held, { question, point, now });
        return { kind: 'challenge', held };
      case 'revoke-session':
      case 'revoke-identity':
        return { kind: 'revoked', held };
      default:
        return { kind: 'allow', held };
    }
  }

  #find(question: Question, now: EpochMs): Held | undefined {
    return this.#table.find(question.caller, now, (held) => !isOver(held, question, now));
  }

  *#satisfied(question: Question, now: EpochMs): Generator<Held> {
    const { proof, caller } = question;
    if (proof === null) return;
    const isNews = (held: Held): boolean =>
      held.action === 'step-up' &&
      held.expiresAt > now &&
      !held.isCleared &&
      held.identity === caller.identity &&
      satisfies(held, proof);
    for (let held = this.#table.find(caller, now, isNews); held; held = this.#table.find(caller, now, isNews))
      yield held;
  }

  /** Somebody with a forged token must not empty the bucket of the one whom it names. */
  #throttle(held: Held, { caller, isProven }: Question, now: EpochMs): Verdict {
    const bucket = isProven ? held.id : `${held.id} ${caller.clientIp ?? ''}`;
    const waitMs = this.#buckets.take(bucket, now);
    if (waitMs === 0) return { kind: 'allow', held };
    return { kind: 'throttled', held, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
  }

  /** Only calls of the identity itself count, and not those that were under way while its owner was being asked. */
  #countIgnored(held: Held, asked: { question: Question; point: string; now: EpochMs }): void {
    const { ignoredMax, graceMs } = this.#rules;
    const { question, now } = asked;
    if (!question.isProven || held.isCleared || held.ignored < 0 || now < held.madeAt + graceMs) return;
    if (++held.ignored < ignoredMax) return;
    held.ignored = -1;
    this.#tell('step-up-ignored', held, asked);
  }

  #tell(
    notice: EnforcementNotice['notice'],
    held: Held,
    { question, point, now }: { question: Question; point: string; now: EpochMs },
  ): void {
    this.#notify({
      notice_id: derivedId('ntc', [notice, held.id, held.version]),
      notice,
      decision_id: held.id,
      identity: held.identity,
      session_id: question.caller.sessionId,
      at: now,
      by: point,
      reason: notice === 'step-up-succeeded' ? 'a verified token answered the challenge' : 'calls went on unchanged',
    });
  }
}

/** Whether a decision has nothing to say to this call any more. */
function isOver(held: Held, question: Question, now: EpochMs): boolean {
  const { caller, proof, isProven, claimedAuthTimeSeconds: claimed } = question;
  if (held.expiresAt <= now) {
    const issued = proof?.issuedAtSeconds ?? null;
    return !mayOutlive(held, question, now) || issued === null || isLater(issued, meantBefore(held));
  }
  switch (held.action) {
    case 'step-up':
      // The owner's new token passes; the one that was stolen before is still known by its age. It need not be verified for that:
      // the API behind the gateway does, and one that was made to look newer is refused there.
      if (held.isCleared) return claimed === null || isLater(claimed, meantBefore(held));
      return proof !== null && satisfies(held, proof);
    case 'revoke-session':
    case 'revoke-identity':
      // Many people may come with one key of their app: who has proven himself is not it.
      if (isProven && caller.shown?.includes(held.key as IdentityKey)) return true;
      // A session that was ended never begins again; of an identity those that began since are not meant.
      if (held.key !== held.identity || held.issuedBefore === null || proof === null) return false;
      // A token proves nothing about an address, a key or a certificate that comes with it.
      if (held.identity !== caller.identity) return false;
      // A token that was only refreshed is of the old log-in.
      return isLater(proof.authTimeSeconds ?? proof.issuedAtSeconds, held.issuedBefore);
    default:
      return false;
  }
}

/** Whether a revocation whose time is over still refuses the call's token, if that was verified and issued before. */
function mayOutlive(held: Held, { caller, claimedAuthTimeSeconds: claimed }: Question, now: EpochMs): boolean {
  if (held.expiresAt > now || heldUntil(held) <= now) return false;
  const isAbout = held.key !== held.identity || held.identity === caller.identity;
  return isAbout && claimed !== null && !isLater(claimed, meantBefore(held));
}

/**
 * RFC 9470: a token of a newer log-in, or one with the asked-for level. The level alone is not enough where a fresh log-in was asked
 * for and the token says when it was: a stolen token may have had the level all along.
 */
export function satisfies(held: Held, { authTimeSeconds, issuedAtSeconds, acr }: Proof): boolean {
  if (isLater(authTimeSeconds, meantBefore(held))) return true;
  if (acr === null || held.acrValues === null || !held.acrValues.split(' ').includes(acr)) return false;
  return held.maxAgeSeconds === null || (authTimeSeconds === null && isLater(issuedAtSeconds, meantBefore(held)));
}

function meantBefore(held: Held): EpochMs {
  return held.issuedBefore ?? held.madeAt;
}

/** Tokens tell time in seconds: one of the decision's own second is not later. */
function isLater(seconds: number | null, atMs: EpochMs): boolean {
  return seconds !== null && seconds > Math.floor(atMs / 1000);
}
