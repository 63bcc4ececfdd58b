import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { globMatches } from '../core/glob.ts';
import { createTokenVerifier } from '../core/jose.ts';
import { sleep } from '../core/sleep.ts';
import type { Redactor } from '../event/redact.ts';
import type { EnforcementAnswer, EnforcementQuestion, HeldDecisions } from '../http/parts.ts';
import type { Consumption, Log, LogRecord } from '../log/log.ts';
import type { Decision } from '../policy/decision.ts';
import { DecisionTable } from '../policy/decision-table.ts';
import { Enforcement, type EnforcementNotice, type Proof, type Question } from '../policy/enforce.ts';
import type { ThrottleRate } from '../policy/token-buckets.ts';
import { answerOf, unreadyAnswer } from './enforce-answer.ts';
import { AnswerCounts } from './enforce-answers.ts';
import { type AskedCall, createCallReader, pathMeantBy } from './enforce-call.ts';
import { callerOf, TokenProofs, type VerifiedCaller } from './enforce-proof.ts';

export type EnforceOptions = {
  readonly log: Log;
  readonly config: Config;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** Calls that go on after a challenge until it counts as ignored, as policy says. */
  readonly ignoredMax: number;
  /** Tells the shard of a decision what became of it. */
  readonly notify: (notice: EnforcementNotice) => void;
  readonly answered: (point: string, verdict: string) => void;
  readonly held: (decisions: number, dropped: number) => void;
  /** The keys of an issuer cannot be fetched; said once, until they can. */
  readonly onKeysMissing?: (issuer: string, reason: string) => void;
};

export type Enforcer = {
  readonly held: HeldDecisions;
  readonly counts: AnswerCounts;
  readonly isReady: () => boolean;
  /** At once, unless a token has to be verified. */
  readonly ask: (question: EnforcementQuestion) => EnforcementAnswer | Promise<EnforcementAnswer>;
  readonly consumption: Consumption;
  /** Lets those go who wait for a change, so that the server can close, and fetches no more keys. */
  readonly release: () => void;
};

const sweepMs = 60_000;

/**
 * Answers enforcement points. Every serving process holds all decisions in force, read from the beginning of `gait.signals`, so a restart
 * begins with what was in force; until that is read the answer is the route's, open or closed, and says so.
 */
export async function runEnforce(options: EnforceOptions): Promise<Enforcer> {
  const { log, config, clock } = options;
  const table = new DecisionTable(config.enforce.decisionsMax);
  let isReady = false;
  let sweptAt = clock.now();
  let change = new AbortController();
  let isReleased = false;
  const onRecords = (records: readonly LogRecord[]): void => {
    const now = clock.now();
    for (const { key, value } of records) {
      if (value === null) table.forget(key ?? '');
      else table.apply(JSON.parse(value.toString('utf8')) as Decision, now);
    }
    if (now >= sweptAt + sweepMs) {
      table.sweep(now);
      sweptAt = now;
    }
    options.held(table.size, table.dropped);
    change.abort();
    if (!isReleased) change = new AbortController();
  };
  const tail = await log.tail({ topic: config.topics.signals, from: 'earliest', onRecords });
  tail.caughtUp.then(
    () => {
      isReady = true;
    },
    // Its `done` rejects as well, and ends the process.
    () => undefined,
  );
  const counts = new AnswerCounts();
  const verifiers = config.enforce.issuers.map((issuer) => createTokenVerifier({ ...issuer, clock }));
  const proofs = new TokenProofs(verifiers, clock);
  const stop = new AbortController();
  void proofs.keepKeys(stop.signal, options.onKeysMissing ?? (() => undefined));
  const ask = createAsk({ ...options, table, counts, proofs, isReady: () => isReady });
  const held: HeldDecisions = {
    table,
    now: clock.now,
    nextChange: (waitMs) => sleep(waitMs, change.signal),
    handed: (ids, point) => {
      for (const id of ids) counts.hand(id, point, clock.now());
    },
  };
  const release = (): void => {
    isReleased = true;
    stop.abort();
    change.abort();
  };
  return { held, counts, isReady: () => isReady, ask, consumption: tail, release };
}

