import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { makeSigningKey } from '../../src/core/jose.ts';
import { openSigningKeys } from '../../src/signal/signing-keys.ts';

const lifeMs = 90 * 86_400_000;
const minuteMs = 60_000;

function aFolder(context: { after: (end: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'gait-keys-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('a successor is published before it signs, and a key stays published as long as its tokens may be under way', async (context) => {
  const dataDir = aFolder(context);
  let now = 1_700_000_000_000;
  const open = () => openSigningKeys({ dataDir, configured: [], lifeMs, clock: { now: () => now } });
  const keys = await open();
  const kids = async (): Promise<readonly string[]> => (await keys.publish()).keys.map(({ kid }) => kid);
  const keySet = async () => createLocalJWKSet({ keys: [...(await keys.publish()).keys] });
  const signer = async (): Promise<string | undefined> =>
    decodeProtectedHeader(await keys.sign({ jti: 'a' }, 'secevent+jwt')).kid;
  const [first] = await kids();
  assert.equal(await signer(), first);
  const early = await keys.sign({ jti: 'early' }, 'secevent+jwt');

  now += lifeMs - 10 * minuteMs;
  const both = await kids();
  assert.deepEqual([both.length, both[0]], [2, first]);
  assert.equal(await signer(), first, 'receivers that keep key sets must have had time to read the new one');
  now += 16 * minuteMs;
  assert.equal(await signer(), both[1]);
  await jwtVerify(early, await keySet(), { typ: 'secevent+jwt' });
  const restarted = await open();
  assert.deepEqual(await restarted.publish(), await keys.publish(), 'a restart makes no other keys');

  now += lifeMs;
  assert.equal((await kids()).includes(first!), false);
  await assert.rejects(jwtVerify(early, await keySet()));
});

test('two calls at once make one key; its file is for its owner alone, and a broken one is not shown', async (context) => {
  const dataDir = aFolder(context);
  const options = { dataDir, configured: [], lifeMs, clock: { now: () => 1_700_000_000_000 } };
  const keys = await openSigningKeys(options);
  await Promise.all([keys.publish(), keys.sign({}, 'secevent+jwt'), keys.publish()]);
  assert.equal((await keys.publish()).keys.length, 1);
  const path = join(dataDir, 'ssf-keys.json');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.doesNotMatch(JSON.stringify(await keys.publish()), /"(d|p|q|dp|dq|qi)"/, 'no private part is published');
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, -20));
  const shown = await openSigningKeys(options).catch((error: Error) => `${error.stack} ${String(error.cause)}`);
  assert.match(String(shown), /cannot be read as signing keys/);
  assert.doesNotMatch(String(shown), /PRIVATE|MII/);
});

test('of configured keys the first signs and all are published', async (context) => {
  const configured = [await makeSigningKey(), await makeSigningKey()];
  const dataDir = aFolder(context);
  const keys = await openSigningKeys({ dataDir, configured, lifeMs, clock: { now: () => 0 } });
  const published = (await keys.publish()).keys;
  assert.equal(published.length, 2);
  assert.equal(decodeProtectedHeader(await keys.sign({}, 'secevent+jwt')).kid, published[0]?.kid);
});
