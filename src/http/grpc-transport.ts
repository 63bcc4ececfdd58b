import type { OutgoingHttpHeaders } from 'node:http';
import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../config/logging.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { type Headers, HttpError } from './route.ts';

/**
 * Looks at the headers, before a byte of the message is held, and returns what answers the message: with a text whose characters are the
 * bytes. Either may throw a HttpError, whose status becomes the code of gRPC.
 */
export type UnaryMethod = (headers: Headers) => (message: Buffer) => string | Promise<string>;

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
  readonly limits?: { readonly calls: number; readonly sweepMs: number };
};

/** Headers and metadata of one call; Envoy itself allows 60 KiB of headers by default. */
const messageBytesMax = 1024 * 1024;
/** Of all messages that are still arriving; one that would pass it is refused with RESOURCE_EXHAUSTED. */
const arrivingBytesMax = 64 * 1024 * 1024;
/**
 * Calls under way at once, on all connections; one beyond them is refused with RESOURCE_EXHAUSTED. Envoy's circuit breaker opens at 1,024
 * by default. A call that is not over after one to two sweeps is ended.
 */
const usualLimits = { calls: 8192, sweepMs: 30_000 };
const connectionsMax = 1024;
/**
 * Node counts a stream until some turns of its loop after its end, and refuses (ENHANCE_YOUR_CALM) what is more than it announced; at the
 * hundredth refusal in a row it ends the connection. So it announces more than is taken, or a peer that keeps to the announced number could
 * lose its connection in overload; and a session may hold what so many streams need (in MB; 10 by default).
 */
const streamsMax = 2 * usualLimits.calls;
const sessionMegabytesMax = 128;
const closeMs = 2000;
/** One byte that says whether the message is compressed, four of its length. */
const prefixBytes = 5;

const contentType = 'application/grpc';
const okHeaders = { ':status': 200, 'content-type': contentType };
const okTrailers = { 'grpc-status': '0' };
/** Without a prototype Node's copy of it (`{ ...options }`) is let go of at once, as that of a plain object is not (src/README.md). */
const withTrailers: object = Object.assign(Object.create(null), { waitForTrailers: true });

/** By status of HTTP (google.rpc.Code). */
const codes: Readonly<Record<number, number>> = { 400: 13, 401: 16, 403: 7, 413: 8, 429: 8, 501: 12, 503: 14 };
const internal = 13;

/** A call from its headers to the end of its stream. */
class Call {
  readonly stream: ServerHttp2Stream;
  chunks: Buffer[] = [];
  /** Of the message, while it arrives. */
  bytes = 0;
  isOld = false;
  /** Its place among those under way. */
  index = -1;

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream;
  }
}

/**
 * Unary gRPC over plaintext HTTP/2 with prior knowledge (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md): no streams of messages, no
 * compression, no deadlines, because an answer takes microseconds. grpc-js does all of it, for twice the processor time of a call.
 */
export async function serveUnary(options: TransportOptions): Promise<GrpcServer> {
  const server = createServer({
    settings: { maxConcurrentStreams: streamsMax },
    maxSessionMemory: sessionMegabytesMax,
  });
  const sessions = new Set<ServerHttp2Session>();
  server.maxConnections = connectionsMax;
  server.on('session', (session) => {
    sessions.add(session);
    // What a peer does wrong ends its session, and nothing else.
    session.on('error', () => session.destroy());
    session.once('close', () => sessions.delete(session));
  });
  const { listen, limits = usualLimits } = options;
  const calls = new Calls(options, limits.calls);
  server.on('stream', (stream, headers) => calls.take(stream, headers as Headers));
  const port = await bind(server, listen);
  const sweep = setInterval(() => calls.sweep(), limits.sweepMs).unref();
  const end = async (): Promise<void> => {
    await close(server, sessions);
    clearInterval(sweep);
  };
  return { address: `${listen.host}:${port}`, close: end };
}

