import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import type { KeyRole } from '../../src/config/config-schema.ts';
import type { HttpParts } from '../../src/http/parts.ts';
import { allRoutes } from '../../src/http/server.ts';
import { apiKey, ask, sampleParts, serve } from './client.ts';

const roles = ['ingest', 'enforce', 'analyst', 'ssf', 'admin'] as const satisfies readonly KeyRole[];
const keys = roles.map((role) => apiKey(`the-${role}`, role));
const http: Config['http'] = { host: '127.0.0.1', port: 0, bodyBytesMax: 65_536, keys };
const ssf: HttpParts['ssf'] = {
  transmitter: {
    issuer: 'https://gait.example',
    defaultSubjects: 'ALL',
    jwks: async () => ({ keys: [] }),
    call: async () => ({ status: 200 }),
  },
  receive: async () => ({ kind: 'refused', err: 'authentication_failed', description: 'not signed' }),
};
const routes = allRoutes(sampleParts({ ssf }), http);
/** A signature over the body guards them, not a key. */
const signed = ['/ssf/receive'];
const changing = routes.filter(({ method, isEnforcement }) => method !== 'GET' && !isEnforcement);

test('every route that changes anything asks for a key, and only routes that change nothing are public', () => {
  assert.ok(changing.length >= 3);
  assert.ok(signed.every((path) => changing.some(({ url }) => url === path)));
  for (const { method, url, access } of changing) {
    assert.equal(access === 'public', signed.includes(url), `${method} ${url}`);
  }
});

test('every route answers a key of the right role only: none and a wrong one are 401, another role is 403', async (t) => {
  const server = await serve(sampleParts({ ssf }), { keys });
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
    assert.equal(await status(keys.at(-1)!.sha256), refused, label);
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
