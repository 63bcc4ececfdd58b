import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { parseConfig } from '../../src/config/config.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { seededRandom } from '../../src/core/random.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import type { Decision, Receipt } from '../../src/policy/decision.ts';
import { createSignalDelivery } from '../../src/signal/deliver.ts';
import { createHttpAction, type HttpActionOptions, withClientCredentials } from '../../src/signal/http-action.ts';
import { createHttpPost } from '../../src/signal/http-post.ts';
import { aDecision } from './a-decision.ts';
import { answer, answer204, startReceiver } from './receiver.ts';

const revoked = (fields: Partial<Decision> = {}): Decision =>
  aDecision({ action: 'revoke-session', scope: 'session', session_id: 's-81', ...fields });
const secret = 's3cret-of-gait';

type Settings = Partial<HttpActionOptions> & { readonly tokenUrl?: string; readonly clock?: Clock };

/** Deliveries of an action as the role makes them, over real HTTP. */
function anAction(url: string, settings: Settings = {}) {
  const { tokenUrl, clock = systemClock, ...options } = settings;
  const receipts: Receipt[] = [];
  const post = createHttpPost({ clock: systemClock, timeoutMs: 1000 });
  const credentials = { clientId: 'gait', clientSecret: secret, extra: { scope: 'admin' } };
  const on = ['revoke-session', 'revoke-identity'] as const;
  const base = { name: 'idp', on, method: 'DELETE', headers: {}, success: [204, 404] } as const;
  const onBatch = createSignalDelivery({
    webhook: createHttpAction({ ...base, url, ...options }),
    post: tokenUrl === undefined ? post : withClientCredentials(post, { url: tokenUrl, ...credentials }, clock),
    clock: systemClock,
    random: seededRandom(1),
    signal: new AbortController().signal,
    staleAfterMs: 60_000,
    backoffMs: { first: 1, max: 5 },
    holdMs: 2000,
    onReceipt: (receipt) => {
      receipts.push(receipt);
      return Promise.resolve();
    },
  });
  const send = (...decisions: readonly Decision[]) =>
    onBatch({ records: decisions.map((decision) => ({ value: Buffer.from(JSON.stringify(decision)) })) });
  return { send, receipts, states: () => receipts.map(({ state, attempts, detail }) => [state, attempts, detail]) };
}

const grant = (token: string, expiresIn = 300) =>
  answer(200, { 'content-type': 'application/json' }, JSON.stringify({ access_token: token, expires_in: expiresIn }));

const wicked = [
  '../../users/1/logout',
  '..%2f..%2fusers',
  '%2e%2e',
  'a/b?c=d&e#f',
  `"},{"x":"\\`,
  'a\r\nX-Injected: 1\r\n\r\nDELETE /realms HTTP/1.1',
  '{{subject}}',
  '$&$1',
  "o'brien\u0000\u202e",
];

test('what an attacker wrote stays one segment of the path, one value of the query and one string of the body', async (t) => {
  const { url, received } = await startReceiver(t);
  const body = '{"sub_id":{"format":"opaque","id":"{{session_id}}"},"why":"{{why}}"}';
  const { send, states } = anAction(`${url}/sessions/{{session_id}}/end?id={{ session_id }}&hard=true`, { body });
  await send(...wicked.map((session_id, i) => revoked({ session_id, decision_id: `dec_${i}`, why: session_id })));
  assert.equal(received.length, wicked.length);
  for (const [i, id] of wicked.entries()) {
    const { path = '', headers, body: got = '' } = received[i]!;
    const [segments = '', query] = path.split('?');
    assert.deepEqual(segments.split('/').map(decodeURIComponent), ['', 'sessions', id, 'end'], id);
    assert.deepEqual(
      [...new URLSearchParams(query)],
      [
        ['id', id],
        ['hard', 'true'],
      ],
    );
    assert.deepEqual(JSON.parse(got), { sub_id: { format: 'opaque', id }, why: id });
    assert.equal(headers['x-injected'], undefined);
  }
  assert.ok(states().every(([state]) => state === 'delivered'));
});

test('whatever the id, the address is that of the template with the id in its place, or there is none', () => {
  const options = { name: 'idp', on: ['revoke-session'], method: 'DELETE', headers: {}, success: [204] } as const;
  const { request } = createHttpAction({ ...options, url: 'https://idp.example/a/{{session_id}}/b?c={{session_id}}' });
  const unit = fc.oneof(
    fc.constantFrom('.', '/', '%', '2', 'e', '\\', '?', '#', '@', ':', '\ud800', '\n'),
    fc.string({ maxLength: 1, unit: 'binary' }),
  );
  const ids = fc.array(unit, { minLength: 1, maxLength: 12 }).map((units) => units.join(''));
  fc.assert(
    fc.property(ids, (session_id) => {
      const made = request(revoked({ session_id }), 0);
      assert.ok(made !== undefined);
      if ('lacks' in made) return assert.match(session_id, /^\.{0,2}$/);
      const { origin, pathname, searchParams, hash } = new URL(made.url);
      const id = Buffer.from(session_id).toString();
      assert.deepEqual(
        [origin, ...pathname.split('/').map(decodeURIComponent)],
        ['https://idp.example', '', 'a', id, 'b'],
      );
      assert.deepEqual([[...searchParams], hash], [[['c', id]], '']);
    }),
    { numRuns: 2000 },
  );
});

