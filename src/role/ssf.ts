import type { Config } from '../config/config.ts';
import type { Secret } from '../config/secret.ts';
import type { Audit } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { seededRandom } from '../core/random.ts';
import type { SsfParts } from '../http/parts.ts';
import type { Consumption, Log } from '../log/log.ts';
import { type Receipt, receiptKey } from '../policy/decision.ts';
import type { Notice } from '../policy/notice.ts';
import { createHttpPost } from '../signal/http-post.ts';
import { createSeal } from '../signal/seal.ts';
import { createOutbox, createPush, receiptOf } from '../signal/set-outbox.ts';
import { createSetReceiver } from '../signal/set-receiver.ts';
import { openSigningKeys } from '../signal/signing-keys.ts';
import { bookKey, SsfBook, type Stream } from '../signal/ssf-book.ts';
import { createTransmitter } from '../signal/transmitter.ts';

const dayMs = 86_400_000;

export type SsfOptions = {
  readonly log: Log;
  readonly config: Config;
  /** Of all processes of the log the same: seals what receivers give us to authenticate with. */
  readonly key: Secret;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly tell: (notices: readonly Notice[]) => Promise<void>;
  readonly delivered: (target: string, state: string) => void;
};

export type Ssf = { readonly consumptions: readonly Consumption[]; readonly parts: SsfParts };

/** Shared signals: what HTTP needs of them, and with the role `deliver` the outbox and one push per receiver. */
export async function runSsf(options: SsfOptions, signal: AbortSignal): Promise<Ssf> {
  const { config, clock, tell } = options;
  const sources = config.ssf.transmitters.map((source) => ({
    ...source,
    authorization: source.authorization?.reveal(),
  }));
  const receive =
    sources.length === 0
      ? undefined
      : createSetReceiver({ sources, homeIssuer: config.ingest.homeIssuer, clock, tell });
  if (config.ssf.issuer === undefined) return { consumptions: [], parts: { transmitter: undefined, receive } };
  const { consumptions, transmitter } = await runTransmitter(options, config.ssf.issuer, signal);
  return { consumptions, parts: { transmitter, receive } };
}

type Running = { readonly consumptions: readonly Consumption[]; readonly transmitter: SsfParts['transmitter'] };

async function runTransmitter(options: SsfOptions, issuer: string, signal: AbortSignal): Promise<Running> {
  const { log, config, key, clock, audit, delivered } = options;
  const { ssf, topics, dataDir, group } = config;
  const configured = ssf.signingKeys.map((pem) => pem.reveal());
  const keys = await openSigningKeys({ dataDir, configured, lifeMs: ssf.keyDays * dayMs, clock });
  const seal = createSeal(key.reveal());
  const book = new SsfBook();
  const tail = await log.tail({ topic: topics.ssf, from: 'earliest', onRecords: (records) => book.apply(records) });
  await tail.caughtUp;
  const write = (at: string, value: object | undefined): Promise<void> =>
    log.append(topics.ssf, [{ key: at, value: value === undefined ? null : JSON.stringify(value) }]);
  const onReceipt = async (receipt: Receipt): Promise<void> => {
    await log.append(topics.receipts, [{ key: receiptKey(receipt), value: JSON.stringify(receipt) }]);
    delivered(receipt.target, receipt.state);
  };
  const receivers = ssf.receivers.map(({ push, ...receiver }) => ({ ...receiver, isFixed: push !== undefined }));
  await writeFixedStreams({ config, book, write, seal, clock });
  const consumptions: Consumption[] = [tail];
  if (config.roles.includes('deliver') && receivers.length > 0) {
    const onBatch = createOutbox({
      issuer,
      receivers,
      defaultSubjects: ssf.defaultSubjects,
      book,
      clock,
      signal,
      write,
      outboxMax: ssf.outboxMax,
      onReceipt,
    });
    consumptions.push(
      await log.consume({ group: `${group}-ssf`, topics: [topics.signals], from: 'earliest', onBatch }),
    );
    for (const { name } of receivers) {
      const courier = { post: createHttpPost({ clock }), clock, random: seededRandom(clock.now()), signal };
      const push = { ...courier, receiver: name, book, seal, sign: keys.sign, write, holdMs: ssf.holdMs, onReceipt };
      const pushed = { group: `${group}-ssf-${bookKey(name)}`, topics: [topics.ssf], from: 'earliest' as const };
      consumptions.push(await log.consume({ ...pushed, onBatch: createPush(push) }));
    }
  }
  const operations = createTransmitter({
    issuer,
    receivers,
    defaultSubjects: ssf.defaultSubjects,
    book,
    seal,
    sign: keys.sign,
    clock,
    signal,
    write,
    audit,
    ended: (set, { receiver, ...end }) => onReceipt(receiptOf(receiver, set, { ...end, at: clock.now() })),
  });
  return {
    consumptions,
    transmitter: {
      issuer,
      defaultSubjects: ssf.defaultSubjects,
      jwks: keys.publish,
      call: (operation, call) => operations[operation](call),
    },
  };
}

type FixedStreams = {
  readonly config: Config;
  readonly book: SsfBook;
  readonly write: (key: string, value: object) => Promise<void>;
  readonly seal: ReturnType<typeof createSeal>;
  readonly clock: Clock;
};

/** Streams that stand in the configuration, as far as they are not in the log like that already. */
async function writeFixedStreams({ config, book, write, seal, clock }: FixedStreams): Promise<void> {
  for (const { name, push } of config.ssf.receivers) {
    if (push === undefined) continue;
    const before = book.stream(name);
    const authorization = push.authorization?.reveal();
    const sealed = before?.push?.authorization ?? null;
    const isSame =
      before?.push?.url === push.url && (sealed === null ? undefined : seal.open(sealed)) === authorization;
    if (isSame) continue;
    const stream: Stream = {
      stream_id: before?.stream_id ?? `stream_${bookKey(name)}`,
      receiver: name,
      status: before?.status ?? 'enabled',
      reason: null,
      events_requested: null,
      description: null,
      push: { url: push.url, authorization: authorization === undefined ? null : seal.close(authorization) },
      created_at: before?.created_at ?? clock.now(),
    };
    await write(bookKey('stream', name), stream);
  }
}
