import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import { environmentNames } from '../../src/config/environment.ts';
import { createMetrics } from '../../src/http/metrics.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../docs/operators.md'), 'utf8');

type Shape = { properties?: Record<string, Shape>; items?: Shape; oneOf?: Shape[]; anyOf?: Shape[] };

function keysOf({ properties = {}, items, oneOf = [], anyOf = [] }: Shape): readonly string[] {
  const inner = [...Object.values(properties), ...oneOf, ...anyOf, ...(items === undefined ? [] : [items])];
  return [...Object.keys(properties), ...inner.flatMap(keysOf)];
}

test('the operators’ guide names every key of the configuration and every variable', () => {
  const missing = [...new Set(keysOf(configSchema.json() as Shape))].filter(
    (key) => !new RegExp(`[\`.]${key}\\b`).test(guide),
  );
  assert.deepEqual(missing, []);
  const short = (name: string) => name.replace('GAIT_CLICKHOUSE', '');
  assert.deepEqual(
    environmentNames.filter((name) => !guide.includes(`\`${name}\``) && !guide.includes(`\`${short(name)}\``)),
    [],
  );
});

test('the operators’ guide names every metric', async () => {
  const { text } = await createMetrics().expose();
  const names = [...text.matchAll(/^# TYPE gait_(\S+)/gm)]
    .map((match) => match[1]!)
    .filter((name) => !/^(process|nodejs)_/.test(name));
  assert.ok(names.length > 10);
  assert.deepEqual(
    names.filter((name) => !guide.includes(`\`${name}\``)),
    [],
  );
});

test('the channels that the operators’ guide shows are valid as printed', () => {
  const [example] = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, text = '']) =>
    text.includes('channels:') ? text : [],
  );
  const names = ['SLACK_TOKEN', 'SLACK_SIGNING_SECRET', 'PAGERDUTY_KEY', 'SMTP_PASSWORD'];
  const env = {
    ...Object.fromEntries(names.map((name) => [name, 'x'])),
    TEAMS_URL: 'https://teams.example/x',
    SIEM_SECRET: `whsec_${'a'.repeat(44)}`,
  };
  const outcome = parseConfig({ name: 'gait.yaml', text: () => example ?? '' }, env);
  assert.deepEqual(outcome.kind === 'ok' ? outcome.config.alerts.channels.length : outcome.problems, 5);
});
