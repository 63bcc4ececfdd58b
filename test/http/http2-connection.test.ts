import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { hpackBlock } from '../../src/http/hpack.ts';
import { Http2Connection, type Http2Stream } from '../../src/http/http2-connection.ts';
import { flags, frame, frameTypes, preface, settingsOf, uint32 } from '../../src/http/http2-frames.ts';
import type { Headers } from '../../src/http/route.ts';

type Asked = { readonly headers: Headers; readonly body: Buffer };

const okHeaders = hpackBlock([[':status', '200']]);
const trailers = hpackBlock([['x-end', 'yes']]);

/** Answers with what it was asked, unless `answer` does otherwise. */
async function serve(
  t: TestContext,
  answer = (stream: Http2Stream, { body }: Asked) => stream.answer(okHeaders, body.toString('latin1'), trailers),
  onData: (chunk: Buffer) => void = () => undefined,
) {
  const asked: Asked[] = [];
  const connections = new Set<Http2Connection>();
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.push(socket);
    const connection = new Http2Connection(socket, {
      accept: (stream, headers) => {
        const chunks: Buffer[] = [];
        return {
          data: (chunk) => {
            chunks.push(chunk);
            onData(chunk);
          },
          end: () => {
            const all = { headers, body: Buffer.concat(chunks) };
            asked.push(all);
            answer(stream, all);
          },
          close: () => undefined,
        };
      },
      onClose: () => connections.delete(connection),
      streamsMax: 100,
      windowBytes: 200_000,
    });
    connections.add(connection);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  t.after(() => {
    server.close();
    for (const connection of connections) connection.destroy();
  });
  const open = (options: SecureClientSessionOptions = {}): ClientHttp2Session => {
    const session = connect(`http://127.0.0.1:${port}`, options);
    session.on('error', () => undefined);
    t.after(() => session.destroy());
    return session;
  };
  return { asked, connections, sockets, open, port };
}

async function ask(session: ClientHttp2Session, headers: Record<string, string | string[]>, body = Buffer.alloc(0)) {
  const stream = session.request({ ':method': 'POST', ':path': '/', ...headers });
  stream.end(body);
  let end: IncomingHttpHeaders = {};
  stream.on('trailers', (given) => {
    end = given;
  });
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { body: Buffer.concat(chunks), end: end['x-end'] };
}

/** A peer that says what it likes. */
async function raw(
  port: number,
  ...frames: readonly string[]
): Promise<{ socket: Socket; text: () => string; write: (text: string) => void }> {
  const socket = dial({ port, host: '127.0.0.1' });
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  const write = (bytes: string): void => void socket.write(bytes, 'latin1');
  write(preface.toString('latin1') + frame({ type: frameTypes.settings, flags: 0, stream: 0 }, '') + frames.join(''));
  return { socket, text: () => text, write };
}

const head = hpackBlock([
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
]);
const headersFrame = (stream: number, bits = flags.endHeaders | flags.endStream): string =>
  frame({ type: frameTypes.headers, flags: bits, stream }, head);

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setImmediate(resolve));
}

const closed = (socket: Socket): Promise<unknown> => (socket.destroyed ? Promise.resolve() : once(socket, 'close'));

test('what Node’s client asks arrives as it was asked, and what is answered arrives as well, whatever the windows are', async (t) => {
  const { open, asked } = await serve(t);
  const name = fc.constantFrom('authorization', 'x-a', 'x-gait-key', 'cookie', '__proto__', 'constructor');
  const value = fc.stringMatching(/^[!-~]([ -~]{0,80}[!-~])?$/);
  const headers = fc.dictionary(name, value, { noNullPrototype: true });
  const short = fc.uint8Array({ maxLength: 50 });
  const long = fc.constantFrom(16_384, 16_385, 70_000, 200_000).map((length) => new Uint8Array(length).fill(7));
  const questions = (bodies: typeof short) => fc.array(fc.tuple(headers, bodies), { minLength: 1, maxLength: 8 });
  const sessions = fc.oneof(
    fc.tuple(fc.constantFrom(0, 1, 10), questions(short)),
    fc.tuple(fc.constantFrom(10_000, 65_535, 1_000_000), questions(fc.oneof(short, long))),
  );
  await fc.assert(
    fc.asyncProperty(sessions, async ([initialWindowSize, calls]) => {
      // At nothing Node never asks for more; the window is opened below.
      const session = open({ settings: { initialWindowSize } });
      if (initialWindowSize === 0) session.settings({ initialWindowSize: 20 });
      asked.length = 0;
      const given = await Promise.all(
        calls.map(([fields, bytes], index) => ask(session, { ...fields, ':path': `/${index}` }, Buffer.from(bytes))),
      );
      for (const [index, [fields, bytes]] of calls.entries()) {
        const arrived = asked.find(({ headers: found }) => found[':path'] === `/${index}`)!;
        const { ':method': _m, ':path': _p, ':scheme': _s, ':authority': _a, ...rest } = arrived.headers;
        assert.deepEqual({ ...rest }, { ...fields });
        assert.ok(arrived.body.equals(bytes));
        assert.deepEqual([given[index]!.body.equals(bytes), given[index]!.end], [true, 'yes']);
      }
      session.destroy();
    }),
    { numRuns: 60, endOnFailure: true },
  );
});