/** The calls under way, of all connections. */
class Calls {
  readonly #methods: TransportOptions['methods'];
  readonly #logger: Logger;
  /** No Set: one that calls come into and go out of makes itself anew all the time, and leaves that behind. */
  readonly #underWay: Call[] = [];
  readonly #max: number;
  #arrivingBytes = 0;

  constructor({ methods, logger }: TransportOptions, max: number) {
    this.#max = max;
    this.#methods = methods;
    this.#logger = logger;
  }

  take(stream: ServerHttp2Stream, headers: Headers): void {
    const call = new Call(stream);
    // The caller hung up.
    stream.on('error', () => undefined);
    stream.on('close', () => {
      this.#letGo(call);
      this.#remove(call);
    });
    try {
      if (!isGrpc(headers)) {
        respondOnly(stream, { ':status': 415 });
        return;
      }
      if (this.#underWay.length >= this.#max) throw tooMuch('too many calls at once');
      call.index = this.#underWay.push(call) - 1;
      const method = this.#methods.get(String(headers[':path']));
      if (method === undefined) throw new HttpError(501, 'unimplemented', { message: 'there is no such method here' });
      this.#receive(call, method(headers));
    } catch (error) {
      this.#fail(stream, error);
    }
  }

  sweep(): void {
    for (const call of this.#underWay) {
      if (call.isOld) call.stream.close(constants.NGHTTP2_CANCEL);
      call.isOld = true;
    }
  }

  /** Answers the one message when the caller has ended his side. */
  #receive(call: Call, answer: ReturnType<UnaryMethod>): void {
    const { stream } = call;
    stream.on('data', (chunk: Buffer) => {
      if (stream.headersSent) return;
      call.chunks.push(chunk);
      call.bytes += chunk.length;
      this.#arrivingBytes += chunk.length;
      if (call.bytes <= prefixBytes + messageBytesMax && this.#arrivingBytes <= arrivingBytesMax) return;
      this.#letGo(call);
      this.#fail(stream, tooMuch('the message is too large'));
    });
    stream.on('end', () => {
      if (stream.headersSent) return;
      const framed = call.chunks.length === 1 ? call.chunks[0]! : Buffer.concat(call.chunks);
      this.#letGo(call);
      try {
        const given = answer(unframe(framed));
        if (!(given instanceof Promise)) respond(stream, given);
        else given.then((message) => respond(stream, message)).catch((error: unknown) => this.#fail(stream, error));
      } catch (error) {
        this.#fail(stream, error);
      }
    });
  }

  #remove({ index }: Call): void {
    if (index < 0) return;
    const last = this.#underWay.pop()!;
    if (last.index === index) return;
    this.#underWay[index] = last;
    last.index = index;
  }

  #letGo(call: Call): void {
    this.#arrivingBytes -= call.bytes;
    call.bytes = 0;
    call.chunks = [];
  }

  #fail(stream: ServerHttp2Stream, error: unknown): void {
    if (!(error instanceof HttpError)) this.#logger.error({ reason: describeError(error) }, 'gRPC call failed');
    refuse(stream, error);
  }
}

function tooMuch(message: string): HttpError {
  return new HttpError(413, 'too-much', { message });
}

function isGrpc(headers: Headers): boolean {
  const type = headers['content-type'];
  if (headers[':method'] !== 'POST' || typeof type !== 'string') return false;
  return type === contentType || /^application\/grpc(\+proto)?(;|$)/.test(type);
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

function respond(stream: ServerHttp2Stream, message: string): void {
  if (stream.destroyed || stream.headersSent) return;
  const framed = Buffer.allocUnsafe(prefixBytes + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.write(message, prefixBytes, 'latin1');
  stream.respond(okHeaders, withTrailers);
  stream.on('wantTrailers', sendOk);
  stream.end(framed);
}

function sendOk(this: ServerHttp2Stream): void {
  this.sendTrailers(okTrailers);
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
  respondOnly(stream, { ...okHeaders, ...status });
}

/** Not closed in the same turn: Node 22 throws headers away that are not written yet. */
function respondOnly(stream: ServerHttp2Stream, headers: OutgoingHttpHeaders): void {
  stream.respond(headers, { endStream: true });
  setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR));
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
