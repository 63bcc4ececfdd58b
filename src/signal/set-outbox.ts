import { type CourierOptions, createCourier } from '../core/courier.ts';
import { derivedId } from '../core/hash.ts';
import type { Signer } from '../core/jose.ts';
import type { Post } from '../core/post.ts';
import type { Decision, Receipt } from '../policy/decision.ts';
import { readDecision, type SignalBatch } from './deliver.ts';
import type { Seal } from './seal.ts';
import { eventTypes, riskTypes, type SetClaims, setsOf } from './set.ts';
import { bookKey, type SsfBook, type Stream, type ToldLevel, type WaitingSet } from './ssf-book.ts';
import { type ReceiverSettings, subjectHash, type TransmitterOptions } from './ssf-desk.ts';

export type OutboxOptions = Pick<
  TransmitterOptions,
  'issuer' | 'receivers' | 'defaultSubjects' | 'book' | 'clock' | 'signal' | 'write'
> & {
  readonly outboxMax: number;
  readonly onReceipt: (receipt: Receipt) => Promise<void>;
};

/** Identities whose last told level is known; of the others a receiver is told again. */
const toldMax = 100_000;
/** A receiver hears of a removed subject for so long, for whoever removed it may have been a thief (SSF 1.0, 9.3). */
const removalGraceMs = 86_400_000;

/**
 * The handler of a consumer group over gait.signals that puts each decision's tokens into the outbox of every stream. A crash before
 * the position is committed makes the same tokens again, under the same ids, which then wait or have ended already.
 */
export function createOutbox(options: OutboxOptions): (batch: SignalBatch) => Promise<void> {
  const { issuer, receivers, defaultSubjects, book, clock, signal, write, outboxMax, onReceipt } = options;

  const makeRoom = async (receiver: string, arriving: number): Promise<void> => {
    const tooMany = Math.max(0, book.waiting(receiver) + arriving - outboxMax);
    for (const set of book.sets(receiver).slice(0, tooMany)) {
      await onReceipt(receiptOf(receiver, set, { state: 'failed', detail: 'outbox full', at: clock.now() }));
      await write(bookKey('set', receiver, set.claims.jti), undefined);
    }
    if (tooMany > 0) await book.until(() => book.waiting(receiver) + arriving <= outboxMax, bookWaitMs, signal);
  };
  const isUnderWay = (receiver: string, jti: string): boolean =>
    book.isEnded(jti) || book.set(receiver, jti) !== undefined;
  const isWanted = ({ events, sub_id, jti }: SetClaims, receiver: ReceiverSettings): boolean => {
    const requested = book.stream(receiver.name)?.events_requested;
    const type = Object.keys(events)[0] ?? '';
    if (!eventTypes[receiver.profile].includes(type) || !(requested?.includes(type) ?? true)) return false;
    const rules = subjectsIn(sub_id).flatMap((subject) => book.subject(receiver.name, subjectHash(subject)) ?? []);
    const isOut = rules.some(({ state, at }) => state === 'removed' && at + removalGraceMs <= clock.now());
    const isIn = defaultSubjects === 'ALL' || rules.length > 0;
    return isIn && !isOut && !isUnderWay(receiver.name, jti);
  };

  /** After the tokens: a crash in between makes the same ones again. */
  const remember = async (receiver: string, hash: string, told: ToldLevel): Promise<void> => {
    const isKnown = (): boolean => {
      const known = book.told(receiver, hash);
      return known?.level === told.level && known.stream_id === told.stream_id;
    };
    if (isKnown()) return;
    await write(bookKey('told', receiver, hash), told);
    await book.until(isKnown, bookWaitMs, signal);
    for (const oldest of book.toldBeyond(receiver, toldMax)) await write(bookKey('told', receiver, oldest), undefined);
  };
  const tell = async (decision: Decision, receiver: ReceiverSettings, stream: Stream): Promise<void> => {
    const now = clock.now();
    const { stream_id } = stream;
    const hash = derivedId('tld', [decision.identity]);
    const told = book.told(receiver.name, hash);
    const toldLevel = told?.stream_id === stream_id ? told.level : undefined;
    const context = { profile: receiver, issuer, streamId: stream_id, iat: Math.floor(now / 1000), toldLevel };
    const sets = setsOf(decision, context);
    const wanted = sets.filter((claims) => isWanted(claims, receiver));
    await makeRoom(receiver.name, wanted.length);
    for (const claims of wanted) {
      const waiting: WaitingSet = { claims, decision_id: decision.decision_id, at: now };
      await write(bookKey('set', receiver.name, claims.jti), waiting);
    }
    const risk = sets.find(({ events }) => riskTypes.some((type) => type in events));
    const isTold = risk !== undefined && (wanted.includes(risk) || isUnderWay(receiver.name, risk.jti));
    if (isTold) await remember(receiver.name, hash, { stream_id, level: decision.risk_level });
  };

  return async ({ records }) => {
    for (const { value } of records) {
      const decision = value === null ? undefined : readDecision(value);
      if (decision?.mode !== 'enforce') continue;
      for (const receiver of receivers) {
        const stream = book.stream(receiver.name);
        if (stream === undefined || stream.status === 'disabled' || decision.updated_at < stream.created_at) continue;
        await tell(decision, receiver, stream);
      }
    }
  };
}