test('dots that would climb in the address call nobody, and the receipt says so', async (t) => {
  const { url, received } = await startReceiver(t);
  const { send, states } = anAction(`${url}/a/{{session_id}}`);
  await send(revoked({ session_id: '..' }), revoked({ session_id: '.', decision_id: 'dec_2' }));
  assert.equal(received.length, 0);
  assert.deepEqual(states(), Array(2).fill(['failed', 0, 'an id of dots cannot stand in an address']));
});

test('a decision without what the action names calls nobody, and the receipt names it', async (t) => {
  const { url, received } = await startReceiver(t);
  const { send, states } = anAction(`${url}/{{tenant}}/{{subject}}/{{session_id}}`);
  const client = { identity: identityKey('client', null, 'app'), identity_kind: 'client', tenant: '-' } as const;
  await send(
    revoked({ session_id: null }),
    revoked({ ...client, decision_id: 'dec_2' }),
    revoked({ identity: identityKey('user', 'acme', 'x'.repeat(500)), decision_id: 'dec_3' }),
  );
  assert.equal(received.length, 0);
  assert.deepEqual(states(), [
    ['failed', 0, 'the decision has no session_id'],
    ['failed', 0, 'the decision has no tenant, subject'],
    ['failed', 0, 'the decision has no subject'],
  ]);
});

test('other actions, the other scope, shadow, stale and extended decisions call nobody', async (t) => {
  const { url, received } = await startReceiver(t);
  const { send, states } = anAction(`${url}/{{session_id}}`, { scope: 'session' });
  const now = systemClock.now();
  await send(
    revoked({ action: 'step-up' }),
    revoked({ action: 'restore', change: 'restored' }),
    revoked({ scope: 'identity' }),
    revoked({ mode: 'shadow' }),
    revoked({ change: 'extended', version: 2 }),
    revoked({ updated_at: now - 61_000, decision_id: 'dec_old' }),
  );
  assert.deepEqual([received.length, states()], [0, [['skipped-stale', 0, 'not tried']]]);
});

test('a decision that escalates calls again, one that is offered again does not', async (t) => {
  const { url, received } = await startReceiver(t);
  const { send } = anAction(`${url}/users/{{subject}}`);
  const second = revoked({ action: 'revoke-identity', scope: 'identity', change: 'escalated', version: 2 });
  await send(revoked(), second, revoked());
  assert.deepEqual(
    received.map(({ path }) => path),
    ['/users/alice', '/users/alice'],
  );
});

test('only the named status codes mean done: 404 when the session has gone already, 410 does not end the action', async (t) => {
  const { url } = await startReceiver(t, answer204, answer(404), answer(200), answer(410), answer(503), answer(204));
  const { send, receipts } = anAction(`${url}/{{session_id}}`);
  await send(...[1, 2, 3, 4, 5].map((i) => revoked({ decision_id: `dec_${i}` })));
  assert.deepEqual(
    receipts.map(({ state, status, attempts }) => [state, status, attempts]),
    [
      ['delivered', 204, 1],
      ['delivered', 404, 1],
      ['rejected', 200, 1],
      ['rejected', 410, 1],
      ['delivered', 204, 2],
    ],
  );
});

test('an access token is fetched once and used until it ends', async (t) => {
  const idp = await startReceiver(t, grant('first-token', 300), grant('second-token', 300));
  const { url, received } = await startReceiver(t);
  let now = 1_000_000;
  const { send } = anAction(`${url}/{{session_id}}`, { tokenUrl: `${idp.url}/token`, clock: { now: () => now } });
  await send(revoked({ decision_id: 'dec_1' }), revoked({ decision_id: 'dec_2' }));
  now += 271_000;
  await send(revoked({ decision_id: 'dec_3' }));
  assert.deepEqual(
    received.map(({ headers }) => headers.authorization),
    ['Bearer first-token', 'Bearer first-token', 'Bearer second-token'],
  );
  assert.deepEqual(Object.fromEntries(new URLSearchParams(idp.received[0]?.body)), {
    grant_type: 'client_credentials',
    client_id: 'gait',
    client_secret: secret,
    scope: 'admin',
  });
});

