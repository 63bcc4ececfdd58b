import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../config/logging.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { type Headers, HttpError } from './route.ts';

/**
 * Looks at the headers, before a byte of the message is held, and returns what answers the message. Either may throw a HttpError, whose
 * status becomes the code of gRPC.
 */
export type UnaryMethod = (headers: Headers) => (message: Buffer) => Uint8Array | Promise<Uint8Array>;

export type GrpcServer = {
  /** `host:port`, with the port that the system chose when 0 was asked for. */
  readonly address: string;
  readonly close: () => Promise<void>;
};

export type TransportOptions = {
  readonly listen: { readonly host: string; readonly port: number };
  /** By path: `/package.Service/Method`. */
  readonly methods: ReadonlyMap<string, UnaryMethod>;
  readonly logger: Logger;
};

/** Headers and metadata of one call; Envoy itself allows 60 KiB of headers by default. */
const messageBytesMax = 1024 * 1024;
/** Of all messages that are still arriving; one that would pass it is refused with RESOURCE_EXHAUSTED. */
const arrivingBytesMax = 64 * 1024 * 1024;
const streamsMax = 1000;
/**
 * In overload streams that have ended still count for a moment, so a peer that keeps to the limit is refused some (ENHANCE_YOUR_CALM). Node
 * would end the whole connection at the hundredth in a row.
 */
const refusedStreamsMax = 10_000;
const connectionsMax = 1024;
/** A stream on which nothing moves for so long is ended. */
const quietMs = 30_000;
const closeMs = 2000;
/** One byte that says whether the message is compressed, four of its length. */
const prefixBytes = 5;

const contentType = 'application/grpc';

/** By status of HTTP (google.rpc.Code). */
const codes: Readonly<Record<number, number>> = { 400: 13, 401: 16, 403: 7, 404: 5, 413: 8, 501: 12, 503: 14 };
const internal = 13;

/**
 * Unary gRPC over plaintext HTTP/2 with prior knowledge (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md): no streams of messages, no
 * compression, no deadlines, because an answer takes microseconds. grpc-js does all of it, for several times the processor time of a call.
 */
export async function serveUnary({ listen, methods, logger }: TransportOptions): Promise<GrpcServer> {
  const server = createServer({
    settings: { maxConcurrentStreams: streamsMax },
    maxSessionRejectedStreams: refusedStreamsMax,
  });
  const sessions = new Set<ServerHttp2Session>();
  const arriving = { bytes: 0 };
  server.maxConnections = connectionsMax;
  server.on('connection', (socket) => socket.setNoDelay(true));
  server.on('session', (session) => {
    sessions.add(session);
    // What a peer does wrong ends its session, and nothing else.
    session.on('error', () => session.destroy());
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    const fail = (error: unknown): void => {
      if (!(error instanceof HttpError)) logger.error({ reason: describeError(error) }, 'gRPC call failed');
      refuse(stream, error);
    };
    // The caller hung up.
    stream.on('error', () => undefined);
    stream.setTimeout(quietMs, () => stream.close(constants.NGHTTP2_CANCEL));
    try {
      if (!isGrpc(headers)) return stream.respond({ ':status': 415 }, { endStream: true });
      const answer = methodOf(methods, headers)(headers as Headers);
      receive(stream, { arriving, fail, take: (message) => send(stream, answer(message), fail) });
    } catch (error) {
      fail(error);
    }
  });
  const port = await bind(server, listen);
  return { address: `${listen.host}:${port}`, close: () => close(server, sessions) };
}

function isGrpc(headers: Headers): boolean {
  const type = headers['content-type'];
  return headers[':method'] === 'POST' && typeof type === 'string' && /^application\/grpc(\+proto)?(;|$)/.test(type);
}

function methodOf(methods: TransportOptions['methods'], headers: Headers): UnaryMethod {
  const method = methods.get(String(headers[':path']));
  if (method === undefined) throw new HttpError(501, 'unimplemented', { message: 'there is no such method here' });
  return method;
}

type Reception = {
  readonly arriving: { bytes: number };
  readonly take: (message: Buffer) => void;
  readonly fail: (error: unknown) => void;
};

/** Hands over the one message when the caller has ended his side. */
function receive(stream: ServerHttp2Stream, { arriving, take, fail }: Reception): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const letGo = (): void => {
    arriving.bytes -= bytes;
    bytes = 0;
    chunks.length = 0;
  };
  stream.once('close', letGo);
  stream.on('data', (chunk: Buffer) => {
    if (stream.headersSent) return;
    chunks.push(chunk);
    bytes += chunk.length;
    arriving.bytes += chunk.length;
    if (bytes <= prefixBytes + messageBytesMax && arriving.bytes <= arrivingBytesMax) return;
    letGo();
    fail(new HttpError(413, 'message-too-large', { message: 'the message is too large' }));
  });
  stream.once('end', () => {
    if (stream.headersSent) return;
    const framed = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
    letGo();
    try {
      take(unframe(framed));
    } catch (error) {
      fail(error);
    }
  });
}

function unframe(framed: Buffer): Buffer {
  if (framed.length > 0 && framed[0] !== 0) {
    throw new HttpError(501, 'compressed', { message: 'compressed messages are not read here' });
  }
  if (framed.length < prefixBytes || framed.readUInt32BE(1) !== framed.length - prefixBytes) {
    throw new HttpError(400, 'not-one-message', { message: 'one message was expected' });
  }
  return framed.subarray(prefixBytes);
}

function send(stream: ServerHttp2Stream, given: ReturnType<ReturnType<UnaryMethod>>, fail: Reception['fail']): void {
  if (given instanceof Promise) given.then((message) => respond(stream, message)).catch(fail);
  else respond(stream, given);
}

function respond(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (stream.destroyed || stream.headersSent) return;
  const framed = Buffer.allocUnsafe(prefixBytes + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, prefixBytes);
  stream.respond({ ':status': 200, 'content-type': contentType }, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(framed);
}

/** An answer without a message is one block of headers. What is still to come of the question is not waited for. */
function refuse(stream: ServerHttp2Stream, error: unknown): void {
  if (stream.destroyed || stream.headersSent) return;
  const isTold = error instanceof HttpError;
  const message = isTold ? error.message : 'something failed here; the log says what';
  const status = {
    'grpc-status': String((isTold ? codes[error.status] : undefined) ?? internal),
    'grpc-message': message.replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent),
    'grpc-accept-encoding': 'identity',
  };
  stream.respond({ ':status': 200, 'content-type': contentType, ...status }, { endStream: true });
  stream.close(constants.NGHTTP2_NO_ERROR);
}

function bind(server: Http2Server, { host, port }: TransportOptions['listen']): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `cannot listen on ${host}:${port} for gRPC (${cause.code ?? 'unknown'})`;
      reject(new GaitError('CONFIG_INVALID', message, { cause }));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Takes no new calls (GOAWAY), lets those under way end, and ends what is left after a while. */
function close(server: Http2Server, sessions: ReadonlySet<ServerHttp2Session>): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      for (const session of sessions) session.destroy();
    }, closeMs);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    for (const session of sessions) session.close();
  });
}
