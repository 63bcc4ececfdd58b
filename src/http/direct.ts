import { type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, EpochMs } from '../core/clock.ts';
import type { Gate } from './access.ts';
import { type ErrorAnswer, emptyHeaders, jsonType, securityHeaders } from './error-answer.ts';
import type { Metrics } from './metrics.ts';
import { type RequestHead, readRequestHead } from './request-head.ts';
import type { Reply, Route } from './route.ts';

export type DirectOptions = {
  /** Of an enforcement point: what is asked stands in the headers, and nothing is to be admitted or read. */
  readonly route: Route;
  readonly methods: readonly string[];
  readonly gate: Gate;
  readonly errorAnswer: ErrorAnswer;
  readonly metrics: Metrics;
  /** How long a connection is kept that nothing is asked on. */
  readonly keepAliveMs: number;
  readonly headerBytesMax: number;
  readonly now: Clock['now'];
};

export type Direct = {
  /** Connections that wait for a question are ended, those with an answer on its way after it; new ones are Node's. */
  readonly close: () => void;
};

/** In which a head may come; the rest of a slower one Node waits for, as long as it waits for any. */
const piecesMax = 4;
const nothing = Buffer.alloc(0);
const none = {};

/**
 * Before each call of somebody's API a gateway asks, and to decide takes a few microseconds: what a framework and Node's HTTP add to that is
 * most of what an answer costs. So a plain question is read from its connection and answered there, in one write. A connection on which
 * anything else comes (another route, a body, an odd head, questions sent without waiting) is Node's and the framework's from there on; they have
 * the same route and give the same answers.
 */
export function answerDirectly(server: Server, options: DirectOptions): Direct {
  const byNode = server.listeners('connection');
  const connections = new Set<Connection>();
  let isClosing = false;
  const around: Around = {
    ...options,
    isClosing: () => isClosing,
    leave: (connection) => connections.delete(connection),
    // As its documentation has it for connections that come from elsewhere (event `connection`).
    handOver: (socket) => {
      for (const listener of byNode) listener.call(server, socket);
    },
  };
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (isClosing) around.handOver(socket);
    else connections.add(new Connection(socket, around));
  });
  return {
    close: () => {
      isClosing = true;
      for (const connection of connections) connection.endIfIdle();
    },
  };
}

type Around = DirectOptions & {
  readonly isClosing: () => boolean;
  readonly leave: (connection: Connection) => void;
  readonly handOver: (socket: Socket) => void;
};

/** On which only plain questions came so far. */
class Connection {
  readonly #socket: Socket;
  readonly #around: Around;
  readonly #from: string;
  /** Of a head that is not all there. */
  #arrived = '';
  #pieces = 0;
  #isAnswering = false;
  readonly #onData = (chunk: Buffer): void => this.#take(chunk);
  readonly #onEnd = (): void => void this.#socket.destroy();
  readonly #onClose = (): void => this.#around.leave(this);

  constructor(socket: Socket, around: Around) {
    this.#socket = socket;
    this.#around = around;
    this.#from = socket.remoteAddress ?? '';
    socket.setTimeout(around.keepAliveMs, this.#onEnd);
    socket.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onEnd).on('close', this.#onClose);
  }

  endIfIdle(): void {
    if (!this.#isAnswering) this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const { route, methods, headerBytesMax } = this.#around;
    const text = this.#arrived + chunk.toString('latin1');
    if (this.#isPart(text)) {
      this.#arrived = text;
      return;
    }
    this.#arrived = '';
    this.#pieces = 0;
    const head = text.length > headerBytesMax ? null : readRequestHead(text);
    if (head !== null && isUnder(route.url, head.url) && methods.includes(head.method)) this.#answer(head);
    else this.#handOver(text);
  }

  /** Of a question's head. */
  #isPart(text: string): boolean {
    const { route, headerBytesMax } = this.#around;
    if (text.includes('\r\n\r\n') || text.length > headerBytesMax) return false;
    return text.startsWith(route.url, text.indexOf(' ') + 1) && ++this.#pieces < piecesMax;
  }

  #handOver(text: string): void {
    const socket = this.#socket;
    socket.setTimeout(0, this.#onEnd);
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onEnd).off('close', this.#onClose);
    this.#around.leave(this);
    socket.pause();
    socket.unshift(Buffer.from(text, 'latin1'));
    this.#around.handOver(socket);
    socket.resume();
  }

  /** Arguments in one literal: `{ ...known, more }` outlives its use (src/README.md). */
  #answer(head: RequestHead): void {
    const { route, gate } = this.#around;
    const { headers, method, url } = head;
    try {
      const caller = gate(route, headers);
      const from = this.#from;
      const asked = { headers, method, url, caller, from, params: none, query: none, body: nothing, lease: undefined };
      const given = route.handle(asked);
      if (given instanceof Promise) this.#answerLater(head, given);
      else this.#send(head, given);
    } catch (error) {
      this.#fail(head, error);
    }
  }