test('a kept token that is refused is replaced once within the same try; a new one that is refused is the end', async (t) => {
  const idp = await startReceiver(t, grant('first-token'), grant('second-token'), grant('third-token'));
  const { url, received } = await startReceiver(t, answer204, answer(401), answer204, answer(401), answer(401));
  const { send, receipts } = anAction(`${url}/{{session_id}}`, { tokenUrl: idp.url });
  await send(...[1, 2, 3].map((i) => revoked({ decision_id: `dec_${i}` })));
  assert.deepEqual(
    received.map(({ headers }) => headers.authorization?.slice(7)),
    ['first-token', 'first-token', 'second-token', 'second-token', 'third-token'],
  );
  assert.deepEqual(
    receipts.map(({ state, attempts, status }) => [state, attempts, status]),
    [
      ['delivered', 1, 204],
      ['delivered', 1, 204],
      ['rejected', 1, 401],
    ],
  );
});

test('without a token nothing is called and the decision waits; what comes instead of one is no token', async (t) => {
  const bad = ['{}', 'no json', '{"access_token":"a\\r\\nb"}', '{"access_token":7}'].map((text) =>
    answer(200, {}, text),
  );
  const idp = await startReceiver(t, answer(503), answer(401), ...bad, grant('good-token'));
  const { url, received } = await startReceiver(t);
  const { send, receipts } = anAction(`${url}/{{session_id}}`, { tokenUrl: idp.url });
  await send(revoked());
  assert.equal(received.length, 1);
  assert.deepEqual([receipts[0]?.state, receipts[0]?.attempts], ['delivered', 7]);
});

test('neither the secret nor a token nor a header is in a receipt or an error, even when the other side repeats them', async (t: TestContext) => {
  const idp = await startReceiver(t, answer(400, {}, `wrong ${secret}`), grant('first-token'));
  const { url } = await startReceiver(
    t,
    answer(400, {}, 'no: Bearer first-token, first-token'),
    answer(400, {}, 'no: 00key'),
  );
  const granted = anAction(`${url}/{{session_id}}`, { tokenUrl: idp.url });
  await granted.send(revoked());
  const withKey = anAction(`${url}/{{session_id}}`, { headers: { authorization: 'SSWS 00key' } });
  await withKey.send(revoked());
  const all = JSON.stringify([...granted.receipts, ...withKey.receipts]);
  assert.match(all, /HTTP 400 no: …, ….*HTTP 400 no: …/);
  assert.doesNotMatch(all, /first-token|00key|s3cret/);
  const closed = anAction(`${url}/{{session_id}}`, { tokenUrl: 'http://127.0.0.1:1/token' });
  const failure = await closed.send(revoked()).catch((error: unknown) => String(error));
  assert.match(String(failure), /no access token: /);
  assert.doesNotMatch(String(failure), /s3cret/);
});

const file = (action: object): string =>
  JSON.stringify({ signals: { actions: [{ name: 'a', on: ['notify'], ...action }] } });
const problemsOf = (text: string, env: Record<string, string> = {}): readonly string[] => {
  const outcome = parseConfig({ name: 'gait.yaml', text: () => text }, env);
  return outcome.kind === 'ok' ? [] : outcome.problems;
};

test('mistakes in a template are named with their place when the configuration is read', () => {
  const good = 'https://idp.example/{{session_id}}?a={{tenant}}';
  assert.deepEqual(problemsOf(file({ url: good, body: '{"a":"{{ why }}"}', headers: { 'X-Key': 'k e y' } })), []);
  for (const [action, says] of [
    [{ url: 'https://idp.example/{{password}}' }, /knows no password; known are \{\{subject\}\}/],
    [{ url: 'https://{{tenant}}.example/' }, /behind the host only/],
    [{ url: 'https://idp.example:{{tenant}}/' }, /URL|behind the host only/],
    [{ url: 'https://idp.example/#{{tenant}}' }, /no fragment/],
    [{ url: 'http://idp.example/' }, /must begin with https/],
    [{ url: 'https://u:p@idp.example/' }, /no user name/],
    [{ url: good, body: '{"a":{{why}}}' }, /is not JSON/],
    [{ url: good, headers: { authorization: 'Bearer k\n' } }, /visible ASCII/],
    [{ url: good, headers: { 'a b': 'k' } }, /headers\.a b: invalid key/],
    [{ url: good, token: { url: 'http://idp.example/', clientId: 'c', clientSecret: 's' } }, /must begin with https/],
  ] as const) {
    const problems = problemsOf(file(action));
    assert.match(problems.join('\n'), says);
    assert.match(problems[0] ?? '', /^gait\.yaml:1:\d+: /);
  }
});

