import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What an offered load came to: the time of each answer since its question was due, so a slow server cannot slow the questions down. */
export type Answered = { readonly ms: readonly number[]; readonly seconds: number; readonly failed: number };

/** Sends question number `index`; `done` is called when it is answered. */
export type Send = (index: number, done: (isRight: boolean) => void) => void;

const lateMs = 10_000;
/** Beyond it a question fails unasked, as at Envoy's circuit breaker (`max_requests`): else a stall is followed by nothing but its own queue. */
const underWayMax = 1024;

/** Asks at even intervals, whether or not the last question was answered. It spins: a timer of Node is a millisecond wide, five questions. */
export async function openLoop(load: { rate: number; seconds: number; send: Send }): Promise<Answered> {
  const { rate, seconds, send } = load;
  const total = Math.round(rate * seconds);
  const ms: number[] = [];
  let failed = 0;
  const start = performance.now();
  for (let next = 0; ms.length + failed < total; ) {
    const now = performance.now();
    if (now > start + seconds * 1000 + lateMs) break;
    for (; next < total && start + (next / rate) * 1000 <= now; next++) {
      const due = start + (next / rate) * 1000;
      if (next - ms.length - failed >= underWayMax) {
        failed++;
        continue;
      }
      send(next, (isRight) => {
        if (isRight) ms.push(performance.now() - due);
        else failed++;
      });
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { ms, seconds: (performance.now() - start) / 1000, failed: failed + total - ms.length - failed };
}

/** As autocannon asks at a rate: a second's questions as fast as `underWay` of them at once are answered, then nothing until the next second. */
export async function bySeconds(load: {
  rate: number;
  seconds: number;
  underWay: number;
  send: Send;
}): Promise<Answered> {
  const { rate, seconds, underWay, send } = load;
  const ms: number[] = [];
  let failed = 0;
  const start = performance.now();
  for (let second = 0; second < seconds; second++) {
    await new Promise<void>((resolve) => {
      let asked = 0;
      let answered = 0;
      const askNext = (): void => {
        const at = performance.now();
        send(second * rate + asked++, (isRight) => {
          if (isRight) ms.push(performance.now() - at);
          else failed++;
          if (++answered === rate) resolve();
          else if (asked < rate) askNext();
        });
      };
      while (asked < underWay) askNext();
    });
    await sleep(Math.max(0, start + 1000 * (second + 1) - performance.now()));
  }
  return { ms, seconds: (performance.now() - start) / 1000, failed };
}

type Waiting = { readonly text: string; readonly done: (isRight: boolean) => void };

/** HTTP/1.1 over kept connections, one question at a time on each; as little work as possible, for the server is what is measured. */
export async function overSockets(port: number, connections: number): Promise<{ ask: Ask; close: () => void }> {
  const idle: Socket[] = [];
  const queue: Waiting[] = [];
  const asked = new Map<Socket, Waiting>();
  const give = (socket: Socket, waiting: Waiting): void => {
    asked.set(socket, waiting);
    socket.write(waiting.text);
  };
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        const head = text.indexOf('\r\n\r\n');
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
        if (head < 0 || text.length < head + 4 + length) return;
        asked.get(socket)?.done(text.includes('\r\nx-gait-verdict: '));
        text = '';
        const next = queue.shift();
        if (next === undefined) idle.push(socket);
        else give(socket, next);
      });
      return socket;
    }),
  );
  idle.push(...sockets);
  const ask: Ask = (text, done) => {
    const socket = idle.pop();
    if (socket === undefined) queue.push({ text, done });
    else give(socket, { text, done });
  };
  return {
    ask,
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

type Ask = (text: string, done: (isRight: boolean) => void) => void;
