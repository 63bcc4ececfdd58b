import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, GaitError } from '../core/errors.ts';
import { type Config, configSchema, isLoopback, shippedModels } from './config-schema.ts';
import { applyOverrides, type Environment, environmentNames, interpolate, isTree } from './environment.ts';
import { describeIssue, type Locate, nearest, type Path } from './problem.ts';
import { Secret } from './secret.ts';
import { parseYaml } from './yaml.ts';

export type { Config } from './config-schema.ts';

/** `problems` and `warnings` are sentences that begin with `file:line:column`, or with the environment variable at fault. */
export type ConfigOutcome =
  | { readonly kind: 'ok'; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/**
 * Reads the configuration once: the file (else the one that GAIT_CONFIG names, else none), `${NAME}` from the environment, the environment's
 * own settings over it, defaults under it. The result is frozen. Relative paths in it are relative to the working directory.
 * Fails with CONFIG_INVALID, which says the first problem and how many more there are.
 */
export function loadConfig(path?: string): Config {
  const outcome = checkConfig(path, process.env);
  if (outcome.kind === 'ok') return outcome.config;
  const more = outcome.problems.length - 1;
  const rest = more === 0 ? '' : ` (and ${more} more; gait check-config lists them)`;
  throw new GaitError('CONFIG_INVALID', `${outcome.problems[0]}${rest}`);
}

/** The same, with every problem and warning as a value. */
export function checkConfig(path: string | undefined, env: Environment = process.env): ConfigOutcome {
  const fileName = path ?? (env.GAIT_CONFIG || undefined);
  return parseConfig(fileName === undefined ? undefined : { name: fileName, text: () => readText(fileName) }, env);
}

/** The parser behind both, for a text that is in memory. */
export function parseConfig(file: { name: string; text: () => string } | undefined, env: Environment): ConfigOutcome {
  try {
    return parseTree(parseYaml(file?.text() ?? '', file?.name ?? 'defaults'), file !== undefined, env);
  } catch (error) {
    return { kind: 'invalid', problems: describeError(error).split('\n') };
  }
}

function parseTree(yaml: ReturnType<typeof parseYaml>, hasFile: boolean, env: Environment): ConfigOutcome {
  const problems: string[] = [];
  const asked = new Set<string>();
  const tree = interpolate(yaml.value ?? {}, env, (at, name) => {
    asked.add(name);
    if (env[name] === undefined)
      problems.push(`${yaml.locate(at)}: ${at.join('.')}: the environment variable ${name} is not set`);
  });
  if (!isTree(tree)) return { kind: 'invalid', problems: [`${yaml.locate([])}: the file must be a map of sections`] };
  const setBy = applyOverrides(tree, env);
  if (!hasFile && !isTree(tree.log)) tree.sample ??= true;
  const locate: Locate = (at) => setByAt(setBy, at) ?? (hasFile ? yaml.locate(at) : 'defaults');

  const parsed = configSchema.parse(tree);
  if (!parsed.success) {
    const json = configSchema.json();
    problems.push(...parsed.error.issues.flatMap((issue) => describeIssue(issue, json, locate)));
    return { kind: 'invalid', problems };
  }
  problems.push(...unreadableFiles(parsed.data, locate));
  if (problems.length > 0) return { kind: 'invalid', problems };
  return { kind: 'ok', config: freeze(parsed.data), warnings: [...warn(parsed.data), ...misspelt(env, asked)] };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new GaitError('CONFIG_INVALID', `${path}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, {
      cause,
    });
  }
}

/** The variable that set a path or one above it. */
function setByAt(setBy: ReadonlyMap<string, string>, path: Path): string | undefined {
  for (let length = path.length; length > 0; length--) {
    const name = setBy.get(path.slice(0, length).join('.'));
    if (name !== undefined) return `environment variable ${name}`;
  }
  return undefined;
}

function addressFiles({ enrich }: Config): [Path, string | undefined][] {
  return (['asn', 'country'] as const).flatMap((kind) => {
    const setting = enrich[kind];
    if (setting === 'bundled' || setting === 'off') return [];
    return [setting]
      .flat()
      .map((path, i): [Path, string] => [['enrich', kind, ...(path === setting ? [] : [i])], path]);
  });
}

/** Of a model that is the operator's own; undefined for what comes with the program. */
function ownModel({ dataDir }: Config, name: string): string | undefined {
  if (['none', 'pca', 'equal', ...shippedModels].includes(name)) return undefined;
  return join(dataDir, 'models', name, 'manifest.json');
}

/** Files that the configuration names must be there now, not at the first event. */
function unreadableFiles(config: Config, locate: Locate): readonly string[] {
  const named: [Path, string | undefined][] = [
    [['detect', 'policyFile'], config.detect.policyFile],
    [['detect', 'model'], ownModel(config, config.detect.model)],
    [['detect', 'fusion'], ownModel(config, config.detect.fusion)],
    ...config.ingest.openApi.map((path, i): [Path, string] => [['ingest', 'openApi', i], path]),
    ...config.sources.map((source, i): [Path, string | undefined] => [['sources', i, 'map'], source.map]),
    ...addressFiles(config),
    ...config.alerts.channels.map((channel, i): [Path, string | undefined] => [
      ['alerts', 'channels', i, 'ca'],
      channel.kind === 'email' ? channel.ca : undefined,
    ]),
  ];
  const ssl = config.log.kind === 'kafka' ? config.log.ssl : undefined;
  for (const key of ['ca', 'cert', 'key'] as const) named.push([['log', 'ssl', key], ssl?.[key]]);
  return named.flatMap(([at, path]) => {
    if (path === undefined) return [];
    try {
      accessSync(path, constants.R_OK);
      return [];
    } catch {
      return [`${locate(at)}: ${at.join('.')}: the file ${path} cannot be read`];
    }
  });
}

/** What is allowed but seldom meant. */
function warn(config: Config): readonly string[] {
  const warnings: string[] = [];
  if (config.log.kind === 'kafka') {
    if (config.ingest.hmacKey === undefined) {
      warnings.push(
        'ingest.hmacKey is not set: a second process with a key of its own would take the same API key for another identity',
      );
    }
    if (config.log.sasl !== undefined && config.log.ssl === undefined)
      warnings.push('log.sasl without log.ssl sends the password in the clear');
    if (config.log.ssl?.rejectUnauthorized === false)
      warnings.push('log.ssl.rejectUnauthorized is false: anyone on the way can pose as the broker');
  }
  for (const { issuer, jwksUri } of [...config.enforce.issuers, ...config.ssf.transmitters]) {
    const { protocol, hostname } = new URL(jwksUri);
    if (protocol === 'http:' && !isLoopback(hostname.replace(/^\[|\]$/g, '')))
      warnings.push(`the keys of ${issuer} come over http: anyone on the way can sign tokens in its name`);
  }
  for (const { name, push } of config.ssf.receivers) {
    if (push === undefined && !config.http.keys.some((key) => key.name === name && key.roles.includes('ssf')))
      warnings.push(`ssf.receivers: ${name} has no key of its name with the role ssf, so it cannot make a stream`);
  }
  return warnings;
}

/** What begins like our own variables, is none of them, and is not asked for by the file. */
function misspelt(env: Environment, asked: ReadonlySet<string>): readonly string[] {
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith('GAIT_') || environmentNames.includes(name) || asked.has(name)) return [];
    const close = nearest(name, environmentNames);
    return close === undefined ? [] : [`environment variable ${name} is not known; did you mean ${close}?`];
  });
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