test('two actions of one name are refused: they would share their decisions between them', () => {
  const one = { name: 'a', on: ['notify'], url: 'https://idp.example/' };
  const text = JSON.stringify({ signals: { actions: [one, one] } });
  assert.match(problemsOf(text).join('\n'), /signals\.actions: two of them have the same name/);
});

test('the actions that come with the program are valid settings', () => {
  for (const name of ['keycloak', 'providers']) {
    const text = readFileSync(join(import.meta.dirname, `../../../pipelines/actions/${name}.yaml`), 'utf8');
    const names = [...text.matchAll(/\$\{([A-Z0-9_]+)\}/g)].map(([, variable]) => variable!);
    const env = Object.fromEntries(names.map((variable) => [variable, 'https://idp.example']));
    assert.deepEqual(problemsOf(text, env), []);
  }
});

test('the actions that come with the program call what the makers document, of one session or of all', () => {
  const env = (variable: string): string =>
    variable.endsWith('_URL') ? `https://${variable.slice(0, -4).toLowerCase()}.example` : variable.toLowerCase();
  const actions = ['keycloak', 'providers'].flatMap((name) => {
    const text = readFileSync(join(import.meta.dirname, `../../../pipelines/actions/${name}.yaml`), 'utf8');
    const names = [...text.matchAll(/\$\{([A-Z0-9_]+)\}/g)].map(([, variable]) => variable!);
    const outcome = parseConfig(
      { name: 'gait.yaml', text: () => text },
      Object.fromEntries(names.map((variable) => [variable, env(variable)])),
    );
    assert.ok(outcome.kind === 'ok', JSON.stringify(outcome));
    return outcome.config.signals.actions;
  });
  const calls = (decision: Decision): readonly string[] =>
    actions.flatMap((action) => {
      const headers = Object.fromEntries(Object.entries(action.headers).map(([key, value]) => [key, value.reveal()]));
      const made = createHttpAction({ ...action, foreignIssuer: undefined, headers }).request(decision, 0);
      if (made === undefined || 'lacks' in made) return [];
      const key = made.headers.authorization ?? action.token?.url;
      return [[made.method ?? 'POST', made.url, made.body, key].filter((said) => said !== '').join(' ')];
    });
  const [okta, entra, revocation] = [
    'DELETE https://okta.example/api/v1/users/bob/sessions?oauthTokens=true SSWS okta_api_token',
    'POST https://graph.microsoft.com/v1.0/users/bob/revokeSignInSessions https://login.microsoftonline.com/entra_tenant/oauth2/v2.0/token',
    'POST https://revocation.example {"sub_id":{"format":"iss_sub","iss":"revocation_issuer","sub":"bob"}} Bearer revocation_token',
  ];
  const bob = { identity: 'user:-:bob' as never, tenant: '-' };
  assert.deepEqual(calls(revoked(bob)), [
    'DELETE https://keycloak.example/admin/realms/keycloak_realm/sessions/s-81 https://keycloak.example/realms/keycloak_realm/protocol/openid-connect/token',
    okta,
    entra,
    'DELETE https://auth0.example/api/v2/sessions/s-81 https://auth0.example/oauth/token',
    revocation,
  ]);
  assert.deepEqual(calls(revoked({ ...bob, action: 'revoke-identity', scope: 'identity', session_id: null })), [
    'POST https://keycloak.example/admin/realms/keycloak_realm/users/bob/logout https://keycloak.example/realms/keycloak_realm/protocol/openid-connect/token',
    okta,
    entra,
    'DELETE https://auth0.example/api/v2/users/bob/sessions https://auth0.example/oauth/token',
    'DELETE https://auth0.example/api/v2/users/bob/refresh-tokens https://auth0.example/oauth/token',
    revocation,
  ]);
});

test('an action is for the people of its issuer: an equal name at another provider is somebody else’s', () => {
  const options = { name: 'idp', on: ['revoke-session'], method: 'DELETE', headers: {}, success: [204] } as const;
  const home = createHttpAction({ ...options, url: 'https://home.example/users/{{subject}}' });
  const other = createHttpAction({
    ...options,
    foreignIssuer: 'https://b',
    url: 'https://b.example/users/{{subject}}',
  });
  const calls = (identity: string): readonly unknown[] =>
    [home, other].map(({ request }) => {
      const made = request(revoked({ identity: identity as never, identity_kind: 'user' }), 0);
      return made !== undefined && 'url' in made ? made.url : made;
    });
  assert.deepEqual(calls('user:-:bob'), ['https://home.example/users/bob', undefined]);
  assert.deepEqual(calls('user:-:bob%@https://b'), [undefined, 'https://b.example/users/bob']);
  assert.deepEqual(calls('user:-:bob%@https://c'), [undefined, undefined]);
});
