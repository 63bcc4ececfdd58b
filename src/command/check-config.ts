import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Config, checkConfig as readConfig } from '../config/config.ts';
import { type PolicyConfig, parsePolicyFile, parsePolicyTests } from '../config/policy-file.ts';
import { GaitError } from '../core/errors.ts';
import { runPolicyTests } from '../policy/policy-test.ts';
import { sourceFormats } from '../role/assemble.ts';

export type CheckConfigOptions = {
  readonly config?: string | undefined;
  /** A `*.test.yaml` that says what the policy must decide; true: the one beside the policy file. */
  readonly test?: string | true | undefined;
  /** Makes an API key instead of checking anything. */
  readonly hashKey?: boolean | undefined;
};

const defaultPolicy = fileURLToPath(new URL('../../../pipelines/detect/default.yaml', import.meta.url));

/**
 * `gait check-config`: everything that is wrong, each with its place (CONFIG_INVALID, one line each); or the configuration as it will be used,
 * with secrets masked, and what it amounts to. With `test`, what the policy decides otherwise than its tests say is wrong too.
 */
export async function checkConfig({ config: path, test, hashKey }: CheckConfigOptions): Promise<void> {
  if (hashKey) return printNewKey();
  const outcome = readConfig(path);
  if (outcome.kind === 'invalid') throw new GaitError('CONFIG_INVALID', outcome.problems.join('\n'));
  const { config, warnings } = outcome;
  sourceFormats(config);
  const policyPath = config.detect.policyFile ?? defaultPolicy;
  const policy = parsePolicyFile(readText(policyPath), policyPath);
  const tests = test === true ? policyPath.replace(/(\.ya?ml)?$/, '.test$1') : test;
  if (tests !== undefined) runTests(policy, tests);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  process.stdout.write(
    `${JSON.stringify(config, null, 2)}\n${summarise(config, policy)}${tests === undefined ? '' : `; what ${tests} expects holds`}\n`,
  );
}

function runTests(policy: PolicyConfig, path: string): void {
  if (!/\.test\.ya?ml$/.test(path)) {
    throw new GaitError(
      'CONFIG_INVALID',
      `${path}: tests of a policy are in a file that ends in .test.yaml; the policy itself is named by detect.policyFile`,
    );
  }
  const failed = runPolicyTests(policy, parsePolicyTests(readText(path), path));
  if (failed.length > 0) throw new GaitError('CONFIG_INVALID', failed.map((step) => `${path}: ${step}`).join('\n'));
}

/** 256 random bits: a key that nobody chose needs no slow hash. */
function printNewKey(): void {
  const key = `gait_${randomBytes(32).toString('base64url')}`;
  const sha256 = createHash('sha256').update(key).digest('hex');
  process.stdout.write(
    `key     ${key}   (give it to the caller; it is stored nowhere)\nsha256  ${sha256}   (for http.keys)\n`,
  );
}

function summarise({ roles, log, store, http, sources, sample }: Config, policy: PolicyConfig): string {
  const door = http.keys.length === 0 ? 'open to this machine, no keys' : `${http.keys.length} key(s)`;
  return [
    `roles ${roles.join(', ')}`,
    log.kind === 'kafka' ? `log Kafka at ${log.brokers.join(', ')}` : `log in ${log.path}`,
    store.kind === 'clickhouse'
      ? `store ClickHouse at ${store.url}`
      : store.kind === 'off'
        ? 'no store'
        : `store in ${store.path}`,
    sources.length > 0
      ? `reads ${sources.map(({ topic }) => topic).join(', ')}`
      : sample
        ? 'plays the sample'
        : 'reads HTTP only',
    `policy in ${policy.mode} mode`,
    `HTTP at ${http.host}:${http.port}, ${door}`,
  ].join('; ');
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new GaitError('CONFIG_INVALID', `${path}: cannot be read`, { cause });
  }
}
