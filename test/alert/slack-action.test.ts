import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { isFromSlack, readSlackAction } from '../../src/alert/slack-action.ts';
import { start } from '../policy/a-finding.ts';

test('the example of Slack’s own documentation is accepted, and no other body, time or secret', () => {
  // docs.slack.dev, "Verifying requests from Slack".
  const secret = '8f742231b10e8888abcd99yyyzzz85a5';
  const text =
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
  const request = {
    timestamp: '1531420618',
    signature: 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    body: Buffer.from(text),
  };
  const now = 1531420618_000;
  assert.ok(isFromSlack(request, secret, now));
  assert.ok(!isFromSlack(request, `${secret}x`, now));
  assert.ok(!isFromSlack({ ...request, body: Buffer.from(`${text} `) }, secret, now));
  assert.ok(!isFromSlack({ ...request, timestamp: '1531420619' }, secret, now));
  assert.ok(isFromSlack(request, secret, now + 300_000));
  assert.ok(!isFromSlack(request, secret, now + 300_001), 'a recording is not played again');
  assert.ok(!isFromSlack(request, secret, now - 300_001));
  for (const signature of [
    '',
    'v0=',
    request.signature.slice(0, -1),
    `${request.signature}0`,
    `v1=${request.signature.slice(3)}`,
  ]) {
    assert.ok(!isFromSlack({ ...request, signature }, secret, now));
  }
});

test('no signature of an empty or foreign secret passes, whatever the body', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (body, secret) => {
      const timestamp = String(start / 1000);
      const signature = `v0=${createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex')}`;
      assert.ok(!isFromSlack({ timestamp, signature, body: Buffer.from(body) }, 'the real secret', start));
    }),
    { verbose: 1 },
  );
});

test('only our buttons are actions, and a payload of another shape is none', () => {
  const value = { incident: 'inc_1', identity: 'user:acme:alice', findings: ['fnd_1'] };
  const payload = (over: object, action: object = {}) => {
    const press = {
      action_id: 'gait_verdict_false-positive',
      action_ts: '1766000000.1',
      value: JSON.stringify(value),
      ...action,
    };
    return Buffer.from(
      new URLSearchParams({
        payload: JSON.stringify({
          type: 'block_actions',
          user: { id: 'U1', username: 'ann' },
          actions: [press],
          ...over,
        }),
      }).toString(),
    );
  };
  assert.deepEqual(readSlackAction(payload({})), {
    incident: 'inc_1',
    identity: 'user:acme:alice',
    findingIds: ['fnd_1'],
    verdict: 'false-positive',
    user: { id: 'U1', name: 'ann' },
    id: '1766000000.1',
  });
  const none = [
    payload({ type: 'view_submission' }),
    payload({ user: {} }),
    payload({ actions: [] }),
    payload({}, { action_id: 'gait_verdict_maybe' }),
    payload({}, { action_id: 'other' }),
    payload({}, { value: '{}' }),
    payload({}, { value: JSON.stringify({ ...value, findings: ['a b'] }) }),
    payload({}, { value: 'x' }),
    Buffer.from('payload=%7B'),
    Buffer.from(''),
  ];
  for (const body of none) assert.equal(readSlackAction(body), undefined);
});
