import type { Socket } from 'node:net';
import {
  errorCodes,
  flags,
  frame,
  frameBytesMax,
  frameTypes,
  Http2Error,
  usualWindow,
  windowMax,
} from './http2-frames.ts';

/** An answer on its way. Texts are of characters that are bytes. */
export type Outgoing = {
  readonly id: number;
  /** Bytes of a body that the peer takes of this stream yet. */
  window: number;
  /** Of the body, what is still to be sent. */
  rest: string;
  /** A block of fields; empty where none come. */
  trailers: string;
};

/** The side of a connection that writes: within the windows that the peer gives (RFC 9113, 5.2), all that one turn brings at once. */
export class Http2Sender<Stream extends Outgoing> {
  readonly #socket: Socket;
  readonly #onSent: (stream: Stream) => void;
  /** With a rest that no window took. */
  readonly #waiting = new Set<Stream>();
  #window = usualWindow;
  #frameBytes = frameBytesMax;
  #text = '';
  #isHeld = false;
  #isEnding = false;

  /** `onSent` is called when an answer is all written. */
  constructor(socket: Socket, onSent: (stream: Stream) => void) {
    this.#socket = socket;
    this.#onSent = onSent;
  }

  /** What is sent within `work` is written when it is over. */
  together(work: () => void): void {
    if (this.#isHeld) {
      work();
      return;
    }
    this.#isHeld = true;
    try {
      work();
    } finally {
      this.#isHeld = false;
      this.#write();
    }
  }

  control(type: number, stream: number, payload: string): void {
    this.#add(frame({ type, flags: 0, stream }, payload));
  }

  acknowledge(type: number, payload = ''): void {
    this.#add(frame({ type, flags: flags.ack, stream: 0 }, payload));
  }

  answer(stream: Stream, headers: string): void {
    const isAll = stream.rest === '' && stream.trailers === '';
    const bits = flags.endHeaders | (isAll ? flags.endStream : 0);
    this.#add(frame({ type: frameTypes.headers, flags: bits, stream: stream.id }, headers));
    this.#pump(stream);
  }

  /** The connection ends when all this is written. */
  end(): void {
    this.#isEnding = true;
    if (!this.#isHeld) this.#write();
  }

  forget(stream: Stream): void {
    this.#waiting.delete(stream);
  }

  setFrameBytes(bytes: number): void {
    if (bytes < frameBytesMax || bytes >= 1 << 24) throw new Http2Error(errorCodes.protocolError, 'connection');
    this.#frameBytes = bytes;
  }

  /** Throws a Http2Error for more than a window can be. */
  widen(stream: Stream | null, bytes: number): void {
    const window = bytes + (stream ?? { window: this.#window }).window;
    if (window > windowMax)
      throw new Http2Error(errorCodes.flowControlError, stream === null ? 'connection' : 'stream');
    if (stream === null) {
      this.#window = window;
      for (const waiting of this.#waiting) this.#pump(waiting);
    } else {
      stream.window = window;
      if (this.#waiting.has(stream)) this.#pump(stream);
    }
  }

  #pump(stream: Stream): void {
    while (stream.rest !== '') {
      const bytes = Math.min(stream.rest.length, stream.window, this.#window, this.#frameBytes);
      if (bytes <= 0) {
        this.#waiting.add(stream);
        return;
      }
      this.#window -= bytes;
      stream.window -= bytes;
      const isLast = bytes === stream.rest.length && stream.trailers === '';
      const head = { type: frameTypes.data, flags: isLast ? flags.endStream : 0, stream: stream.id };
      this.#add(frame(head, stream.rest.slice(0, bytes)));
      stream.rest = stream.rest.slice(bytes);
    }
    this.#waiting.delete(stream);
    if (stream.trailers !== '') {
      const head = { type: frameTypes.headers, flags: flags.endHeaders | flags.endStream, stream: stream.id };
      this.#add(frame(head, stream.trailers));
    }
    this.#onSent(stream);
  }

  #add(text: string): void {
    this.#text += text;
    if (!this.#isHeld) this.#write();
  }

  /** Who does not read his answers is not asked for more questions. */
  #write(): void {
    const socket = this.#socket;
    const isRead = this.#text === '' || !socket.writable || socket.write(this.#text, 'latin1');
    this.#text = '';
    if (this.#isEnding) socket.destroySoon();
    if (isRead || this.#isEnding || socket.isPaused()) return;
    socket.pause();
    socket.once('drain', () => socket.resume());
  }
}
