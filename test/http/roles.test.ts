import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import type { KeyRole } from '../../src/config/config-schema.ts';
import { allRoutes } from '../../src/http/server.ts';
import { apiKey, ask, sampleParts, serve } from './client.ts';

const roles = ['ingest', 'enforce', 'analyst', 'admin'] as const satisfies readonly KeyRole[];
const keys = roles.map((role) => apiKey(`the-${role}`, role));
const http: Config['http'] = { host: '127.0.0.1', port: 0, bodyBytesMax: 65_536, keys };
const routes = allRoutes(sampleParts(), http);
const changing = routes.filter(({ method, isEnforcement }) => method !== 'GET' && !isEnforcement);

test('every route that changes anything asks for a key, and only routes that change nothing are public', () => {
  assert.ok(changing.length >= 3);
  for (const { method, url, access } of changing) assert.notEqual(access, 'public', `${method} ${url}`);
});

test('every route answers a key of the right role only: none and a wrong one are 401, another role is 403', async (t) => {
  const server = await serve(sampleParts(), { keys });
  t.after(server.close);
  for (const { method, url, access, isEnforcement, isLapi } of routes) {
    if (access === 'public') continue;
    const path = url.replace(/:\w+/g, 'x').replace('*', 'x');
    const verb = method === 'ANY' ? 'DELETE' : method;
    const status = async (key?: string): Promise<number> => {
      const name = isEnforcement ? 'x-gait-key' : 'x-api-key';
      const headers = key === undefined ? {} : { [name]: key };
      return (await ask(server, path, { method: verb, headers, ...(verb === 'POST' && { body: '{}' }) })).status;
    };
    const label = `${method} ${url}`;
    // CrowdSec's bouncers know 403 only.
    const refused = isLapi ? 403 : 401;
    assert.equal(await status(), refused, label);
    assert.equal(await status('the-admi'), refused, label);
    assert.equal(await status(keys[3]!.sha256), refused, label);
    for (const role of roles) {
      const isAllowed: boolean = role === 'admin' || access.includes(role);
      const got = await status(`the-${role}`);
      assert.equal(got === 403 || got === 401, !isAllowed, `${label} ${role} ${got}`);
    }
  }
});

test('what a person decides and undoes takes an administrator’s key', () => {
  for (const { url, access } of changing) if (url.startsWith('/v1/decisions')) assert.deepEqual(access, ['admin'], url);
});
