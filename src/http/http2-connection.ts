import type { Socket } from 'node:net';
import { type Field, HpackDecoder, HpackError } from './hpack.ts';
import {
  checkFrame,
  type ErrorCode,
  errorCodes,
  type FrameHead,
  flags,
  frameBytesMax,
  frameTypes,
  Http2Error,
  headBytes,
  preface,
  settings,
  settingsOf,
  uint32,
  usualWindow,
  windowMax,
  withoutPadding,
} from './http2-frames.ts';
import { checkTrailers, contentLength, requestHeaders } from './http2-request.ts';
import { Http2Sender, type Outgoing } from './http2-sender.ts';
import type { Headers } from './route.ts';

/** Who takes a request, from its headers on. */
export type StreamReader = {
  readonly data: (bytes: Buffer) => void;
  /** The request is all there. */
  readonly end: () => void;
  /** The stream is over, answered or not. */
  readonly close: () => void;
};

export type ConnectionOptions = {
  /** Called with the headers of a request. */
  readonly accept: (stream: Http2Stream, headers: Headers) => StreamReader;
  readonly onClose: () => void;
  readonly streamsMax: number;
  /** Of one request; what comes on a connection is always taken, for the reader bounds what it holds. */
  readonly windowBytes: number;
};

/** Of the fields of a request, as they arrive and as they count when read (RFC 9113, 6.5.2). Envoy allows 60 KiB by default. */
const headerBytesMax = 65_536;
const connectionWindowBytes = 16 * 1024 * 1024;
const giveBackBytes = 65_536;
const rememberedMax = 32;
const rememberedBytesMax = 1024;
/**
 * How many frames that make work and bring nothing are borne of a connection (CVE-2019-9512 and on, CVE-2023-44487), and how many more for
 * each call that was answered with a message.
 */
const patienceMax = 1000;
const patienceOfCall = 4;
const nothing = Buffer.alloc(0);

/** One request and its answer. */
export class Http2Stream implements Outgoing {
  readonly id: number;
  readonly #connection: Http2Connection;
  window: number;
  rest = '';
  trailers = '';
  reader: StreamReader | null = null;
  /** Of its content-length, what is still to come; null where nothing was said. */
  missing: number | null = null;
  isRequestOver = false;
  isAnswered = false;
  isClosed = false;

  constructor(id: number, window: number, connection: Http2Connection) {
    this.id = id;
    this.window = window;
    this.#connection = connection;
  }

  /** Blocks of fields (hpackBlock) and a body, as texts whose characters are bytes. Not done where it is answered or closed. */
  answer(headers: string, body = '', trailers = ''): void {
    if (this.isAnswered || this.isClosed) return;
    this.isAnswered = true;
    this.rest = body;
    this.trailers = trailers;
    this.#connection.answer(this, headers);
  }

  cancel(): void {
    if (!this.isClosed) this.#connection.cancel(this);
  }
}

/**
 * The server's side of a connection of HTTP/2 (RFC 9113), in plaintext and without an upgrade. What Node's own makes for each call, a stream
 * and objects of its library, is most of what a call costs; here all calls that come together are answered in one write. Not heeded:
 * priorities. Not done: pushes, tables for what is sent.
 */
