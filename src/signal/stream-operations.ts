import { checkTarget } from '../core/post.ts';
import { randomId } from '../core/random.ts';
import type { Seal } from './seal.ts';
import { eventTypes } from './set.ts';
import { verificationIntervalSeconds } from './set-operations.ts';
import { bookKey, type Stream } from './ssf-book.ts';
import {
  type Change,
  type Desk,
  type ReceiverSettings,
  read,
  refuse,
  type SsfAnswer,
  type SsfCall,
} from './ssf-desk.ts';
import { type DeliveryRequest, deliveryMethods, pollMethod, requests } from './stream-request.ts';

type Operation = (call: SsfCall) => Promise<SsfAnswer>;

/** Making, reading, changing and ending a stream, and its status (SSF 1.0, 8.1.1 and 8.1.2). */
export function streamOperations(desk: Desk) {
  const { book, clock, seal, receiverOf, ownStream, change } = desk;
  const save = (call: SsfCall, action: Change['action'], stream: Stream): Promise<void> => {
    const isSeen = (): boolean => JSON.stringify(book.stream(stream.receiver)) === JSON.stringify(stream);
    const key = bookKey('stream', stream.receiver);
    return change(call, { action, about: stream.stream_id, detail: tellable(stream), key, value: stream, isSeen });
  };
  const changed = async (call: SsfCall, isWhole: boolean): Promise<SsfAnswer> => {
    const receiver = receiverOf(call.caller);
    const body = read(call.body, requests.update);
    const stream = ownStream(call.caller, body.stream_id);
    mustBeChangeable(receiver);
    const base = isWhole ? { ...stream, events_requested: null, description: null, push: null } : stream;
    const next: Stream = {
      ...base,
      events_requested: body.events_requested ?? base.events_requested,
      description: body.description ?? base.description,
      push: body.delivery === undefined ? base.push : pushOf(body.delivery, receiver, seal),
    };
    await save(call, 'change', next);
    return { status: 200, body: shown(next, desk) };
  };
  return {
    create: async (call) => {
      const { caller, body } = call;
      const receiver = receiverOf(caller);
      const request = read(body, requests.create);
      if (book.stream(caller) !== undefined)
        refuse(409, 'stream-exists', 'a receiver has one stream, and this one has it');
      mustBeChangeable(receiver);
      const stream: Stream = {
        stream_id: randomId('stream'),
        receiver: caller,
        status: 'enabled',
        reason: null,
        events_requested: request.events_requested ?? null,
        description: request.description ?? null,
        push: pushOf(request.delivery, receiver, seal),
        created_at: clock.now(),
      };
      await save(call, 'create', stream);
      return { status: 201, body: shown(stream, desk) };
    },
    read: async ({ caller, streamId }) => {
      receiverOf(caller);
      if (streamId !== undefined) return { status: 200, body: shown(ownStream(caller, streamId), desk) };
      const stream = book.stream(caller);
      return { status: 200, body: stream === undefined ? [] : [shown(stream, desk)] };
    },
    update: (call) => changed(call, false),
    replace: (call) => changed(call, true),
    delete: async (call) => {
      const { caller, streamId } = call;
      const { stream_id: about } = ownStream(caller, streamId);
      mustBeChangeable(receiverOf(caller));
      const gone = {
        key: bookKey('stream', caller),
        value: undefined,
        isSeen: () => book.stream(caller) === undefined,
      };
      await change(call, { action: 'delete', about, detail: {}, ...gone });
      await dropWaiting(caller, desk);
      return { status: 204 };
    },
    readStatus: async ({ caller, streamId }) => ({ status: 200, body: statusOf(ownStream(caller, streamId)) }),
    setStatus: async (call) => {
      const { caller, body } = call;
      const { stream_id, status, reason = null } = read(body, requests.status);
      const next: Stream = { ...ownStream(caller, stream_id), status, reason };
      await save(call, 'status', next);
      if (status === 'disabled') await dropWaiting(caller, desk);
      return { status: 200, body: statusOf(next) };
    },
  } satisfies Record<string, Operation>;
}

/** Without the path of the address and what is sent along: either may be a secret. */
function tellable({ status, reason, events_requested, push }: Stream): object {
  return { status, reason, events_requested, push: push === null ? null : new URL(push.url).origin };
}

function statusOf({ stream_id, status, reason }: Stream): object {
  return { stream_id, status, ...(reason === null ? {} : { reason }) };
}

async function dropWaiting(receiver: string, { book, write }: Desk): Promise<void> {
  for (const { claims } of book.sets(receiver)) await write(bookKey('set', receiver, claims.jti), undefined);
}

function mustBeChangeable(receiver: ReceiverSettings): void {
  if (receiver.isFixed) refuse(403, 'forbidden', 'this stream stands in the configuration of the transmitter');
}

function pushOf(request: DeliveryRequest | undefined, receiver: ReceiverSettings, seal: Seal): Stream['push'] {
  if (request === undefined || request.method === pollMethod) return null;
  const { endpoint_url, authorization_header } = request;
  // A receiver must not make us knock on doors that only we can reach.
  const isAllowed = receiver.pushOrigins.some((origin) => new URL(origin).origin === new URL(endpoint_url).origin);
  if (!isAllowed) refuse(400, 'invalid-delivery', 'endpoint_url is not at an origin that was agreed (pushOrigins)');
  try {
    checkTarget(endpoint_url);
  } catch {
    refuse(400, 'invalid-delivery', 'endpoint_url must begin with https://');
  }
  return {
    url: endpoint_url,
    authorization: authorization_header === undefined ? null : seal.close(authorization_header),
  };
}

function shown(stream: Stream, { issuer, receiverOf }: Desk): object {
  const receiver = receiverOf(stream.receiver);
  const supported = eventTypes[receiver.profile];
  const { events_requested } = stream;
  return {
    stream_id: stream.stream_id,
    iss: issuer,
    aud: receiver.audience,
    delivery: stream.push
      ? { method: deliveryMethods[0], endpoint_url: stream.push.url }
      : { method: pollMethod, endpoint_url: `${issuer}/ssf/poll?stream_id=${stream.stream_id}` },
    events_supported: supported,
    ...(events_requested === null ? {} : { events_requested }),
    events_delivered: supported.filter((type) => events_requested?.includes(type) ?? true),
    min_verification_interval: verificationIntervalSeconds,
    ...(stream.description === null ? {} : { description: stream.description }),
  };
}