  /** What comes meanwhile waits in the socket. */
  #answerLater(head: RequestHead, given: Promise<Reply>): void {
    this.#isAnswering = true;
    this.#socket.pause();
    given
      .then((reply) => this.#send(head, reply))
      .catch((error: unknown) => this.#fail(head, error))
      .finally(() => {
        this.#isAnswering = false;
        if (!this.#socket.writableNeedDrain) this.#socket.resume();
      });
  }

  #fail(head: RequestHead, error: unknown): void {
    const { errorAnswer, route } = this.#around;
    this.#send(head, errorAnswer(error, route.url));
  }

  #send({ method, isLast }: RequestHead, reply: Reply): void {
    const { metrics, route, keepAliveMs, isClosing, now } = this.#around;
    const socket = this.#socket;
    const content = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body);
    const bytes = Buffer.byteLength(content);
    const isEnd = isLast || isClosing();
    const kept = isEnd ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${keepAliveMs / 1000}`;
    const head = `${headOf(reply, bytes)}Date: ${httpDate(now())}\r\nConnection: ${kept}\r\n\r\n`;
    metrics.httpRequest(route.url, reply.status);
    if (socket.destroyed) return;
    const text = method === 'HEAD' ? head : head + content;
    const isRead = bytes === content.length ? socket.write(text, 'latin1') : socket.write(asBytes(text, head.length));
    if (isEnd) socket.destroySoon();
    else if (!isRead) {
      // Who does not read his answers is not asked for more questions.
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
  }
}

const securityLines = linesOf(securityHeaders);
const emptyLines = linesOf(emptyHeaders);

/** Throws a TypeError for a value that no header can have, as Node does. */
function headOf({ status, type, headers = none }: Reply, bytes: number): string {
  const ours = bytes === 0 ? emptyLines : `${securityLines}content-type: ${type ?? jsonType}\r\n`;
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${ours}content-length: ${bytes}\r\n${linesOf(headers)}`;
}

function linesOf(headers: Readonly<Record<string, string>>): string {
  let lines = '';
  for (const name in headers) {
    const value = headers[name]!;
    if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) throw new TypeError(`the header ${name} cannot have such a value`);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}

/** Only a body may have other characters than latin1's. */
function asBytes(text: string, headLength: number): Buffer {
  return Buffer.concat([Buffer.from(text.slice(0, headLength), 'latin1'), Buffer.from(text.slice(headLength))]);
}

const made = { second: 0, date: '' };

/** Made once a second. */
function httpDate(now: EpochMs): string {
  const second = Math.floor(now / 1000);
  if (second !== made.second) Object.assign(made, { second, date: new Date(1000 * second).toUTCString() });
  return made.date;
}

/** Whatever follows is the path of the call that is asked about, and none of ours: it must not be parsed, decoded or bounded as one. */
export function isUnder(route: string, url: string): boolean {
  if (!url.startsWith(route)) return false;
  const next = url.charCodeAt(route.length);
  return url.length === route.length || next === 47 /* / */ || next === 63; /* ? */
}
