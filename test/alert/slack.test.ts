import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertMessage } from '../../src/alert/message.ts';
import { createSlackChannel, slackPayload } from '../../src/alert/slack.ts';
import type { Reason } from '../../src/finding/finding.ts';
import { aFinding } from '../policy/a-finding.ts';
import { attackerTexts } from './attacker-texts.ts';

type Text = { readonly type: string; readonly text: string; readonly emoji?: boolean };
type Payload = {
  readonly text: string;
  readonly mrkdwn: boolean;
  readonly blocks: readonly { readonly type: string; readonly text?: Text; readonly fields?: readonly Text[] }[];
};

const reasonOf = (text: string): Reason => ({
  feature: 'country',
  observed: text,
  expected: 'DE',
  low: null,
  high: null,
  share: 1,
  level: 'self',
  peer_group: 'acme|human|-',
  sample_size: 40,
  text,
});

const payloadOf = (text: string): Payload =>
  slackPayload(
    alertMessage(
      aFinding({
        title: text,
        identity: `user:acme:${text}`,
        reasons: Array.from({ length: 50 }, () => reasonOf(text)),
      }),
    ),
  ) as Payload;

const textsOf = ({ blocks }: Payload): readonly Text[] =>
  blocks.flatMap((block) => [...(block.text ? [block.text] : []), ...(block.fields ?? [])]);

test('a message holds the sentence, the facts and the reasons', () => {
  const payload = payloadOf('called from a country never seen before');
  assert.equal(payload.text, 'HIGH: new context: called from a country never seen before');
  assert.deepEqual(
    textsOf(payload)
      .map(({ text }) => text)
      .slice(0, 5),
    [
      'HIGH: new context',
      'called from a country never seen before',
      'Identity: user:acme:called from a country never seen before',
      'Risk: 60 of 100',
      'Confidence: 100 %',
    ],
  );
});

test('nothing an attacker wrote becomes a mention, a link, an emoji or mark-up', () => {
  for (const attack of attackerTexts) {
    const payload = payloadOf(attack);
    assert.equal(payload.mrkdwn, false);
    for (const { type, text, emoji } of [
      ...textsOf(payload),
      { type: 'plain_text', text: payload.text, emoji: false },
    ]) {
      assert.equal(type, 'plain_text', 'Slack formats no plain_text object');
      assert.equal(emoji, false);
      assert.doesNotMatch(text, /[<>]|&(?!(amp|lt|gt);)|`|:\/\/|@(?!\u200b)/);
      assert.doesNotMatch(text.replaceAll('\u200b', ''), /[\p{C}\p{Zl}\p{Zp}]/u);
    }
  }
});

test('no message exceeds what Slack accepts, whatever is in it', () => {
  for (const attack of attackerTexts) {
    const payload = payloadOf(attack);
    assert.ok(payload.blocks.length <= 50);
    assert.ok(payload.text.length <= 4000);
    for (const block of payload.blocks) {
      assert.ok((block.text?.text.length ?? 1) <= (block.type === 'header' ? 150 : 3000));
      assert.ok((block.text?.text.length ?? 1) >= 1);
      assert.ok((block.fields ?? []).length <= 10);
      for (const field of block.fields ?? []) assert.ok(field.text.length <= 2000);
    }
  }
});

test('an address that is not https is refused', () => {
  assert.throws(() => createSlackChannel('slack', 'http://hooks.slack.example/services/x'), { code: 'CONFIG_INVALID' });
});
