import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import { type Config, type ConfigOutcome, checkConfig, parseConfig } from '../../src/config/config.ts';

const folder = mkdtempSync(join(tmpdir(), 'gait-config-'));
after(() => rmSync(folder, { recursive: true }));

function parse(text: string, env: Record<string, string> = {}): ConfigOutcome {
  return parseConfig({ name: 'gait.yaml', text: () => text }, env);
}

function config(text: string, env: Record<string, string> = {}): Config {
  const outcome = parse(text, env);
  if (outcome.kind === 'invalid') assert.fail(outcome.problems.join('\n'));
  return outcome.config;
}

function problems(text: string, env: Record<string, string> = {}): readonly string[] {
  const outcome = parse(text, env);
  assert.equal(outcome.kind, 'invalid');
  return outcome.kind === 'invalid' ? outcome.problems : [];
}

test('nothing configured is a whole configuration: embedded log and store, loopback, the sample', () => {
  const outcome = parseConfig(undefined, {});
  assert.equal(outcome.kind, 'ok');
  const defaults = outcome.kind === 'ok' ? outcome.config : assert.fail();
  assert.deepEqual(defaults.log, { kind: 'embedded', path: join('data', 'log') });
  assert.deepEqual(defaults.store, { kind: 'embedded', path: join('data', 'store') });
  assert.deepEqual(defaults.roles, ['ingest', 'detect', 'serve', 'deliver']);
  assert.equal(defaults.http.host, '127.0.0.1');
  assert.equal(defaults.http.port, 4420);
  assert.equal(defaults.sample, true);
  assert.equal(defaults.detect.reorderWindowMs, 250);
});

test('a file or a broker means that the sample is not played', () => {
  assert.equal(config('{}').sample, false);
  const outcome = parseConfig(undefined, { GAIT_KAFKA_BROKERS: 'one:9092' });
  assert.equal(outcome.kind === 'ok' && outcome.config.sample, false);
});

test('Kafka without named sources reads api-traffic from its beginning', () => {
  const { sources } = config('log: { kind: kafka, brokers: [one:9092] }');
  assert.deepEqual(sources, [{ topic: 'api-traffic', format: 'auto', from: 'earliest' }]);
  assert.deepEqual(config('log: { kind: kafka, brokers: [one:9092] }\nsources: []').sources, []);
});

test('an unknown key is refused with its line, its column and the key that was meant', () => {
  assert.deepEqual(problems('http:\n  prot: 80\n'), ['gait.yaml:2:3: unknown key http.prot; did you mean port?']);
  assert.deepEqual(problems('data_dir: x\n'), ['gait.yaml:1:1: unknown key data_dir; did you mean dataDir?']);
  assert.match(
    problems('log:\n  kind: kafka\n  brokers: [a]\n  broker: b\n')[0]!,
    /^gait.yaml:4:3: .*did you mean brokers\?$/,
  );
  assert.match(
    problems('sources:\n  - topic: t\n    formt: nginx\nlog: {kind: kafka, brokers: [a]}')[0]!,
    /^gait.yaml:3:5: .*did you mean format\?$/,
  );
  assert.match(problems('http:\n  zzz: 1\n')[0]!, /unknown key http.zzz; known here: host, port, bodyBytesMax, keys$/);
});

test('every problem of a file is reported, each at its place', () => {
  const found = problems('group: "a b"\nhttp:\n  port: 99999\ndetect:\n  backend: gpu\n');
  assert.equal(found.length, 3);
  assert.match(
    found.join('\n'),
    /gait\.yaml:1:1: group[\s\S]*gait\.yaml:5:3: detect\.backend[\s\S]*gait\.yaml:3:3: http\.port|gait\.yaml:3:3: http\.port/,
  );
});

test('broken YAML, a duplicate key and a file that is no map are errors with a place, not exceptions', () => {
  assert.match(problems('http: [')[0]!, /^gait.yaml:1:\d+: /);
  assert.match(problems('group: a\ngroup: b\n')[0]!, /^gait.yaml:2:1: /);
  assert.match(problems('- 1\n')[0]!, /must be a map/);
  const missing = checkConfig(join(folder, 'absent.yaml'), {});
  assert.match(missing.kind === 'invalid' ? missing.problems[0]! : '', /absent\.yaml: cannot be read \(ENOENT\)/);
});

test('a value may come from the environment, and a variable that is not set is named', () => {
  const found = config('http: { port: "$' + '{PORT}" }\ngroup: gait-$' + '{STAGE}', { PORT: '8080', STAGE: 'blue' });
  assert.equal(found.http.port, 8080);
  assert.equal(found.group, 'gait-blue');
  assert.deepEqual(problems('group: "$' + '{NOT_THERE}"'), [
    'gait.yaml:1:1: group: the environment variable NOT_THERE is not set',
    'gait.yaml:1:1: group: is not a consumer group name',
  ]);
});

