import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/config.ts';
import { configSchema } from '../../src/config/config-schema.ts';
import { environmentNames } from '../../src/config/environment.ts';
import { parsePolicyFile } from '../../src/config/policy-file.ts';
import { createMetrics } from '../../src/http/metrics.ts';

const docs = join(import.meta.dirname, '../../../docs');
const guide = readFileSync(join(docs, 'operators.md'), 'utf8');

type Shape = { properties?: Record<string, Shape>; items?: Shape; oneOf?: Shape[]; anyOf?: Shape[] };

/** With the keys above them, as they stand in the table: `log.ssl`. */
function pathsOf({ properties = {}, items, oneOf = [], anyOf = [] }: Shape, above = ''): readonly string[] {
  const own = Object.entries(properties).flatMap(([key, shape]) => [
    `${above}${key}`,
    ...pathsOf(shape, `${above}${key}.`),
  ]);
  return [
    ...own,
    ...[...oneOf, ...anyOf, ...(items === undefined ? [] : [items])].flatMap((each) => pathsOf(each, above)),
  ];
}

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

test('the guides name no key of the configuration that is not there, nor a variable', () => {
  const shape = configSchema.json() as Shape;
  const paths = new Set(pathsOf(shape));
  const sections = Object.keys(shape.properties ?? {}).join('|');
  const named = new RegExp(`\`((?:${sections})(?:\\[\\])?\\.[a-zA-Z.[\\]]+)\``, 'g');
  for (const page of ['operators', 'integrators', 'analysts', 'sources', 'detections', 'performance', 'evaluation']) {
    const text = readFileSync(join(docs, `${page}.md`), 'utf8');
    for (const [, key = ''] of text.matchAll(named)) {
      // Names of the audit and of Keycloak that begin like a section.
      if (!/^(ssf\.[a-zA-Z-]+|sql\.ask)$/.test(key))
        assert.ok(paths.has(key.replaceAll('[]', '')), `${page}.md: ${key}`);
    }
  }
  const [, table = ''] = /\n\| key .*\n([\s\S]*?)\n\n/.exec(guide) ?? [];
  const variables = [...table.matchAll(/`(GAIT_\w+)`/g)].map((match) => match[1]!);
  assert.ok(variables.length > 10);
  assert.deepEqual(
    variables.filter((name) => !environmentNames.includes(name)),
    [],
  );
});

test('the operators’ guide names every metric, and none that is not there', async () => {
  const { text } = await createMetrics().expose();
  const names = [...text.matchAll(/^# TYPE gait_(\S+)/gm)]
    .map((match) => match[1]!)
    .filter((name) => !/^(process|nodejs)_/.test(name));
  assert.ok(names.length > 10);
  assert.deepEqual(
    names.filter((name) => !guide.includes(`\`${name}\``)),
    [],
  );
  const table = guide.slice(guide.indexOf('\n## Metrics'), guide.indexOf('\n## Limits'));
  const told = [...table.matchAll(/^\| (`[^|]*)\|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)]);
  assert.deepEqual(
    told.map((match) => match[1]!).filter((name) => !names.includes(name)),
    [],
  );
});

test('the settings that the operators’ guide shows are valid as printed', () => {
  const blocks = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1]!);
  const secrets = ['SLACK_TOKEN', 'SLACK_SIGNING_SECRET', 'PAGERDUTY_KEY', 'SMTP_PASSWORD', 'KAFKA_PASSWORD'];
  const env = {
    ...Object.fromEntries([...secrets, 'CLICKHOUSE_PASSWORD'].map((name) => [name, 'x'])),
    GATEWAY_KEY_SHA256: 'a'.repeat(64),
    SOC_KEY_SHA256: 'b'.repeat(64),
    SHARED_HMAC_KEY: 'x'.repeat(32),
    TEAMS_URL: 'https://teams.example/x',
    SIEM_SECRET: `whsec_${'a'.repeat(44)}`,
  };
  const kinds = blocks.map((text) => {
    if (text.startsWith('suppressions:')) {
      const policy = parsePolicyFile(`version: 1\nrules: []\n${text}`, 'policy.yaml');
      return `${policy.suppressions.length} suppression`;
    }
    const outcome = parseConfig({ name: 'gait.yaml', text: () => text }, env);
    assert.deepEqual(outcome.kind === 'ok' ? [] : outcome.problems, []);
    return outcome.kind === 'ok' && `${outcome.config.alerts.channels.length} channels`;
  });
  assert.deepEqual(kinds, ['0 channels', '1 suppression', '5 channels']);
});
