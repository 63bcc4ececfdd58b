import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import { parsePolicyFile } from '../../src/config/policy-file.ts';
import { Secret } from '../../src/config/secret.ts';
import { masked, modeOfKind, settingsOf } from '../../src/role/settings.ts';

const policy = parsePolicyFile(
  `version: 1
mode: shadow
rules:
  - { name: travel, when: { kinds: [impossible_travel] }, action: notify, escalate: [step-up], ttl: 1h, mode: enforce, why: a }
  - { name: note, when: { kinds: [off_hours] }, action: notify, ttl: 1h, mode: enforce, why: b }
  - { name: rest, action: throttle, ttl: 1h, why: c }
`,
  'policy.yaml',
);

const hush = 'hush-0123456789abcdef';
const webhookSecret = `whsec_${Buffer.from(hush).toString('base64')}`;
const pem = `-----BEGIN PRIVATE KEY-----\\n${hush}\\n-----END PRIVATE KEY-----`;
/** Everything in it that nobody may see has `hush` in it, plain or in base64. */
const yaml = `
log: { kind: kafka, brokers: ["k:9092"], sasl: { mechanism: plain, username: gait, password: ${hush} } }
store: { kind: clickhouse, url: "http://name:${hush}@ch:8123/?password=${hush}", password: ${hush} }
ingest: { hmacKey: ${hush} }
http:
  keys: [{ name: ops, sha256: "${'ab'.repeat(32)}", roles: [admin] }]
alerts:
  slack: { url: "https://hooks.example/services/${hush}" }
  channels:
    - { name: bot, kind: slack-bot, token: ${hush}, channel: C012AB3CD, signingSecret: ${hush} }
    - { name: pager, kind: pagerduty, routingKey: ${hush} }
    - { name: teams, kind: teams, url: "https://teams.example/${hush}" }
    - { name: mail, kind: email, host: localhost, username: gait, password: ${hush}, from: a@example.com, to: [b@example.com] }
    - { name: hook, kind: webhook, url: "https://hook.example/${hush}", secrets: [${webhookSecret}] }
signals:
  webhooks: [{ name: edge, url: "https://edge.example/in?token=${hush}", secrets: [${webhookSecret}] }]
  actions:
    - name: idp
      on: [revoke-session]
      url: "https://idp.example/sessions/{{session_id}}?key=${hush}"
      headers: { authorization: "Bearer ${hush}" }
      body: '{"key":"${hush}"}'
      token: { url: "https://idp.example/token", clientId: gait, clientSecret: ${hush}, extra: { assertion: ${hush} } }
ssf:
  issuer: https://gait.example
  signingKeys: ["${pem}"]
  receivers: [{ name: ops, audience: a, pushOrigins: ["https://rx.example/"], push: { url: "https://rx.example/${hush}", authorization: ${hush} } }]
  transmitters: [{ name: idp, issuer: https://idp.example, jwksUri: https://idp.example/jwks, audiences: [a], authorization: ${hush} }]
`;

function configOf(text: string) {
  const outcome = parseConfig({ name: 'gait.yaml', text: () => text }, {});
  assert.ok(outcome.kind === 'ok', outcome.kind === 'invalid' ? outcome.problems.join('\n') : '');
  return outcome.config;
}

/** Every key of a JSON Schema, by its path without positions, and whether the value there is a text or a list of texts. */
function keysOf(schema: unknown, path = ''): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const {
    properties = {},
    items,
    anyOf = [],
    oneOf = [],
    allOf = [],
    additionalProperties,
  } = schema as {
    properties?: Record<string, unknown>;
    items?: unknown;
    anyOf?: unknown[];
    oneOf?: unknown[];
    allOf?: unknown[];
    additionalProperties?: unknown;
  };
  return [
    ...Object.entries(properties).flatMap(([name, part]) => [`${path}.${name}`, ...keysOf(part, `${path}.${name}`)]),
    ...[items, ...anyOf, ...oneOf, ...allOf].flatMap((part) => keysOf(part, path)),
    ...keysOf(additionalProperties, `${path}.*`),
  ];
}

function pathsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((part) => pathsOf(part, path));
  if (typeof value !== 'object' || value === null || value instanceof Secret) return [path];
  return [path, ...Object.entries(value).flatMap(([name, part]) => pathsOf(part, `${path}.${name}`))];
}

/** Names that sound like secrets and are none. */
const harmless = /apiKeyHeader|tokenIssuer|keyDays|\.keys$|\.token$|ssl\.key$|\.hmacKey\.|trustedHeaders|\.headers$/;

test('no secret that the configuration knows is in the settings, in any form, and none is left out of this test', () => {
  const config = configOf(yaml);
  const text = JSON.stringify(settingsOf(config, policy));
  assert.ok(!text.includes(hush), text.slice(Math.max(0, text.indexOf(hush) - 80), text.indexOf(hush)));
  assert.ok(!text.includes(webhookSecret.slice(6)));
  assert.ok(!text.includes('ab'.repeat(32)));
  const inConfig = new Set(pathsOf(config));
  const sounding = keysOf(configSchema.json()).filter(
    (path) => /(secret|password|token|key|authorization|sha256|headers)[^.]*$/i.test(path) && !harmless.test(path),
  );
  assert.ok(sounding.length >= 10, sounding.join(' '));
  // The short form of Slack has become a channel.
  assert.deepEqual(
    sounding.filter((path) => !inConfig.has(path)),
    [],
  );
});

test('what is no secret stays readable: names, hosts, numbers, and which rule is enforced', () => {
  const settings = settingsOf(configOf(yaml), policy) as {
    config: { store: object; detect: { findingsPer1000PerDay: number }; alerts: { channels: { url?: string }[] } };
    policy: { rules: { name: string; mode: string; inherits: boolean }[] };
  };
  const { store, detect, alerts } = settings.config;
  assert.deepEqual(store, {
    kind: 'clickhouse',
    url: 'http://ch:8123',
    username: 'default',
    password: masked,
    database: 'gait',
  });
  assert.equal(detect.findingsPer1000PerDay, 1);
  assert.equal(alerts.channels.at(-1)?.url, 'https://hook.example/…');
  assert.deepEqual(
    settings.policy.rules.map(({ name, mode, inherits }) => [name, mode, inherits]),
    [
      ['travel', 'enforce', false],
      ['note', 'enforce', false],
      ['rest', 'shadow', true],
    ],
  );
});

test('a kind is enforced when a rule for it does more than tell people, now or at the next offence', () => {
  assert.equal(modeOfKind('impossible_travel', policy), 'enforce');
  assert.equal(modeOfKind('off_hours', policy), 'shadow');
  assert.equal(modeOfKind('rate_spike', policy), 'shadow');
  assert.equal(modeOfKind('rate_spike', { ...policy, mode: 'enforce' }), 'enforce');
});
