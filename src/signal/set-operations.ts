import { randomId } from '../core/random.ts';
import { verificationSet } from './set.ts';
import { bookKey, type Stream, type WaitingSet } from './ssf-book.ts';
import { type Desk, Refusal, read, refuse, type SsfAnswer, type SsfCall, subjectHash } from './ssf-desk.ts';
import { requests } from './stream-request.ts';

export const verificationIntervalSeconds = 10;
/** More tokens than this in one answer nobody gets; `moreAvailable` says that there are. */
const pollMax = 100;
const pollWaitMs = 25_000;
/** Long polls at once per receiver; each holds a connection. */
const pollsMax = 4;
const subjectsMax = 10_000;

/** Whom a stream is about (SSF 1.0, 8.1.3): everybody but for those who were removed, or nobody but for those who were added. */
export function subjectOperations({ book, clock, ownStream, change, defaultSubjects }: Desk) {
  const setSubject = async (call: SsfCall, state: 'added' | 'removed'): Promise<SsfAnswer> => {
    const { stream_id, subject } = read(call.body, requests.subject);
    const { receiver } = ownStream(call.caller, stream_id);
    const hash = subjectHash(subject);
    if (book.subjects(receiver) >= subjectsMax && book.subject(receiver, hash) === undefined) {
      refuse(403, 'too-many-subjects', `a stream knows at most ${subjectsMax} subjects by name`);
    }
    // Where everybody is a subject to begin with, adding somebody only ends an earlier removal.
    const rule = state === 'added' && defaultSubjects === 'ALL' ? undefined : { state, at: clock.now() };
    const isSeen = (): boolean => book.subject(receiver, hash)?.at === rule?.at;
    const action = state === 'added' ? 'add-subject' : 'remove-subject';
    const key = bookKey('subject', receiver, hash);
    await change(call, { action, about: stream_id, detail: subject, key, value: rule, isSeen });
    return { status: state === 'added' ? 200 : 204 };
  };
  return {
    addSubject: (call: SsfCall) => setSubject(call, 'added'),
    removeSubject: (call: SsfCall) => setSubject(call, 'removed'),
  };
}

/** What goes through a stream on request: a verification (8.1.4), and tokens by poll (RFC 8936). */
export function setOperations(desk: Desk) {
  const { issuer, book, clock, signal, sign, ended, write, receiverOf, ownStream, store, seen } = desk;
  const polls = new Map<string, number>();
  const settle = async (stream: Stream, poll: { ack: readonly string[]; setErrs: object }): Promise<void> => {
    const { receiver } = stream;
    const refused = Object.entries(poll.setErrs) as [string, { err: string; description?: string }][];
    const ends = [
      ...poll.ack.map((jti) => [jti, 'delivered', 'acknowledged by poll'] as const),
      ...refused.map(([jti, { err, description = '' }]) => [jti, 'rejected', `${err} ${description}`] as const),
    ];
    for (const [jti, state, detail] of ends) {
      const set = book.set(receiver, jti);
      if (set === undefined) continue;
      await ended(set, { receiver, state, detail: detail.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 120) });
      await write(bookKey('set', receiver, jti), undefined);
    }
    await seen(() => ends.every(([jti]) => book.set(receiver, jti) === undefined));
  };
  const waitForSets = async (receiver: string): Promise<void> => {
    const open = polls.get(receiver) ?? 0;
    if (open >= pollsMax) refuse(429, 'too-many-polls', `at most ${pollsMax} long polls at once`);
    polls.set(receiver, open + 1);
    try {
      const isReady = (): boolean => book.stream(receiver)?.status === 'enabled' && book.waiting(receiver) > 0;
      await book.until(isReady, pollWaitMs, signal);
    } finally {
      polls.set(receiver, (polls.get(receiver) ?? 1) - 1);
    }
  };

  return {
    verify: async ({ caller, body }: SsfCall): Promise<SsfAnswer> => {
      const { stream_id, state } = read(body, requests.verify);
      const stream = ownStream(caller, stream_id);
      const now = clock.now();
      const waitMs = book.verifiedAt(caller) + verificationIntervalSeconds * 1000 - now;
      if (waitMs > 0) {
        const message = `once in ${verificationIntervalSeconds} seconds is often enough`;
        const retryAfterSeconds = Math.ceil(waitMs / 1000);
        throw new Refusal({ status: 429, code: 'too-often', message, retryAfterSeconds });
      }
      const context = { profile: receiverOf(caller), issuer, streamId: stream.stream_id, toldLevel: undefined };
      const claims = verificationSet({ ...context, iat: Math.floor(now / 1000) }, randomId('set'), state);
      const waiting: WaitingSet = { claims, decision_id: null, at: now };
      await store(bookKey('set', caller, claims.jti), waiting, () => book.verifiedAt(caller) >= now);
      return { status: 204 };
    },
    poll: async ({ caller, streamId, body }: SsfCall): Promise<SsfAnswer> => {
      const stream = ownStream(caller, streamId);
      if (stream.push !== null) refuse(400, 'not-polled', 'this stream is pushed');
      const poll = read(body, requests.poll);
      await settle(stream, poll);
      const max = Math.min(poll.maxEvents ?? pollMax, pollMax);
      if (max > 0 && !poll.returnImmediately) await waitForSets(caller);
      const waiting = book.stream(caller)?.status === 'enabled' ? book.sets(caller) : [];
      const handed = waiting.slice(0, max);
      const signed = await Promise.all(
        handed.map(async ({ claims }) => [claims.jti, await sign(claims, 'secevent+jwt')] as const),
      );
      return { status: 200, body: { sets: Object.fromEntries(signed), moreAvailable: waiting.length > handed.length } };
    },
  };
}
