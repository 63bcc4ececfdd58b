import type { Path } from './problem.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

type Tree = Record<string, unknown>;

/** Settings that a deployment commonly sets from outside. They win over the file. Lists are separated by commas. */
const overrides: Readonly<
  Record<string, { readonly path: readonly string[]; readonly to?: (text: string, before: unknown) => unknown }>
> = {
  GAIT_DATA_DIR: { path: ['dataDir'] },
  GAIT_ROLES: { path: ['roles'], to: list },
  GAIT_GROUP: { path: ['group'] },
  GAIT_SAMPLE: { path: ['sample'] },
  GAIT_LOG_LEVEL: { path: ['logging', 'level'] },
  GAIT_KAFKA_BROKERS: { path: ['log', 'brokers'], to: list },
  GAIT_SOURCES: { path: ['sources'], to: (text) => list(text).map((topic) => ({ topic })) },
  GAIT_HMAC_KEY: { path: ['ingest', 'hmacKey'] },
  GAIT_POLICY_FILE: { path: ['detect', 'policyFile'] },
  GAIT_CLICKHOUSE_URL: { path: ['store', 'url'] },
  GAIT_CLICKHOUSE_USERNAME: { path: ['store', 'username'] },
  GAIT_CLICKHOUSE_PASSWORD: { path: ['store', 'password'] },
  GAIT_CLICKHOUSE_DATABASE: { path: ['store', 'database'] },
  GAIT_SLACK_URL: { path: ['alerts', 'slack', 'url'] },
  GAIT_HTTP_HOST: { path: ['http', 'host'] },
  GAIT_HTTP_PORT: { path: ['http', 'port'] },
  GAIT_API_KEY_SHA256: {
    path: ['http', 'keys'],
    to: (sha256) => [{ name: 'environment', sha256, roles: ['ingest', 'enforce', 'analyst', 'admin'] }],
  },
  GAIT_ANALYST_KEY_SHA256: {
    path: ['http', 'keys'],
    to: (sha256, before) => [...(Array.isArray(before) ? before : []), { name: 'analyst', sha256, roles: ['analyst'] }],
  },
};

/** Naming the broker or the server says which kind it is: the other kind's settings in the file are then of no use. */
const kinds: Readonly<Record<string, { readonly section: string; readonly kind: string }>> = {
  GAIT_KAFKA_BROKERS: { section: 'log', kind: 'kafka' },
  GAIT_CLICKHOUSE_URL: { section: 'store', kind: 'clickhouse' },
};

export const environmentNames: readonly string[] = [...Object.keys(overrides), 'GAIT_CONFIG'];

function list(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Puts the environment's settings over the file's; returns which variable set which path, for the errors. An empty variable counts as unset. */
export function applyOverrides(tree: Tree, env: Environment): ReadonlyMap<string, string> {
  const setBy = new Map<string, string>();
  for (const [name, { section, kind }] of Object.entries(kinds)) {
    const current = tree[section] as Tree | undefined;
    if (env[name] && current?.kind !== kind) tree[section] = { kind };
  }
  for (const [name, { path, to }] of Object.entries(overrides)) {
    const text = env[name];
    if (!text) continue;
    let node = tree;
    for (const step of path.slice(0, -1)) {
      if (!isTree(node[step])) node[step] = {};
      node = node[step] as Tree;
    }
    node[path.at(-1)!] = to === undefined ? text : to(text, node[path.at(-1)!]);
    setBy.set(path.join('.'), name);
  }
  return setBy;
}

/** Replaces `${NAME}` in every text of a tree and leaves out keys without a value. `missing` is told of a variable that is not set. */
export function interpolate(value: unknown, env: Environment, onName: (path: Path, name: string) => void): unknown {
  const walk = (node: unknown, path: Path): unknown => {
    if (Array.isArray(node)) return node.map((item, i) => walk(item, [...path, i]));
    if (isTree(node)) {
      const kept = Object.entries(node).filter(([, item]) => item !== null);
      return Object.fromEntries(kept.map(([key, item]) => [key, walk(item, [...path, key])]));
    }
    if (typeof node !== 'string') return node;
    return node.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
      onName(path, name);
      return env[name] ?? '';
    });
  };
  return walk(value, []);
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