test('a conversation cut into any pieces is the same conversation', async (t) => {
  const { port } = await serve(t);
  const spoken = [
    headersFrame(1, flags.endHeaders),
    frame({ type: frameTypes.data, flags: flags.padded, stream: 1 }, '\x02hello\x00\x00'),
    frame({ type: frameTypes.data, flags: flags.endStream, stream: 1 }, 'you'),
    frame({ type: frameTypes.headers, flags: flags.endStream, stream: 3 }, head.slice(0, 5)),
    frame({ type: frameTypes.continuation, flags: 0, stream: 3 }, head.slice(5, 6)),
    frame({ type: frameTypes.continuation, flags: flags.endHeaders, stream: 3 }, head.slice(6)),
    frame({ type: 77, flags: 255, stream: 3 }, 'of no known type'),
    frame({ type: frameTypes.ping, flags: 0, stream: 0 }, '12345678'),
  ].join('');
  const hear = async (pieces: readonly string[]): Promise<string> => {
    const { socket, text, write } = await raw(port);
    for (const piece of pieces) {
      write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => text().endsWith('12345678'));
    socket.destroy();
    return text();
  };
  const whole = await hear([spoken]);
  assert.match(whole, /helloyou/);
  for (let size = 1; size < 30; size++) {
    assert.equal(await hear(spoken.match(new RegExp(`[^]{1,${size}}`, 'g'))!), whole, `pieces of ${size}`);
  }
});

test('whatever a peer says, nobody else notices', async (t) => {
  const { port, open, connections } = await serve(t);
  const other = open();
  const type = fc.integer({ min: 0, max: 11 });
  const anyFrame = fc
    .tuple(type, fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 6 }), fc.uint8Array({ maxLength: 40 }))
    .map(([kind, bits, stream, bytes]) =>
      frame({ type: kind, flags: bits, stream }, Buffer.from(bytes).toString('latin1')),
    );
  const plain = fc.integer({ min: 0, max: 20 }).map((index) => headersFrame(2 * index + 1));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.oneof(anyFrame, plain), { maxLength: 12 }), async (frames) => {
      const { socket } = await raw(port, ...frames);
      assert.equal((await ask(other, {}, Buffer.from('still here'))).body.toString(), 'still here');
      socket.destroy();
    }),
    { numRuns: 500, endOnFailure: true },
  );
  await until(() => connections.size === 1);
});

test('who does not read the answers is not asked for more, and no more waits for him than one reading asked for', async (t) => {
  const long = 'x'.repeat(16_000);
  const { port, sockets } = await serve(t, (stream) => stream.answer(okHeaders, long, trailers));
  const { socket, write } = await raw(
    port,
    frame({ type: frameTypes.settings, flags: 0, stream: 0 }, settingsOf({ initialWindow: 2 ** 31 - 1 })),
    frame({ type: frameTypes.windowUpdate, flags: 0, stream: 0 }, uint32(2 ** 31 - 1 - 65_535)),
  );
  socket.pause();
  for (let index = 0; index < 20_000; index++) write(headersFrame(2 * index + 1));
  await until(() => sockets[0]!.isPaused());
  assert.ok(sockets[0]!.writableLength < 64 * 1024 * 1024, `${sockets[0]!.writableLength} bytes wait for him`);
  socket.destroy();
});

test('a wider window is acknowledged before what waited for it is sent', async (t) => {
  const { port } = await serve(t, (stream) => stream.answer(okHeaders, 'hello', trailers));
  const window = (initialWindow: number): string =>
    frame({ type: frameTypes.settings, flags: 0, stream: 0 }, settingsOf({ initialWindow }));
  const { socket, text, write } = await raw(port, window(0), headersFrame(1));
  await until(() => text().includes(okHeaders));
  const before = text().length;
  write(window(1));
  const acknowledged = frame({ type: frameTypes.settings, flags: flags.ack, stream: 0 }, '');
  const one = frame({ type: frameTypes.data, flags: 0, stream: 1 }, 'h');
  await until(() => text().length >= before + acknowledged.length + one.length);
  assert.equal(text().slice(before), acknowledged + one);
  socket.destroy();
});

test('a byte that waits for the rest of its message keeps nothing else that came with it', async (t) => {
  const kept: Buffer[] = [];
  const { port } = await serve(t, undefined, (chunk) => kept.push(chunk));
  const wider = frame({ type: frameTypes.windowUpdate, flags: 0, stream: 0 }, uint32(1));
  const byte = frame({ type: frameTypes.data, flags: 0, stream: 1 }, 'a');
  const { socket } = await raw(port, headersFrame(1, flags.endHeaders), byte, wider.repeat(5000));
  await until(() => kept.length === 1);
  assert.ok(kept[0]!.buffer.byteLength <= Buffer.poolSize, `${kept[0]!.buffer.byteLength} bytes are kept`);
  socket.destroy();
});

