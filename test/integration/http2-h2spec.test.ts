import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { hpackBlock } from '../../src/http/hpack.ts';
import { Http2Connection } from '../../src/http/http2-connection.ts';

const h2spec = process.env.H2SPEC ?? 'h2spec';
/** Debian has none, so it may be missing where CI is set as well. */
const hasH2spec = spawnSync(h2spec, ['--version']).error === undefined;

/** RFC 9113 (5.3) did away with priorities. */
const ofRfc7540 = ['Sends HEADERS frame that depend on itself', 'Sends PRIORITY frame that depend on itself'];

test('h2spec, which walks through HTTP/2 and HPACK, finds nothing but what RFC 9113 no longer asks for', {
  skip: hasH2spec
    ? false
    : 'h2spec is not installed (go install github.com/summerwind/h2spec/cmd/h2spec@latest; H2SPEC names its path)',
}, async (t) => {
  const headers = hpackBlock([[':status', '200']]);
  const server = createServer({ noDelay: true }, (socket) => {
    new Http2Connection(socket, {
      // Later, so that there are streams that wait for an answer.
      accept: (stream) => ({
        data: () => undefined,
        end: () => void setImmediate(() => stream.answer(headers, 'hello')),
        close: () => undefined,
      }),
      onClose: () => undefined,
      streamsMax: 100,
      windowBytes: 65_535,
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const run = spawn(h2spec, ['--host', '127.0.0.1', '--port', String(port), '--timeout', '5']);
  const output = await text(run.stdout);
  const failed = [...output.matchAll(/× \d+: (.*)/g)].map((match) => match[1]!);
  assert.deepEqual([...new Set(failed)].toSorted(), ofRfc7540, output);
  assert.match(output, /^14\d tests, 14\d passed, 0 skipped, 2 failed$/m);
});
