import { type AddressInfo, createServer, type Server } from 'node:net';
import type { Logger } from '../config/logging.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { hpackBlock } from './hpack.ts';
import { Http2Connection, type Http2Stream, type StreamReader } from './http2-connection.ts';
import { uint32 } from './http2-frames.ts';
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
const closeMs = 2000;
/** One byte that says whether the message is compressed, four of its length. */
const prefixBytes = 5;

const contentType = 'application/grpc';
const okFields = [
  [':status', '200'],
  ['content-type', contentType],
] as const;
const okHeaders = hpackBlock(okFields);
const okTrailers = hpackBlock([['grpc-status', '0']]);

/** By status of HTTP (google.rpc.Code). */
const codes: Readonly<Record<number, number>> = { 400: 13, 401: 16, 403: 7, 413: 8, 429: 8, 501: 12, 503: 14 };
const internal = 13;

/**
 * Unary gRPC over plaintext HTTP/2 with prior knowledge (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md): no streams of messages, no
 * compression, no deadlines, because an answer takes microseconds.
 */
export async function serveUnary(options: TransportOptions): Promise<GrpcServer> {
  const { listen, limits = usualLimits } = options;
  const calls = new Calls(options, limits.calls);
  const connections = new Set<Http2Connection>();
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => {
    const connection = new Http2Connection(socket, {
      accept: (stream, headers) => calls.take(stream, headers),
      onClose: () => connections.delete(connection),
      streamsMax: usualLimits.calls,
      windowBytes: prefixBytes + messageBytesMax + 1,
    });
    connections.add(connection);
  });
  server.maxConnections = connectionsMax;
  const port = await bind(server, listen);
  const sweep = setInterval(() => {
    calls.sweep();
    for (const connection of connections) connection.sweep();
  }, limits.sweepMs).unref();
  const end = async (): Promise<void> => {
    await close(server, connections);
    clearInterval(sweep);
  };
  return { address: `${listen.host}:${port}`, close: end };
}

/** The calls under way, of all connections. */
class Calls {
  readonly methods: TransportOptions['methods'];
  readonly logger: Logger;
  /** No Set: one that calls come into and go out of makes itself anew all the time, and leaves that behind. */
  readonly #underWay: Call[] = [];
  readonly #max: number;
  arrivingBytes = 0;

  constructor({ methods, logger }: TransportOptions, max: number) {
    this.#max = max;
    this.methods = methods;
    this.logger = logger;
  }

  take(stream: Http2Stream, headers: Headers): StreamReader {
    const call = new Call(stream, this);
    if (!isGrpc(headers)) stream.answer(hpackBlock([[':status', '415']]));
    else if (this.#underWay.length >= this.#max) call.fail(tooMuch('too many calls at once'));
    else {
      call.index = this.#underWay.push(call) - 1;
      call.begin(headers);
    }
    return call;
  }

  remove({ index }: Call): void {
    if (index < 0) return;
    const last = this.#underWay.pop()!;
    if (last.index === index) return;
    this.#underWay[index] = last;
    last.index = index;
  }

  sweep(): void {
    for (const call of [...this.#underWay]) call.sweep();
  }
}

/** A call from its headers to the end of its stream. */
class Call implements StreamReader {
  readonly #stream: Http2Stream;
  readonly #calls: Calls;
  #answer: ReturnType<UnaryMethod> | null = null;
  #chunks: Buffer[] = [];
  /** Of the message, while it arrives. */
  #bytes = 0;
  #isOld = false;
  /** Its place among those under way. */
  index = -1;

  constructor(stream: Http2Stream, calls: Calls) {
    this.#stream = stream;
    this.#calls = calls;
  }

  begin(headers: Headers): void {
    try {
      const method = this.#calls.methods.get(String(headers[':path']));
      if (method === undefined) throw new HttpError(501, 'unimplemented', { message: 'there is no such method here' });
      this.#answer = method(headers);
    } catch (error) {
      this.fail(error);
    }
  }

  data(chunk: Buffer): void {
    if (this.#stream.isAnswered) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#calls.arrivingBytes += chunk.length;
    if (this.#bytes <= prefixBytes + messageBytesMax && this.#calls.arrivingBytes <= arrivingBytesMax) return;
    this.#letGo();
    this.fail(tooMuch('the message is too large'));
  }

  /** Answers the one message. */
  end(): void {
    if (this.#stream.isAnswered || this.#answer === null) return;
    const framed = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#letGo();
    try {
      const given = this.#answer(unframe(framed));
      if (!(given instanceof Promise)) this.#respond(given);
      else given.then((message) => this.#respond(message)).catch((error: unknown) => this.fail(error));
    } catch (error) {
      this.fail(error);
    }
  }

  close(): void {
    this.#letGo();
    this.#calls.remove(this);
  }

  sweep(): void {
    if (this.#isOld) this.#stream.cancel();
    this.#isOld = true;
  }

  /** An answer without a message is one block of headers. */
  fail(error: unknown): void {
    const isTold = error instanceof HttpError;
    if (!isTold) this.#calls.logger.error({ reason: describeError(error) }, 'gRPC call failed');
    const message = isTold ? error.message : 'something failed here; the log says what';
    this.#stream.answer(
      hpackBlock([
        ...okFields,
        ['grpc-status', String((isTold ? codes[error.status] : undefined) ?? internal)],
        ['grpc-message', message.replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent)],
        ['grpc-accept-encoding', 'identity'],
      ]),
    );
  }

  #respond(message: string): void {
    this.#stream.answer(okHeaders, `\x00${uint32(message.length)}${message}`, okTrailers);
  }

  #letGo(): void {
    this.#calls.arrivingBytes -= this.#bytes;
    this.#bytes = 0;
    this.#chunks = [];
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

function bind(server: Server, { host, port }: TransportOptions['listen']): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = `cannot listen on ${host}:${port} for gRPC (${cause.code ?? 'unknown'})`;
      reject(new GaitError('CONFIG_INVALID', message, { cause }));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Takes no new calls (GOAWAY), lets those under way end, and ends what is left after a while. */
function close(server: Server, connections: ReadonlySet<Http2Connection>): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      for (const connection of connections) connection.destroy();
    }, closeMs);
    server.close(() => {
      clearTimeout(late);
      resolve();
    });
    for (const connection of connections) connection.leave();
  });
}