/** The identifier itself and, of a complex one, its members: a rule about any of them is about the whole. */
function subjectsIn(subId: unknown): readonly Readonly<Record<string, unknown>>[] {
  const subject = subId as Readonly<Record<string, unknown>>;
  const members = Object.values(subject).filter((value) => typeof value === 'object' && value !== null);
  return [subject, ...(members as Readonly<Record<string, unknown>>[])];
}

export type PushOptions = Omit<CourierOptions, 'target'> & {
  readonly receiver: string;
  readonly book: SsfBook;
  readonly seal: Seal;
  readonly sign: Signer['sign'];
  readonly write: TransmitterOptions['write'];
  readonly holdMs: number;
  readonly onReceipt: (receipt: Receipt) => Promise<void>;
};

/**
 * What is wrong with the way, such as a password, is no answer to the token: it is tried again until it is put right or the token's time is
 * over. Only what RFC 8935, 2.3 calls an error of the token (400) ends it.
 */
const aboutTheWay: readonly (number | null)[] = [401, 403, 404, 410];
const withPatience =
  (post: Post): Post =>
  async (request, signal) => {
    const result = await post(request, signal);
    return aboutTheWay.includes(result.status) ? { ...result, kind: 'failed' } : result;
  };

/** What this needs of a batch of gait.ssf: that there is news, and up to where. */
export type BookBatch = { readonly records: readonly { readonly offset: number }[] };

/** How long a batch waits for the book to have read as far. */
const bookWaitMs = 10_000;
/** Of the courier; with a hold of its own the log is given its batch back in time. */
const batchHoldMs = 20_000;

/**
 * The handler of one receiver's consumer group over gait.ssf (RFC 8935). The records only say that there is news; what is pushed is what
 * waits in the book, oldest first, so that a stream that was paused or polled goes on where it was. Being in one group, processes share the
 * receivers and none is pushed to by two.
 */
export function createPush(options: PushOptions): (batch: BookBatch) => Promise<void> {
  const { receiver, book, seal, sign, write, holdMs, onReceipt, signal } = options;
  const courier = createCourier({
    ...options,
    post: withPatience(options.post),
    holdMs: batchHoldMs,
    target: `ssf-${receiver}`,
  });
  return async ({ records }) => {
    const last = records.at(-1)?.offset ?? -1;
    await book.until(() => book.offset >= last, bookWaitMs, signal);
    for (let set = next(book, receiver); set !== undefined; set = next(book, receiver)) {
      const { push } = book.stream(receiver)!;
      const { claims, at } = set;
      const body = await sign(claims, 'secevent+jwt');
      const authorization = push?.authorization ? seal.open(push.authorization) : undefined;
      const headers = {
        'content-type': 'application/secevent+jwt',
        accept: 'application/json',
        'user-agent': 'gait',
        ...(authorization === undefined ? {} : { authorization }),
      };
      const request = () => ({ url: push?.url ?? '', headers, body });
      const waiting = set;
      await courier.carry({ id: claims.jti, deadline: at + holdMs, request }, (settled) =>
        onReceipt({ ...receiptOf(receiver, waiting, settled), ...settled }),
      );
      await write(bookKey('set', receiver, claims.jti), undefined);
      await book.until(() => book.set(receiver, claims.jti) === undefined, bookWaitMs, signal);
      if (signal.aborted) return;
    }
  };
}

function next(book: SsfBook, receiver: string): WaitingSet | undefined {
  const stream = book.stream(receiver);
  return stream?.status === 'enabled' && stream.push !== null ? book.sets(receiver)[0] : undefined;
}

/** A verification belongs to no decision: its receipt names the token. */
export function receiptOf(
  receiver: string,
  { claims, decision_id }: WaitingSet,
  end: Pick<Receipt, 'state' | 'detail' | 'at'>,
): Receipt {
  const type = Object.keys(claims.events)[0] ?? '';
  const target = `ssf-${receiver}/${type.slice(type.lastIndexOf('/') + 1)}`;
  return { decision_id: decision_id ?? claims.jti, target, attempts: 1, status: null, ...end };
}