type AskParts = EnforceOptions &
  Pick<Enforcer, 'counts' | 'isReady'> & { readonly table: DecisionTable; readonly proofs: TokenProofs };

function createAsk(parts: AskParts): Enforcer['ask'] {
  const { config, clock, redactor, table, counts, proofs, isReady, answered } = parts;
  const { enforce } = config;
  const rules = { throttle: shareOf(enforce.throttle), ignoredMax: parts.ignoredMax, graceMs: enforce.graceMs };
  const enforcement = new Enforcement(table, rules, parts.notify);
  const readCall = createCallReader({ config, redactor });

  const answer = (call: AskedCall, point: string, caller: VerifiedCaller | null): EnforcementAnswer => {
    const now = clock.now();
    // A verified token proves its own subject at its own issuer, and nobody whom a header names beside it.
    const isOfIssuer = (issuer: string | null): boolean => issuer === null || redactor.id(issuer) === call.event.issuer;
    const isOwn =
      caller?.subject != null && redactor.id(caller.subject) === call.event.subject && isOfIssuer(caller.issuer);
    const verdict = enforcement.judge(questionOf(call, isOwn ? caller.proof : null), point, now);
    counts.count(verdict, point, now);
    answered(point, verdict.kind);
    return answerOf(verdict, call);
  };

  return (question) => {
    const { point } = question;
    if (!isReady()) {
      const asked = pathMeantBy(question.path);
      const mode = enforce.routes.find(({ path }) => globMatches(path, asked))?.unready ?? enforce.unready;
      answered(point, `not-ready-${mode}`);
      return unreadyAnswer(mode);
    }
    const call = readCall(question);
    if (call === null || !enforcement.concerns(questionOf(call, null), clock.now())) {
      answered(point, 'allow');
      return answerOf({ kind: 'allow', held: undefined }, call);
    }
    const byGateway = enforce.gatewayVerifies ? gatewayCaller(question, call, enforce.trustedHeaders) : null;
    if (byGateway !== null || call.bearer === null) return answer(call, point, byGateway);
    const verified = proofs.of(call.bearer);
    if (!(verified instanceof Promise)) return answer(call, point, verified);
    return verified.then((caller) => answer(call, point, caller));
  };
}

/** Processes know nothing of each other's buckets: each lets its share through. */
function shareOf({ perMinute, burst, processes }: Config['enforce']['throttle']): ThrottleRate {
  return { perMinute: perMinute / processes, burst: Math.max(1, burst / processes) };
}

function questionOf({ event, caller, isEvident }: AskedCall, proof: Proof | null): Question {
  const claimedAuthTimeSeconds = event.auth_time ?? event.token_iat;
  return { caller, claimedAuthTimeSeconds, proof, isProven: isEvident || proof !== null };
}

/** What the gateway itself verified and says: Envoy's metadata of jwt_authn, or headers that it lets no caller set. */
function gatewayCaller(
  { verifiedClaims, headers }: EnforcementQuestion,
  { event }: AskedCall,
  trusted: Config['enforce']['trustedHeaders'],
): VerifiedCaller | null {
  if (verifiedClaims !== null) return callerOf(verifiedClaims);
  const said = (name: string | undefined): boolean => name !== undefined && headers[name] !== undefined;
  if (!said(trusted.subject) || !(said(trusted.auth_time) || said(trusted.acr))) return null;
  return {
    subject: event.subject,
    issuer: event.issuer,
    proof: {
      authTimeSeconds: said(trusted.auth_time) ? event.auth_time : null,
      issuedAtSeconds: null,
      acr: said(trusted.acr) ? event.acr : null,
    },
  };
}
