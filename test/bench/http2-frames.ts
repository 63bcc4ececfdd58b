import { once } from 'node:events';
import { connect } from 'node:net';

type Done = (isRight: boolean) => void;
type Waiting = { readonly message: Buffer; readonly done: Done };

const data = 0;
const headers = 1;
const reset = 3;
const settings = 4;
const ping = 6;
const goAway = 7;
const windowUpdate = 8;
const endStream = 1;
const ack = 1;
const endHeaders = 4;
/** A window is given back when so much of it was used. */
const giveBackBytes = 16_384;

/**
 * Unary gRPC on one connection, as Envoy asks, in frames of HTTP/2 (RFC 9113) that are made here: Node's own client takes more time than the
 * servers that are measured, and its collections stop it for tens of milliseconds. An answer is right when it has a message.
 */
export async function overHttp2(port: number, path: string): Promise<{ ask: AskMessage; close: () => void }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const asked = new Map<number, { done: Done; hasMessage: boolean }>();
  const queue: Waiting[] = [];
  const block = headerBlock(path);
  let nextStream = 1;
  let window = 65_535;
  let used = 0;
  const finish = (stream: number, isRight: boolean): void => {
    asked.get(stream)?.done(isRight);
    asked.delete(stream);
  };
  const ask: AskMessage = (message, done) => {
    if (socket.destroyed) return done(false);
    if (window < message.length) return void queue.push({ message, done });
    window -= message.length;
    asked.set(nextStream, { done, hasMessage: false });
    const head = frame(headers, { flags: endHeaders, stream: nextStream, payload: block });
    socket.write(Buffer.concat([head, frame(data, { flags: endStream, stream: nextStream, payload: message })]));
    nextStream += 2;
  };
  const take = (type: number, { flags, stream, payload }: Frame): void => {
    const call = asked.get(stream);
    if (type === data) {
      if (call !== undefined) call.hasMessage = true;
      used += payload.length;
      if (used < giveBackBytes) return;
      socket.write(frame(windowUpdate, { flags: 0, stream: 0, payload: uint32(used) }));
      used = 0;
    } else if (type === headers && flags & endStream) finish(stream, call?.hasMessage === true);
    else if (type === reset) finish(stream, false);
    else if (type === goAway) socket.destroy();
    else if ((type === settings || type === ping) && !(flags & ack)) {
      socket.write(frame(type, { flags: ack, stream: 0, payload: type === ping ? payload : Buffer.alloc(0) }));
    } else if (type === windowUpdate && stream === 0) {
      window += payload.readUInt32BE();
      for (const { message, done } of queue.splice(0)) ask(message, done);
    }
  };
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (
      ;
      rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3);
      rest = rest.subarray(9 + rest.readUIntBE(0, 3))
    ) {
      const payload = rest.subarray(9, 9 + rest.readUIntBE(0, 3));
      take(rest[3]!, { flags: rest[4]!, stream: rest.readUInt32BE(5), payload });
    }
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    for (const stream of [...asked.keys()]) finish(stream, false);
    for (const { done } of queue.splice(0)) done(false);
  });
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(settings, { flags: 0, stream: 0, payload: Buffer.alloc(0) }));
  return { ask, close: () => socket.destroy() };
}

export type AskMessage = (message: Buffer, done: Done) => void;
type Frame = { readonly flags: number; readonly stream: number; readonly payload: Buffer };

function frame(type: number, { flags, stream, payload }: Frame): Buffer {
  const bytes = Buffer.allocUnsafe(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  payload.copy(bytes, 9);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** RFC 7541, with nothing that changes a table: POST, http, then names of the static table and texts as they are. */
function headerBlock(path: string): Buffer {
  const text = (value: string): Buffer => Buffer.from([value.length, ...Buffer.from(value, 'latin1')]);
  return Buffer.concat([
    Buffer.from([0x83, 0x86, 0x04]),
    text(path),
    Buffer.from([0x01]),
    text('localhost'),
    Buffer.from([0x0f, 31 - 15]),
    text('application/grpc'),
    Buffer.from([0x00]),
    text('te'),
    text('trailers'),
  ]);
}
