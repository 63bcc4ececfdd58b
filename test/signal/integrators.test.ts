import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { parsePolicyFile } from '../../src/config/policy-file.ts';
import { z } from '../../src/config/zod.ts';
import { systemClock } from '../../src/core/clock.ts';
import { createPolicy } from '../../src/policy/decide.ts';
import { createHttpPost } from '../../src/signal/http-post.ts';
import { createWebhook } from '../../src/signal/webhook.ts';
import { aChange, policyOf } from '../policy/a-finding.ts';
import { aDecision } from './a-decision.ts';

const root = join(import.meta.dirname, '../../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('decisions have exactly the fields that the published schema promises, and validate against it', () => {
  const document = JSON.parse(read('docs/decision.schema.json')) as { required: string[]; properties: object };
  const schema = z.fromJSONSchema(document as Parameters<typeof z.fromJSONSchema>[0]);
  const policy = createPolicy(
    policyOf(
      'rules: [{ name: r, action: throttle, escalate: [step-up, revoke-session, revoke-identity], ttl: 1m, why: x }]',
    ),
  );
  const made = [1, 2, 3, 4].flatMap(
    (i) => policy.onFinding(aChange({ finding_id: `fnd_${i}` }, { sessionId: 's' })).decisions,
  );
  assert.equal(made.length, 4);
  for (const decision of [...made, aDecision()]) {
    assert.deepEqual(Object.keys(decision), document.required);
    assert.deepEqual(Object.keys(decision), Object.keys(document.properties));
    schema.parse(decision);
  }
  for (const broken of [{ action: 'ban' }, { risk: 101 }, { session_id: 7 }, { decision_id: 'x' }, { scope: 'all' }]) {
    assert.throws(() => schema.parse({ ...aDecision(), ...broken }), JSON.stringify(broken));
  }
});

test('the settings and the policy printed in docs/integrators.md are valid', () => {
  const blocks = [...read('docs/integrators.md').matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  assert.equal(blocks.length, 6);
  const env = {
    GAIT_WEBHOOK_SECRET: `whsec_${'a'.repeat(44)}`,
    GAIT_NGINX_KEY_SHA256: 'a'.repeat(64),
    GAIT_IDP_KEY_SHA256: 'b'.repeat(64),
    KEYCLOAK_CLIENT_SECRET: 's',
  };
  for (const text of blocks) {
    if (text.startsWith('version:')) {
      parsePolicyFile(text, 'policy.yaml');
      continue;
    }
    const outcome = parseConfig({ name: 'gait.yaml', text: () => text }, env);
    assert.deepEqual(outcome.kind === 'ok' ? [] : outcome.problems, []);
  }
});

test('the table of the policy file names every key of it, and none that is not there', () => {
  const page = read('docs/integrators.md');
  const [, table = ''] = /## The policy file[\s\S]*?\n\| key .*\n([\s\S]*?)\n\n/.exec(page) ?? [];
  const told = [...table.matchAll(/^\| `(\w+)/gm)].map((match) => match[1]!);
  let known: readonly string[] = [];
  assert.throws(
    () => parsePolicyFile('version: 1\nrules: []\nzzzzzzzz: 1', 'policy.yaml'),
    ({ message }: Error) => {
      known = message.replace(/.*known here: /, '').split(', ');
      return true;
    },
  );
  const keys = [...table.matchAll(/`(\w+)(?:\.[\w.<>]+|\[\])?`(?=[^|]*\|)/gm)].map((match) => match[1]!);
  assert.deepEqual(
    known.filter((key) => !keys.includes(key)),
    [],
  );
  assert.deepEqual(
    told.filter((key) => !known.includes(key)),
    [],
  );
});

test('the receiver in docs/integrators.md runs as printed: it takes what is signed, once, and refuses what is not', async (context) => {
  const [, code] = /```js\n([\s\S]*?)```/.exec(read('docs/integrators.md')) ?? [];
  assert.ok(code);
  const secret = `whsec_${Buffer.from('a secret for the example').toString('base64')}`;
  const receiver = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: root,
    env: { ...process.env, GAIT_WEBHOOK_SECRET: secret, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => receiver.kill());
  const lines = createInterface(receiver.stdout);
  const [first] = (await once(lines, 'line')) as [string];
  const printed: string[] = [];
  lines.on('line', (line) => printed.push(line));
  const url = `http://127.0.0.1:${first.replace('port ', '')}`;
  const post = createHttpPost({ clock: systemClock });
  const { signal } = new AbortController();
  const send = (key: string, id = aDecision().decision_id) => {
    const webhook = createWebhook({ name: 'example', url, secrets: [key] });
    return post(webhook.request(aDecision({ decision_id: id }), systemClock.now()), signal);
  };
  const last = once(lines, 'line');
  assert.equal((await send(secret)).status, 204);
  assert.equal((await send(secret)).status, 204);
  await last;
  const forged = await send(`whsec_${Buffer.from('somebody else and longer').toString('base64')}`);
  assert.equal(forged.kind, 'rejected');
  assert.deepEqual(printed, ['throttle "user:acme:alice": One strong finding.']);
});
