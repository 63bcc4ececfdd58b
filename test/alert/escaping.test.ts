import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alertMessage } from '../../src/alert/message.ts';
import { slackPayload } from '../../src/alert/slack.ts';
import { teamsPayload } from '../../src/alert/teams.ts';
import { anIncident, findingRecord, messageFull } from './an-incident.ts';
import { attackerTexts } from './attacker-texts.ts';

type Text = { readonly type: string; readonly text: string; readonly emoji?: boolean };
type Payload = ReturnType<typeof slackPayload>;

const textsOf = ({ blocks }: Payload): readonly Text[] =>
  (blocks as readonly { text?: Text; fields?: readonly Text[] }[]).flatMap(({ text, fields = [] }) => [
    ...(text ? [text] : []),
    ...fields,
  ]);

test('a Slack message holds the sentence, the facts and the reasons', () => {
  const payload = slackPayload(alertMessage(anIncident(findingRecord())));
  assert.equal(payload.text, 'HIGH: new context: called from a country never seen before');
  assert.deepEqual(
    textsOf(payload)
      .map(({ text }) => text)
      .slice(0, 5),
    [
      'HIGH: new context',
      'called from a country never seen before',
      'Identity: user:acme:alice',
      'Risk: 60 of 100',
      'Confidence: 100 %',
    ],
  );
});

test('nothing an attacker wrote becomes a mention, a link, an emoji or mark-up in Slack', () => {
  for (const attack of attackerTexts) {
    const payload = slackPayload(messageFull(attack));
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
    const payload = slackPayload(messageFull(attack));
    assert.ok(payload.blocks.length <= 50);
    assert.ok(payload.text.length <= 4000);
    for (const block of payload.blocks as readonly { type: string; text?: Text; fields?: readonly Text[] }[]) {
      assert.ok((block.text?.text.length ?? 1) <= (block.type === 'header' ? 150 : 3000), block.text?.text);
      assert.ok((block.text?.text.length ?? 1) >= 1);
      assert.ok((block.fields ?? []).length <= 10);
      for (const field of block.fields ?? []) assert.ok(field.text.length <= 2000);
    }
  }
});

test('Teams gets every text in a form that it does not read as Markdown, and no expression to evaluate', () => {
  for (const attack of [
    ...attackerTexts,
    '$' + '{resources.secret} {{DATE(2026-01-01, SHORT)}} @{triggerBody()} <at>all</at> [a](https://evil.example)',
  ]) {
    const card = JSON.stringify(teamsPayload(messageFull(attack)));
    assert.ok(Buffer.byteLength(card) <= 28 * 1024, 'Teams takes 28 KB');
    const body = (
      teamsPayload(messageFull(attack)) as { attachments: [{ content: { body: { type: string; inlines: Text[] }[] } }] }
    ).attachments[0].content.body;
    for (const { type, inlines } of body) {
      assert.equal(type, 'RichTextBlock');
      for (const inline of inlines) {
        assert.equal(inline.type, 'TextRun');
        assert.doesNotMatch(inline.text, /:\/\/|\{\{|\$\{|@\{|<[^\u200b]|@(?!\u200b)/);
        assert.ok(inline.text.length > 0);
      }
    }
  }
});

test('a channel’s own template is filled once: what stands in a value is not looked at again', () => {
  const incident = anIncident(findingRecord({ identity: 'user:acme:{risk}' as never }));
  const template = '{severity}|{kind}|{identity}|{tenant}|{incident}|{risk}|{events}|{findings}|{toString}';
  const { headline } = alertMessage(incident, template);
  assert.equal(headline, `HIGH|new context|user:acme:{risk}|acme|${incident.id}|60|1|1|{toString}`);
});
