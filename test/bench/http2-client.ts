import { once } from 'node:events';
import { connect } from 'node:net';
import { hpackBlock } from '../../src/http/hpack.ts';
import {
  type FrameHead,
  flags,
  frame,
  frameTypes,
  headBytes,
  preface,
  uint32,
  usualWindow,
} from '../../src/http/http2-frames.ts';

type Done = (isRight: boolean) => void;
/** A text whose characters are bytes. */
export type AskMessage = (message: string, done: Done) => void;

/** A window is given back when so much of it was used. */
const giveBackBytes = 16_384;

/**
 * Unary gRPC on one connection, as Envoy asks, in frames that are made here: Node's own client takes more time than the servers that are
 * measured, and its collections stop it for tens of milliseconds. An answer is right when it has a message.
 */
export async function overHttp2(port: number, path: string): Promise<{ ask: AskMessage; close: () => void }> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const asked = new Map<number, { done: Done; hasMessage: boolean }>();
  const queue: { readonly message: string; readonly done: Done }[] = [];
  const block = headerBlock(path);
  let nextStream = 1;
  let window = usualWindow;
  let used = 0;
  const write = (text: string): void => void socket.write(text, 'latin1');
  const finish = (stream: number, isRight: boolean): void => {
    asked.get(stream)?.done(isRight);
    asked.delete(stream);
  };
  const ask: AskMessage = (message, done) => {
    if (socket.destroyed) return done(false);
    if (window < message.length) return void queue.push({ message, done });
    window -= message.length;
    asked.set(nextStream, { done, hasMessage: false });
    const head = frame({ type: frameTypes.headers, flags: flags.endHeaders, stream: nextStream }, block);
    write(head + frame({ type: frameTypes.data, flags: flags.endStream, stream: nextStream }, message));
    nextStream += 2;
  };
  const take = ({ type, flags: bits, stream }: FrameHead, payload: Buffer): void => {
    const call = asked.get(stream);
    if (type === frameTypes.data) {
      if (call !== undefined) call.hasMessage = true;
      used += payload.length;
      if (used < giveBackBytes) return;
      write(frame({ type: frameTypes.windowUpdate, flags: 0, stream: 0 }, uint32(used)));
      used = 0;
    } else if (type === frameTypes.headers && bits & flags.endStream) finish(stream, call?.hasMessage === true);
    else if (type === frameTypes.rstStream) finish(stream, false);
    else if (type === frameTypes.goAway) socket.destroy();
    else if ((type === frameTypes.settings || type === frameTypes.ping) && !(bits & flags.ack)) {
      write(frame({ type, flags: flags.ack, stream: 0 }, type === frameTypes.ping ? payload.toString('latin1') : ''));
    } else if (type === frameTypes.windowUpdate && stream === 0) {
      window += payload.readUInt32BE();
      for (const { message, done } of queue.splice(0)) ask(message, done);
    }
  };
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end: number; rest.length >= headBytes; rest = rest.subarray(end)) {
      end = headBytes + rest.readUIntBE(0, 3);
      if (rest.length < end) return;
      take({ type: rest[3]!, flags: rest[4]!, stream: rest.readUInt32BE(5) }, rest.subarray(headBytes, end));
    }
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    for (const stream of [...asked.keys()]) finish(stream, false);
    for (const { done } of queue.splice(0)) done(false);
  });
  write(preface.toString('latin1') + frame({ type: frameTypes.settings, flags: 0, stream: 0 }, ''));
  return { ask, close: () => socket.destroy() };
}

function headerBlock(path: string): string {
  return hpackBlock([
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ]);
}
