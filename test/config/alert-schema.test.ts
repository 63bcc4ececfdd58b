import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';

function problemsOf(text: string): readonly string[] {
  const outcome = parseConfig({ name: 'gait.yaml', text: () => text }, {});
  return outcome.kind === 'ok' ? [] : outcome.problems;
}

test('every mistake in a channel is named with its line and what would be right, and no secret is repeated', () => {
  const problems = problemsOf(`alerts:
  channels:
    - { name: a, kind: slack-bot, token: xoxb-s3cret, channel: "#soc" }
    - { name: b, kind: teams, url: "http://teams.example/s3cret", quiet: { zone: Mars/Olympus, from: "25:00" }, template: "{evil}" }
    - { name: c, kind: email, host: smtp.example.com, from: "a@b.example\\r\\nBcc: x@y.example", to: [] }
    - { name: console, kind: pagerduty, routingkey: s3cret }
    - { name: d, kind: webhook, url: "https://siem.example", secrets: [s3cret] }
`);
  const expected = [
    '3:55: alerts.channels.0.channel: must be the id of a channel, such as C012AB3CD',
    '4:76: alerts.channels.1.quiet.zone: is no time zone; write one such as Europe/Berlin or UTC',
    '4:96: alerts.channels.1.quiet.from: must be a time such as 22:00',
    '4:113: alerts.channels.1.template: knows no evil; known are {severity}, {kind}, {identity}, {tenant}, {incident}, {risk}, {events}, {findings}',
    '4:31: alerts.channels.1.url: must begin with https://, or lead to this machine, and carry no user name',
    '5:55: alerts.channels.2.from: invalid email address',
    '5:96: alerts.channels.2.to: too small: expected array to have >=1 items',
    '6:9: alerts.channels.3.name: is the terminal’s own name',
    '6:7: alerts.channels.3.routingKey: is missing',
    '6:41: unknown key alerts.channels.3.routingkey; did you mean routingKey?',
    '7:72: alerts.channels.4.secrets.0: must be whsec_ followed by base64, as in Standard Webhooks',
  ];
  assert.deepEqual(
    problems,
    expected.map((problem) => `gait.yaml:${problem}`),
  );
});

test('two channels of one name, a password in the clear and half a log-in are refused', () => {
  const problems = problemsOf(`alerts:
  slack: { url: "https://hooks.slack.example/x" }
  channels:
    - { name: slack, kind: teams, url: "https://teams.example/x" }
    - { name: mail, kind: email, host: smtp.example.com, security: none, from: a@b.example, to: [c@d.example], username: u }
`);
  assert.deepEqual(
    problems.map((problem) => problem.replace(/^gait\.yaml:\d+:\d+: alerts\.channels\./, '')),
    [
      '0.name: is the name of another channel',
      '1.security: none is for this machine only: findings and the password would be readable on the way',
      '1.password: username and password come together',
    ],
  );
});

test('the short form is a channel like any other', () => {
  const outcome = parseConfig(undefined, { GAIT_SLACK_URL: 'https://hooks.slack.example/x' });
  assert.ok(outcome.kind === 'ok');
  const [channel, ...others] = outcome.config.alerts.channels;
  assert.deepEqual(
    [channel?.name, channel?.kind, channel?.severityMin, channel?.rate, others],
    ['slack', 'slack', 'medium', { messages: 30, perMs: 3_600_000 }, []],
  );
  assert.doesNotMatch(JSON.stringify(outcome.config), /hooks\.slack\.example/);
});