test('a peer that only makes work loses the connection, and one that says nothing of HTTP/2 by the second look', async (t) => {
  const { port, connections } = await serve(t);
  const ping = frame({ type: frameTypes.ping, flags: 0, stream: 0 }, '12345678');
  const nothing = frame({ type: frameTypes.data, flags: 0, stream: 1 }, '');
  const open = headersFrame(1, flags.endHeaders);
  const settings = frame({ type: frameTypes.settings, flags: 0, stream: 0 }, '');
  const goOn = frame({ type: frameTypes.continuation, flags: 0, stream: 1 }, '');
  const work = {
    pings: ping,
    settings,
    'data of nothing': open + nothing,
    'fields that go on': headersFrame(1, 0) + goOn,
  };
  for (const [what, text] of Object.entries(work)) {
    const { socket, write, text: said } = await raw(port, text);
    write(
      text.slice(text.lastIndexOf(text === open + nothing ? nothing : text.endsWith(goOn) ? goOn : text)).repeat(1100),
    );
    await closed(socket);
    assert.ok(said().endsWith(uint32(11)), `${what}: ENHANCE_YOUR_CALM`);
  }
  const silent = dial({ port, host: '127.0.0.1' }).resume();
  await until(() => connections.size === 1);
  for (let look = 0; look < 2; look++) for (const connection of connections) connection.sweep();
  await closed(silent);
});

test('a block of fields is held up to 64 KiB, and one that counts as more than that ends its stream alone', async (t) => {
  const { port } = await serve(t);
  const part = frame({ type: frameTypes.continuation, flags: 0, stream: 1 }, 'x'.repeat(16_000));
  const { socket, text } = await raw(port, headersFrame(1, 0) + part.repeat(5));
  await closed(socket);
  assert.ok(text().endsWith(uint32(11)));
  const kept = `\x40${hpackBlock([['x-long', 'y'.repeat(4000)]]).slice(1)}`;
  const bomb = frame({ type: frameTypes.headers, flags: 5, stream: 3 }, head + '\xbe'.repeat(10_000));
  const { text: heard } = await raw(
    port,
    frame({ type: frameTypes.headers, flags: 5, stream: 1 }, head + kept) + bomb + headersFrame(5),
  );
  await until(() => heard().split(okHeaders).length === 3);
  assert.ok(heard().includes(frame({ type: frameTypes.rstStream, flags: 0, stream: 3 }, uint32(11))));
});

test('fields that no request can have end their stream, and trailers are allowed', async (t) => {
  const { port, asked } = await serve(t);
  const plain: [string, string][] = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', '/'],
  ];
  const wrong: [string, string][][] = [
    [...plain, ['X-Upper', 'a']],
    [...plain, ['connection', 'close']],
    [...plain, ['te', 'gzip']],
    [...plain, ['x', 'a\r\nb: c']],
    [...plain, ['x', 'a\0']],
    [...plain, ['x', ' a']],
    [...plain, ['', 'a']],
    [...plain, [':path', '/again']],
    [...plain, [':status', '200']],
    [...plain, ['x', 'a'], [':authority', 'late']],
    [...plain, ['content-length', 'many']],
    [...plain, ['content-length', '3']],
    plain.slice(1),
    [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', ''],
    ],
  ];
  const frames = wrong.map((fields, i) =>
    frame({ type: frameTypes.headers, flags: 5, stream: 2 * i + 1 }, hpackBlock(fields)),
  );
  const last = 2 * wrong.length + 1;
  const end = frame({ type: frameTypes.headers, flags: 5, stream: last }, hpackBlock([['x-checksum', '1']]));
  const { text } = await raw(
    port,
    ...frames,
    headersFrame(last, flags.endHeaders),
    frame({ type: 0, flags: 0, stream: last }, 'body'),
    end,
  );
  await until(() => text().includes(okHeaders));
  for (const [i, fields] of wrong.entries()) {
    assert.ok(
      text().includes(frame({ type: frameTypes.rstStream, flags: 0, stream: 2 * i + 1 }, uint32(1))),
      String(fields.at(-1)),
    );
  }
  assert.deepEqual(
    asked.map(({ body }) => body.toString()),
    ['body'],
  );
});

test('a stop says which calls are done, answers those under way and ends', async (t) => {
  const waiting: Http2Stream[] = [];
  const { port, connections } = await serve(t, (stream) => void waiting.push(stream));
  const { socket, text, write } = await raw(port, headersFrame(1));
  await until(() => waiting.length === 1);
  for (const connection of connections) connection.leave();
  write(headersFrame(3));
  await until(() => text().includes(frame({ type: frameTypes.goAway, flags: 0, stream: 0 }, uint32(1) + uint32(0))));
  waiting[0]!.answer(okHeaders, 'late', trailers);
  await closed(socket);
  assert.match(text(), /late/);
  assert.equal(waiting.length, 1, 'what came after it is for another server');
});