test('the environment wins over the file, and its mistakes are reported under the variable', () => {
  const found = config('store: { kind: off }\nlog: { kind: embedded, path: here }', {
    GAIT_KAFKA_BROKERS: 'one:9092, two:9092',
    GAIT_SOURCES: 'edge,internal',
    GAIT_CLICKHOUSE_URL: 'http://clickhouse:8123',
    GAIT_CLICKHOUSE_PASSWORD: 'p4ssw0rd-in-env',
    GAIT_HTTP_PORT: '9000',
    GAIT_LOG_LEVEL: '',
  });
  assert.deepEqual(found.log.kind === 'kafka' && found.log.brokers, ['one:9092', 'two:9092']);
  assert.deepEqual(
    found.sources.map((source) => source.topic),
    ['edge', 'internal'],
  );
  assert.equal(found.store.kind === 'clickhouse' && found.store.password?.reveal(), 'p4ssw0rd-in-env');
  assert.equal(found.http.port, 9000);
  assert.equal(found.logging.level, 'info');
  assert.match(problems('', { GAIT_HTTP_PORT: 'many' })[0]!, /^environment variable GAIT_HTTP_PORT: http\.port/);
});

test('an address that other machines reach is refused without API keys, and accepted with one', () => {
  assert.deepEqual(problems('http:\n  host: 0.0.0.0\n'), [
    'gait.yaml:2:3: http.host: 0.0.0.0 is reachable from other machines, so http.keys must name at least one API key',
  ]);
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost'])
    assert.equal(config(`http: { host: "${host}" }`).http.host, host);
  for (const host of ['::', '10.0.0.1', 'localhost.example', '127.0.0.1.example'])
    problems(`http: { host: "${host}" }`);
  const found = config('http: { host: 0.0.0.0 }', { GAIT_API_KEY_SHA256: 'a'.repeat(64) });
  assert.deepEqual(found.http.keys[0]?.roles, ['ingest', 'enforce', 'analyst', 'admin']);
  const both = config('', { GAIT_API_KEY_SHA256: 'a'.repeat(64), GAIT_ANALYST_KEY_SHA256: 'b'.repeat(64) });
  assert.deepEqual(
    both.http.keys.map(({ roles }) => roles),
    [['ingest', 'enforce', 'analyst', 'admin'], ['analyst']],
  );
});

test('secrets show nowhere: not as text, JSON, in a dump, or in the sentence about a bad one', () => {
  const secrets = [
    'hmac-key-hmac-key',
    'sasl-password-1',
    'whsec_c2VjcmV0c2VjcmV0c2VjcmV0',
    'https://hooks.example.com/T0/B0/XXX',
  ];
  const found = config(
    `ingest: { hmacKey: ${secrets[0]} }
log: { kind: kafka, brokers: [a], sasl: { mechanism: plain, username: u, password: ${secrets[1]} } }
signals: { webhooks: [{ name: edge, url: "https://edge.example.com", secrets: [${secrets[2]}] }] }
alerts: { slack: { url: "${secrets[3]}" } }`,
  );
  const shown = `${JSON.stringify(found)}${inspect(found, { depth: 9 })}${found.ingest.hmacKey}`;
  for (const secret of secrets) assert.equal(shown.includes(secret), false);
  assert.equal(found.ingest.hmacKey?.reveal(), secrets[0]);
  for (const sentence of problems('ingest: { hmacKey: tooshort }\nalerts: { slack: { url: tooshort } }')) {
    assert.equal(sentence.includes('tooshort'), false);
  }
});

test('the configuration cannot be changed after it was read', () => {
  const found = config('http: { port: 1234 }');
  assert.throws(() => Object.assign(found.http, { port: 1 }), TypeError);
  assert.throws(() => (found.roles as string[]).push('admin'), TypeError);
});

test('a file that the configuration names must be readable now', () => {
  const present = join(folder, 'policy.yaml');
  writeFileSync(present, '');
  assert.equal(config(`detect: { policyFile: "${present}" }`).detect.policyFile, present);
  assert.match(
    problems('detect:\n  policyFile: nowhere.yaml\n')[0]!,
    /^gait.yaml:2:3: detect.policyFile: the file nowhere.yaml cannot be read$/,
  );
});

test('what is allowed but seldom meant is a warning', () => {
  const outcome = parse('log: { kind: kafka, brokers: [a], sasl: { mechanism: plain, username: u, password: p } }', {
    GAIT_HTTP_PROT: '1',
  });
  const warnings = outcome.kind === 'ok' ? outcome.warnings.join('\n') : '';
  assert.match(warnings, /hmacKey[\s\S]*in the clear[\s\S]*did you mean GAIT_HTTP_PORT\?/);
});

test('keys of an issuer that come in the clear and a receiver that cannot log in are warnings; a variable that the file asks for is none', () => {
  const outcome = parse(
    `enforce:
  tenant: "\${GAIT_TENANT}"
  issuers:
    - { issuer: far, jwksUri: "http://idp.example.com/keys" }
    - { issuer: near, jwksUri: "http://[::1]:8080/keys" }
ssf: { issuer: "https://gait.example.com", receivers: [{ name: idp, audience: a }] }
`,
    { GAIT_TENANT: 'acme' },
  );
  assert.deepEqual(outcome.kind === 'ok' && outcome.warnings, [
    'the keys of far come over http: anyone on the way can sign tokens in its name',
    'ssf.receivers: idp has no key of its name with the role ssf, so it cannot make a stream',
  ]);
});
