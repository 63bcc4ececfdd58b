import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiKey, ask, sampleParts, serve } from './client.ts';

const keys = [apiKey('analyst-key', 'analyst'), apiKey('admin-key', 'admin'), apiKey('ingest-key', 'ingest')];
const order = {
  identity: 'user:acme:zoe',
  action: 'throttle',
  ttl: '15m',
  reason: 'a test',
};
const body = JSON.stringify(order);
const json = { 'content-type': 'application/json' };
const hour = 3_600_000;

test('a key is shown once: the cookie that answers it is out of reach of scripts and of other sites, and holds no key', async (t) => {
  const server = await serve(sampleParts(), { keys });
  t.after(server.close);
  const opened = await ask(server, '/v1/session', { method: 'POST', headers: { authorization: 'Bearer admin-key' } });
  assert.deepEqual(JSON.parse(opened.text), { caller: 'admin-key', roles: ['admin'], needs_key: true });
  const [cookie = ''] = opened.headers['set-cookie'] ?? [];
  assert.match(cookie, /^gait_session=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.ok(!cookie.includes(keys[1]!.sha256));
  const session = { cookie: cookie.split(';')[0]! };
  assert.equal((await ask(server, '/v1/findings', { headers: session })).status, 200);
  const secure = await ask(server, '/v1/session', {
    method: 'POST',
    headers: { authorization: 'Bearer admin-key', 'x-forwarded-proto': 'https' },
  });
  assert.match(String(secure.headers['set-cookie']), /; Secure$/);
  const closed = await ask(server, '/v1/session', { method: 'DELETE', headers: { ...session, 'x-gait-page': '1' } });
  assert.match(String(closed.headers['set-cookie']), /^gait_session=; Max-Age=0;/);
});

test('a session does what its key may and nothing else, and its cookie alone changes nothing', async (t) => {
  const server = await serve(sampleParts(), { keys });
  t.after(server.close);
  const sessionOf = async (key: string): Promise<string> => {
    const opened = await ask(server, '/v1/session', { method: 'POST', headers: { 'x-api-key': key } });
    return String(opened.headers['set-cookie']?.[0]).split(';')[0]!;
  };
  const decide = async (headers: Record<string, string>): Promise<number> =>
    (await ask(server, '/v1/decisions', { method: 'POST', body, headers: { ...json, ...headers } })).status;
  const admin = { cookie: await sessionOf('admin-key') };
  const analyst = { cookie: await sessionOf('analyst-key') };
  assert.equal(await decide(admin), 403, 'a form of another site sends no header of its own');
  assert.equal(await decide({ ...admin, 'x-gait-page': '1', 'sec-fetch-site': 'cross-site' }), 403);
  assert.equal(await decide({ ...admin, 'x-gait-page': '1', 'sec-fetch-site': 'same-site' }), 403);
  assert.equal(await decide({ ...admin, 'x-gait-page': '1', 'sec-fetch-site': 'same-origin' }), 202);
  assert.equal(await decide({ ...admin, 'x-gait-page': '1' }), 202);
  assert.equal(await decide({ ...analyst, 'x-gait-page': '1' }), 403);
  assert.equal(
    (await ask(server, '/v1/session', { method: 'POST', headers: { 'x-api-key': 'ingest-key' } })).status,
    403,
  );
  // A call that is asked about brings the cookies of its own caller.
  assert.equal((await ask(server, '/authz', { headers: admin })).status, 401);
});

test('a session that is old, altered, of another secret or of a key that changed is none', async (t) => {
  let now = 1_800_000_000_000;
  const parts = sampleParts({ session: { secret: 'one', now: () => now } });
  const server = await serve(parts, { keys });
  t.after(server.close);
  const opened = await ask(server, '/v1/session', { method: 'POST', headers: { 'x-api-key': 'admin-key' } });
  const cookie = String(opened.headers['set-cookie']?.[0]).split(';')[0]!;
  const status = async (of: typeof server, text: string): Promise<number> =>
    (await ask(of, '/v1/findings', { headers: { cookie: text } })).status;
  assert.equal(await status(server, `other=1; ${cookie}`), 200);
  const [name, until, seal] = cookie.slice('gait_session='.length).split('.') as [string, string, string];
  for (const forged of [
    `${Buffer.from('analyst-key').toString('base64url')}.${until}.${seal}`,
    `${name}.${Number(until) + 1}.${seal}`,
    `${name}.${until}.${'A'.repeat(43)}`,
    `${name}.${until}.`,
    `${name}.${until}`,
    '',
  ]) {
    assert.equal(await status(server, `gait_session=${forged}`), 401, forged);
  }
  const changed = await serve(parts, { keys: [{ ...apiKey('another', 'admin'), name: 'admin-key' }] });
  t.after(changed.close);
  assert.equal(await status(changed, cookie), 401);
  const elsewhere = await serve(sampleParts({ session: { secret: 'two', now: () => now } }), { keys });
  t.after(elsewhere.close);
  assert.equal(await status(elsewhere, cookie), 401);
  now += 13 * hour;
  assert.equal(await status(server, cookie), 401);
});

test('without keys nobody is asked for one, and a key shown to a browser is never in a cookie', async (t) => {
  const server = await serve(sampleParts());
  t.after(server.close);
  const { text } = await ask(server, '/v1/session');
  assert.deepEqual(JSON.parse(text), { caller: 'local', roles: ['admin'], needs_key: false });
  assert.equal((await ask(server, '/v1/session', { method: 'POST' })).headers['set-cookie'], undefined);
});
