import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { createLogger } from '../../src/config/logging.ts';
import { serveUnary, type TransportOptions, type UnaryMethod } from '../../src/http/grpc-transport.ts';

/** `/slow` is answered when the test says so, `/echo` at once. */
async function serve(t: TestContext, limits: NonNullable<TransportOptions['limits']>) {
  const waiting: (() => void)[] = [];
  const slow = (): Promise<string> => new Promise((resolve) => waiting.push(() => resolve('')));
  const methods = new Map<string, UnaryMethod>([
    ['/slow', () => slow],
    ['/echo', () => (message) => message.toString('latin1')],
  ]);
  const listen = { host: '127.0.0.1', port: 0 };
  const server = await serveUnary({ listen, methods, logger: createLogger('silent'), limits });
  const dial = (): ClientHttp2Session => {
    const session = connect(`http://${server.address}`);
    t.after(() => session.destroy());
    return session;
  };
  t.after(() => server.close());
  return { dial, waiting };
}

function start(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  return session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
}

/** The code of gRPC, or that of HTTP/2 with which the stream was ended. */
function call(session: ClientHttp2Session, path: string, message = ''): Promise<string> {
  const stream = start(session, path);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return outcome(stream, Buffer.concat([prefix, Buffer.from(message, 'latin1')]));
}

function outcome(stream: ClientHttp2Stream, body?: Buffer): Promise<string> {
  return new Promise((resolve) => {
    let code = '';
    stream.on('response', (headers) => {
      code = String(headers['grpc-status'] ?? '');
    });
    stream.on('trailers', (headers) => {
      code = String(headers['grpc-status']);
    });
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(code || `reset ${stream.rstCode}`));
    stream.resume();
    if (body !== undefined) stream.end(body);
  });
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setImmediate(resolve));
}

test('more calls at once than are taken are refused with a code, on every connection, and none of these ends', async (t) => {
  const { dial, waiting } = await serve(t, { calls: 8, sweepMs: 60_000 });
  const [first, second] = [dial(), dial()];
  const taken = Array.from({ length: 8 }, (_, i) => call(i % 2 === 0 ? first : second, '/slow'));
  await until(() => waiting.length === 8);
  for (const session of [first, second]) {
    const more = await Promise.all(Array.from({ length: 500 }, () => call(session, '/echo')));
    assert.deepEqual(new Set(more), new Set(['8']));
  }
  for (const give of waiting) give();
  assert.deepEqual(new Set(await Promise.all(taken)), new Set(['0']));
  assert.deepEqual([await call(first, '/echo', 'a'), await call(second, '/echo', 'b')], ['0', '0']);
});

test('a message that never ends is ended, and calls that are quick are not', async (t) => {
  const { dial } = await serve(t, { calls: 8, sweepMs: 50 });
  const session = dial();
  const endless = start(session, '/echo');
  endless.write(Buffer.alloc(3));
  let isEnded = false;
  const end = outcome(endless).finally(() => (isEnded = true));
  for (; !isEnded; ) assert.equal(await call(session, '/echo', 'quick'), '0');
  assert.equal(await end, 'reset 8', 'CANCEL');
});

test('a peer that opens calls only to reset them loses its connection, and nobody else notices', async (t) => {
  const { dial } = await serve(t, { calls: 64, sweepMs: 60_000 });
  const [attacker, other] = [dial(), dial()];
  attacker.on('error', () => undefined);
  await once(attacker, 'remoteSettings');
  let isOver = false;
  attacker.once('close', () => {
    isOver = true;
  });
  while (!isOver) {
    for (let i = 0; i < 200 && !attacker.destroyed && !attacker.closed; i++) {
      const stream = start(attacker, '/slow');
      stream.on('error', () => undefined);
      stream.close(8);
    }
    assert.equal(await call(other, '/echo', 'still here'), '0');
  }
});