export class Http2Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #sender: Http2Sender<Http2Stream>;
  readonly #decoder = new HpackDecoder();
  readonly #streams = new Map<number, Http2Stream>();
  /** Blocks of fields, which mean the same until the decoder's table changes. */
  readonly #remembered = new Map<string, Headers>();
  #arrived: Buffer = nothing;
  #isGreeted = false;
  #isSettled = false;
  #isLeaving = false;
  #isOver = false;
  /** A sweep found it. */
  #isOld = false;
  /** A block of fields that goes on. */
  #partial: { readonly head: FrameHead; readonly pieces: Buffer[]; bytes: number } | null = null;
  #lastStream = 0;
  /** That each new stream has for its answer. */
  #window = usualWindow;
  /** Bytes that came and were not given back. */
  #used = 0;
  #patience = patienceMax;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#sender = new Http2Sender(socket, (stream) => this.#sent(stream));
    socket.on('data', (chunk: Buffer) => this.#sender.together(() => this.#take(chunk)));
    socket.on('end', () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#close());
    this.#sender.together(() => {
      const { streamsMax, windowBytes: initialWindow } = options;
      this.#sender.control(frameTypes.settings, 0, settingsOf({ streamsMax, initialWindow, headerBytesMax }));
      this.#sender.control(frameTypes.windowUpdate, 0, uint32(connectionWindowBytes - usualWindow));
    });
  }

  /** Called now and then: a peer that by the second time has not said that it speaks HTTP/2 is let go. */
  sweep(): void {
    if (this.#isOld && !this.#isSettled) this.destroy();
    this.#isOld = true;
    this.#patience = patienceMax;
  }

  /** Takes no new calls, and ends when those under way are over. */
  leave(): void {
    this.#isLeaving = true;
    this.#goAway(errorCodes.noError);
    if (this.#streams.size === 0) this.#sender.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** See Http2Stream. */
  answer(stream: Http2Stream, headers: string): void {
    this.#sender.together(() => this.#sender.answer(stream, headers));
  }

  /** See Http2Stream. */
  cancel(stream: Http2Stream): void {
    this.#end(stream, errorCodes.cancel);
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    const bytes = this.#arrived.length === 0 ? chunk : Buffer.concat([this.#arrived, chunk]);
    try {
      const read = this.#readFrames(bytes);
      this.#arrived = read === bytes.length ? nothing : bytes.subarray(read);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.#isOver = true;
      this.#goAway(error.code);
      this.#sender.end();
    }
  }

  /** How many bytes were read: all but a frame that is not all there. */
  #readFrames(bytes: Buffer): number {
    let at = 0;
    if (!this.#isGreeted) {
      const length = Math.min(bytes.length, preface.length);
      if (bytes.compare(preface, 0, length, 0, length) !== 0) throw protocolError();
      if (length < preface.length) return 0;
      this.#isGreeted = true;
      at = length;
    }
    while (bytes.length - at >= headBytes) {
      const length = bytes.readUIntBE(at, 3);
      if (length > frameBytesMax) throw new Http2Error(errorCodes.frameSizeError, 'connection');
      const end = at + headBytes + length;
      if (bytes.length < end) break;
      const head = { type: bytes[at + 3]!, flags: bytes[at + 4]!, stream: bytes.readUInt32BE(at + 5) & windowMax };
      this.#readFrame(head, bytes.subarray(at + headBytes, end));
      at = end;
    }
    return at;
  }

  #readFrame(head: FrameHead, payload: Buffer): void {
    const { type, stream } = head;
    if ((this.#partial !== null) !== (type === frameTypes.continuation)) throw protocolError();
    if (!this.#isSettled && (type !== frameTypes.settings || head.flags & flags.ack)) throw protocolError();
    try {
      checkFrame(head, payload.length);
      if (type === frameTypes.data) this.#data(head, payload);
      else if (type === frameTypes.headers) this.#headers(head, withoutPadding(head, payload));
      else if (type === frameTypes.continuation) this.#continue(head, payload);
      else if (type === frameTypes.windowUpdate) this.#widen(stream, payload.readUInt32BE() & windowMax);
      else if (type === frameTypes.settings) this.#settle(head, payload);
      else this.#rare(head, payload);
    } catch (error) {
      if (!(error instanceof Http2Error) || error.scope === 'connection' || stream === 0) throw error;
      this.#bear();
      const failed = this.#streams.get(stream);
      if (failed === undefined) this.#sender.control(frameTypes.rstStream, stream, uint32(error.code));
      else this.#end(failed, error.code);
    }
  }

  #data(head: FrameHead, payload: Buffer): void {
    this.#used += payload.length;
    if (this.#used >= giveBackBytes) {
      this.#sender.control(frameTypes.windowUpdate, 0, uint32(this.#used));
      this.#used = 0;
    }
    const bytes = withoutPadding(head, payload);
    const stream = this.#find(head.stream);
    if (stream === undefined && this.#isLeaving) return;
    if (stream === undefined || stream.isRequestOver) throw new Http2Error(errorCodes.streamClosed, 'stream');
    const isEnd = (head.flags & flags.endStream) !== 0;
    if (stream.missing !== null) stream.missing -= bytes.length;
    // What has to wait for more is copied, or a byte of it would keep all that was read with it.
    if (bytes.length > 0) stream.reader?.data(isEnd ? bytes : Buffer.from(bytes));
    else if (!isEnd) this.#bear();
    if (isEnd) endRequest(stream);
  }

  #headers(head: FrameHead, fragment: Buffer): void {
    if (head.flags & flags.endHeaders) this.#block(head, fragment);
    else this.#partial = { head, pieces: [fragment], bytes: fragment.length };
  }

  #continue({ stream, flags: bits }: FrameHead, fragment: Buffer): void {
    const partial = this.#partial!;
    if (stream !== partial.head.stream) throw protocolError();
    this.#bear();
    partial.pieces.push(fragment);
    partial.bytes += fragment.length;
    if (partial.bytes > headerBytesMax) throw new Http2Error(errorCodes.enhanceYourCalm, 'connection');
    if (!(bits & flags.endHeaders)) return;
    this.#partial = null;
    this.#block(partial.head, Buffer.concat(partial.pieces));
  }

  /** All fields of a request, or its trailers. They are read in any case, or none after them could be. */
  #block({ stream: id, flags: bits }: FrameHead, block: Buffer): void {
    const isEnd = (bits & flags.endStream) !== 0;
    const known = this.#streams.get(id);
    if (known !== undefined) {
      const fields = this.#decode(block);
      if (known.isRequestOver) throw new Http2Error(errorCodes.streamClosed, 'stream');
      if (!isEnd) throw protocolError('stream');
      checkTrailers(fields);
      endRequest(known);
      return;
    }
    if (id % 2 === 0) throw protocolError();
    if (id <= this.#lastStream) throw new Http2Error(errorCodes.streamClosed, 'connection');
    if (!this.#isLeaving) this.#lastStream = id;
    const headers = this.#read(block);
    if (!this.#isLeaving) this.#open(id, headers, isEnd);
  }

  #open(id: number, headers: Headers, isEnd: boolean): void {
    if (this.#streams.size >= this.#options.streamsMax) throw new Http2Error(errorCodes.refusedStream, 'stream');
    const stream = new Http2Stream(id, this.#window, this);
    stream.missing = contentLength(headers);
    stream.isRequestOver = isEnd;
    this.#streams.set(id, stream);
    const reader = this.#options.accept(stream, headers);
    if (stream.isClosed) reader.close();
    else stream.reader = reader;
    if (isEnd) endRequest(stream);
  }

  #read(block: Buffer): Headers {
    const text = block.toString('latin1');
    const known = this.#remembered.get(text);
    if (known !== undefined) return known;
    const { changes } = this.#decoder;
    const headers = requestHeaders(this.#decode(block));
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
    if (changes === this.#decoder.changes && block.length <= rememberedBytesMax) this.#remembered.set(text, headers);
    return headers;
  }

  #decode(block: Buffer): readonly Field[] {
    const { changes } = this.#decoder;
    try {
      const fields = this.#decoder.decode(block, headerBytesMax);
      if (changes !== this.#decoder.changes) this.#remembered.clear();
      if (fields === null) throw new Http2Error(errorCodes.enhanceYourCalm, 'stream');
      return fields;
    } catch (error) {
      throw error instanceof HpackError ? new Http2Error(errorCodes.compressionError, 'connection') : error;
    }
  }

  #widen(id: number, bytes: number): void {
    const stream = id === 0 ? null : this.#find(id);
    if (bytes === 0) throw protocolError(id === 0 ? 'connection' : 'stream');
    if (stream !== undefined) this.#sender.widen(stream, bytes);
  }

  #settle({ flags: bits }: FrameHead, payload: Buffer): void {
    if (bits & flags.ack) {
      if (payload.length > 0) throw new Http2Error(errorCodes.frameSizeError, 'connection');
      return;
    }
    if (payload.length % 6 !== 0) throw new Http2Error(errorCodes.frameSizeError, 'connection');
    if (this.#isSettled) this.#bear();
    this.#isSettled = true;
    const before = this.#window;
    for (let at = 0; at < payload.length; at += 6) this.#set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    // Before what waited for the window: the acknowledgement comes immediately (RFC 9113, 6.5.3).
    this.#sender.acknowledge(frameTypes.settings);
    const more = this.#window - before;
    if (more !== 0) for (const stream of this.#streams.values()) this.#sender.widen(stream, more);
  }

  #set(name: number, value: number): void {
    if (name === settings.enablePush && value > 1) throw protocolError();
    if (name === settings.frameBytesMax) this.#sender.setFrameBytes(value);
    if (name !== settings.initialWindow) return;
    if (value > windowMax) throw new Http2Error(errorCodes.flowControlError, 'connection');
    this.#window = value;
  }

  /** Types that are not known are passed over. */
  #rare({ type, flags: bits, stream: id }: FrameHead, payload: Buffer): void {
    if (type === frameTypes.ping && bits & flags.ack) return;
    this.#bear();
    if (type === frameTypes.ping) this.#sender.acknowledge(frameTypes.ping, payload.toString('latin1'));
    if (type !== frameTypes.rstStream) return;
    const stream = this.#find(id);
    if (stream !== undefined) this.#drop(stream);
  }

  /** Undefined for one that is over. */
  #find(id: number): Http2Stream | undefined {
    if (id > this.#lastStream && !this.#isLeaving) throw protocolError();
    return this.#streams.get(id);
  }

  #goAway(code: ErrorCode): void {
    this.#sender.control(frameTypes.goAway, 0, uint32(this.#lastStream) + uint32(code));
  }

  #bear(): void {
    if (--this.#patience < 0) throw new Http2Error(errorCodes.enhanceYourCalm, 'connection');
  }

  #sent(stream: Http2Stream): void {
    // A refusal has no body, and therefore no trailers.
    if (stream.trailers !== '') this.#patience = Math.min(patienceMax, this.#patience + patienceOfCall);
    // What is still to come of the question is not waited for (RFC 9113, 8.1).
    if (stream.isRequestOver) this.#drop(stream);
    else this.#end(stream, errorCodes.noError);
  }

  #end(stream: Http2Stream, code: ErrorCode): void {
    this.#sender.control(frameTypes.rstStream, stream.id, uint32(code));
    this.#drop(stream);
  }

  #drop(stream: Http2Stream): void {
    stream.isClosed = true;
    this.#streams.delete(stream.id);
    this.#sender.forget(stream);
    stream.reader?.close();
    if (this.#isLeaving && this.#streams.size === 0) this.#sender.end();
  }

  #close(): void {
    for (const stream of this.#streams.values()) this.#drop(stream);
    this.#options.onClose();
  }
}

/** It may have been answered before. */
function endRequest(stream: Http2Stream): void {
  if (stream.isClosed) return;
  stream.isRequestOver = true;
  if (stream.missing !== null && stream.missing !== 0) throw protocolError('stream');
  stream.reader?.end();
}

function protocolError(scope: 'stream' | 'connection' = 'connection'): Http2Error {
  return new Http2Error(errorCodes.protocolError, scope);
}
