import { isIP } from 'node:net';
import { join } from 'node:path';
import { formatNames } from '../core/words.ts';
import { actionsSchema } from './action-schema.ts';
import { alerts, oneListOfChannels } from './alert-schema.ts';
import { flag, fromText, integer, secret, text, url, webhookSecret } from './fields.ts';
import { Secret } from './secret.ts';
import { ssfSchema } from './ssf-schema.ts';
import { z } from './zod.ts';

/**
 * The configuration's shape, one section per folder that uses it. In: YAML values after `${NAME}` has been put in. Out: typed settings
 * with every default filled. Never true: an unknown key that is accepted, or a secret that is a plain string.
 * Units stand in the names; sizes are bytes, times are milliseconds unless the name says days.
 */

const topicName = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,249}$/, 'is not a topic name (letters, digits, dot, dash, underscore)');
const hexSha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, 'is not a SHA-256 in hex; make one with: gait check-config --hash-key');
const identityNames = ['subject', 'mtls', 'api-key', 'client', 'consumer', 'session', 'device', 'address'] as const;
const identityChain = z.array(z.enum(identityNames)).min(1);

const roles = ['ingest', 'detect', 'serve', 'deliver'] as const;
const keyRoles = ['ingest', 'enforce', 'analyst', 'ssf', 'admin'] as const;
export type KeyRole = (typeof keyRoles)[number];

const ssl = z.strictObject({
  ca: text.optional(),
  cert: text.optional(),
  key: text.optional(),
  rejectUnauthorized: flag.default(true),
});

const sasl = z.strictObject({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
  username: text,
  password: secret,
});

const log = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('embedded'),
    /** A folder; default `<dataDir>/log`. */
    path: text.optional(),
  }),
  z.strictObject({
    kind: z.literal('kafka'),
    brokers: z.array(text).min(1),
    clientId: text.default('gait'),
    /** Present: TLS, with the system's authorities unless `ca` names a PEM file. `cert` and `key` are PEM files for mutual TLS. */
    ssl: ssl.optional(),
    sasl: sasl.optional(),
    /** For topics that Gait creates. One partition of `events` is one shard. */
    partitions: integer(1, 10_000).default(4),
    replicationFactor: integer(1, 10).default(1),
  }),
]);

const topics = z.strictObject({
  events: topicName.default('gait.events'),
  state: topicName.default('gait.state'),
  scores: topicName.default('gait.scores'),
  findings: topicName.default('gait.findings'),
  signals: topicName.default('gait.signals'),
  receipts: topicName.default('gait.receipts'),
  /** Streams of shared signals and the tokens that wait in them. */
  ssf: topicName.default('gait.ssf'),
  /** What people are told of; one topic of state per channel, named after it. */
  alerts: topicName.default('gait.alerts'),
  alertState: topicName.default('gait.alert-state'),
  alertReceipts: topicName.default('gait.alert-receipts'),
  audit: topicName.default('gait.audit'),
  /** What people said of findings, and what is not to be told. */
  verdicts: topicName.default('gait.verdicts'),
  suppressions: topicName.default('gait.suppressions'),
  deadLetter: topicName.default('gait.dead-letter'),
});

const source = z
  .strictObject({
    topic: topicName,
    /** `auto`: decided by each topic's first records. */
    format: z.enum(['auto', ...formatNames]).default('auto'),
    /** A mapping file from any JSON record to canonical fields. */
    map: text.optional(),
    from: z.enum(['earliest', 'latest']).default('earliest'),
    identityChain: identityChain.optional(),
    tenant: text.optional(),
  })
  .refine(({ format, map }) => format !== 'map' || map !== undefined, {
    path: ['format'],
    error: 'is map, which needs a mapping file: name it in map',
  });

const ingest = z.strictObject({
  /** Keys the HMAC that stands in for secrets. Processes that share a log must share it; alone, one is made and kept in `dataDir`. */
  hmacKey: z
    .string()
    .min(16, 'needs at least 16 characters')
    .transform((value) => new Secret(value))
    .optional(),
  /** Query parameters whose values are kept; all others lose theirs. */
  queryNames: z.array(text).default([]),
  /** Cookies that hold a session; none: the first that sounds like one, which a caller can put before his own. */
  sessionCookies: z.array(text).default([]),
  /** OpenAPI documents (JSON or YAML files) whose path templates name the routes. */
  openApi: z.array(text).default([]),
  recordBytesMax: integer(1024, 16 * 1024 * 1024).default(1024 * 1024),
  routesPerHostMax: integer(1, 100_000).default(2000),
  identityChain: identityChain.default([...identityNames]),
  /** The `iss` whose users and clients have bare keys; those of any other that an event names are told apart by it. */
  homeIssuer: text.optional(),
});

/** Without `off` and `bundled` the operator's own: one CSV file, or several that are read one after the other. */
const addressDatabase = z.union([z.enum(['bundled', 'off']), text, z.array(text).min(1)]).default('bundled');

/** What is known about addresses, where the gateway does not say it: the number of the network, the country. */
const enrich = z.strictObject({ asn: addressDatabase, country: addressDatabase });

/** Folders of `models` in the program; every other name is a folder of the operator's. */
export const shippedModels: readonly string[] = ['deviation-v1', 'pca-v1', 'fusion-v1', 'fusion-v2', 'fusion-v3'];
const modelName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'is not the name of a model (small letters, digits, dash)');

const detect = z.strictObject({
  reorderWindowMs: integer(0, 60_000).default(250),
  allowedLatenessMs: integer(0).default(300_000),
  /** Per shard, in memory; beyond it the coldest identity waits in a file and comes back with all that was known of it. */
  identitiesMax: integer(100, 50_000_000).default(1_000_000),
  /** Per shard: the identities seen most recently, of which more is remembered (tallies, tokens, sequences); the others' is forgotten. */
  activeMax: integer(100, 50_000_000).default(65_536),
  findingsPer1000PerDay: z.preprocess(fromText, z.number().positive().max(1000)).default(1),
  /** `none`, one that comes with the program (`shippedModels`; `pca` is pca-v1), or one of the operator's own in `<dataDir>/models`. */
  model: modelName.default('none'),
  /** How the detectors' words are weighed: `equal`, fusion-v3 or fusion-v1 (by hand), fusion-v2 (learned), or one of the operator's own. */
  fusion: modelName.default('fusion-v3'),
  backend: z.enum(['auto', 'wasm', 'node']).default('auto'),
  /** Policy rules; without it the rules that come with the program. */
  policyFile: text.optional(),
  checkpointMs: integer(100).default(5000),
  /** Event ids remembered per shard, to drop what a gateway sends twice. */
  duplicateWindow: integer(0, 16_777_216).default(262_144),
});

const store = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('embedded'),
    /** A folder; default `<dataDir>/store`. */
    path: text.optional(),
  }),
  z.strictObject({
    kind: z.literal('clickhouse'),
    url,
    username: text.default('default'),
    password: secret.optional(),
    database: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'is not a database name')
      .default('gait'),
  }),
  z.strictObject({ kind: z.literal('off') }),
]);

/** For the SQL of people. */
const sql = z.strictObject({
  seconds: integer(1, 600).default(30),
  /** Of an answer. */
  rows: integer(1, 10_000_000).default(100_000),
  memoryMb: integer(64, 1_048_576).default(1024),
});

const retention = z.strictObject({
  /** Share of the ordinary events that are stored; the surprising ones and those of findings always are. */
  eventsSample: z.preprocess(fromText, z.number().min(0).max(1)).default(1),
  /** Days that events and volumes per identity are kept after storing. Findings and decisions stay. */
  ttlDays: integer(1, 3650).default(30),
  deadLetterTtlDays: integer(1, 3650).default(14),
});

const webhook = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be lower-case letters, digits and dashes'),
  url,
  /** As in Standard Webhooks: `whsec_` and base64. Several while one is being replaced: each signs. */
  secrets: z.array(webhookSecret).min(1),
  /** Permits plain http to another machine. */
  allowInsecure: flag.default(false),
});

const signals = z.strictObject({
  /** A decision older than this is not sent any more: it is recorded as stale. */
  staleAfterMs: integer(1000).default(300_000),
  webhooks: z.array(webhook).default([]),
  actions: actionsSchema,
});

const headerName = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/, 'is not a header name in lower case')
  .refine((name) => !['authorization', 'cookie', 'x-gait-key'].includes(name), 'has a meaning of its own here');
/** What a gateway may say of a caller by headers that it sets itself. */
const trustedFields = [
  'tenant',
  'subject',
  'issuer',
  'client_id',
  'session_id',
  'token_id',
  'mtls_subject',
  'consumer',
  'device_id',
  'acr',
  'auth_time',
] as const;

const tokenIssuer = z.strictObject({
  /** As in the token's `iss`, to the letter. */
  issuer: text,
  jwksUri: url,
  /** One of these must be among a token's audiences; empty: any will do. */
  audiences: z.array(text).default([]),
});

const enforce = z.strictObject({
  /** Decisions held at once; beyond it those that end soonest are forgotten. */
  decisionsMax: integer(100, 10_000_000).default(200_000),
  /** Its last address is the caller's, or the one so many before it as there are proxies of yours in between. */
  clientIpHeader: headerName.default('x-forwarded-for'),
  proxies: integer(0, 16).default(0),
  apiKeyHeader: headerName.default('x-api-key'),
  /** As of the source that logs these calls. */
  tenant: text.optional(),
  identityChain: identityChain.optional(),
  /** Headers that the gateway sets on every question and lets no caller set. */
  trustedHeaders: z.partialRecord(z.enum(trustedFields), headerName).default({}),
  /** Believe `acr` and `auth_time` of trusted headers and of Envoy's jwt_authn metadata: the gateway verified the token. */
  gatewayVerifies: flag.default(false),
  /** Whose tokens can clear a step-up. */
  issuers: z.array(tokenIssuer).max(32).default([]),
  /** What a throttled identity may still do; each of `processes` among which a balancer spreads its calls allows its share. */
  throttle: z
    .strictObject({
      perMinute: integer(1, 6_000_000).default(60),
      burst: integer(1, 100_000).default(10),
      processes: integer(1, 1000).default(1),
    })
    .prefault({}),
  /** From a step-up on, calls that were under way or come while its owner logs in do not count as ignoring it. */
  graceMs: integer(0).default(30_000),
  /** The answer while the decisions are still being read: `open` lets the call through, `closed` refuses it. */
  unready: z.enum(['open', 'closed']).default('open'),
  /** The first that matches; `*` stands for anything. */
  routes: z
    .array(z.strictObject({ path: text, unready: z.enum(['open', 'closed']) }))
    .max(1000)
    .default([]),
  /** Envoy's ext_authz over gRPC. */
  grpc: z.strictObject({ host: text.default('127.0.0.1'), port: integer(0, 65_535).default(4421) }).optional(),
});

const apiKey = z.strictObject({ name: text, sha256: hexSha256, roles: z.array(z.enum(keyRoles)).min(1) });

const http = z.strictObject({
  host: text.default('127.0.0.1'),
  port: integer(0, 65_535).default(4420),
  /** Before and after decompression alike. */
  bodyBytesMax: integer(1024, 256 * 1024 * 1024).default(8 * 1024 * 1024),
  keys: z.array(apiKey).default([]),
});

const sections = z
  .strictObject({
    dataDir: text.default('./data'),
    roles: z
      .array(z.enum(roles))
      .min(1)
      .default([...roles]),
    group: z
      .string()
      .regex(/^[a-zA-Z0-9._-]{1,200}$/, 'is not a consumer group name')
      .default('gait'),
    /** Plays the bundled recording through the live path; default: only when there is neither a file nor Kafka. */
    sample: flag.default(false),
    logging: z
      .strictObject({ level: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info') })
      .prefault({}),
    log: log.prefault({ kind: 'embedded' }),
    topics: topics.prefault({}),
    /** Default: `api-traffic` with Kafka, none without. */
    sources: z.array(source).optional(),
    ingest: ingest.prefault({}),
    enrich: enrich.prefault({}),
    detect: detect.prefault({}),
    store: store.prefault({ kind: 'embedded' }),
    retention: retention.prefault({}),
    sql: sql.prefault({}),
    alerts: alerts.prefault({}),
    signals: signals.prefault({}),
    ssf: ssfSchema.prefault({}),
    enforce: enforce.prefault({}),
    http: http.prefault({}),
  })
  .superRefine((config, context) => {
    const refuse = (path: string[], message: string): void => context.addIssue({ code: 'custom', path, message });
    if (!isLoopback(config.http.host) && config.http.keys.length === 0) {
      const reason = 'is reachable from other machines, so http.keys must name at least one API key';
      refuse(['http', 'host'], `${config.http.host} ${reason}`);
    }
    const { grpc } = config.enforce;
    if (grpc !== undefined && !isLoopback(grpc.host) && config.http.keys.length === 0) {
      const reason = 'is reachable from other machines, so http.keys must name at least one API key';
      refuse(['enforce', 'grpc', 'host'], `${grpc.host} ${reason}`);
    }
    if (config.log.kind === 'embedded' && (config.sources ?? []).length > 0) {
      refuse(['sources'], 'topics are read from Kafka, so log.kind must be kafka');
    }
  })
  .transform((config) => ({
    ...config,
    ingest: { ...config.ingest, homeIssuer: config.ingest.homeIssuer ?? firstOfSeveral(config.enforce.issuers) },
    alerts: oneListOfChannels(config.alerts),
    log:
      config.log.kind === 'embedded'
        ? { ...config.log, path: config.log.path ?? join(config.dataDir, 'log') }
        : config.log,
    store:
      config.store.kind === 'embedded'
        ? { ...config.store, path: config.store.path ?? join(config.dataDir, 'store') }
        : config.store,
    sources: config.sources ?? (config.log.kind === 'kafka' ? [source.parse({ topic: 'api-traffic' })] : []),
  }));

/** With one issuer, or none, nobody can be mistaken for somebody of another. */
function firstOfSeveral(issuers: readonly { readonly issuer: string }[]): string | undefined {
  return issuers.length > 1 ? issuers[0]?.issuer : undefined;
}

export const configSchema = {
  /** Issues carry the path of the key at fault. */
  parse: (value: unknown) => sections.safeParse(value),
  /** The same shape as a JSON Schema, for the keys that exist at a path. */
  json: () => z.toJSONSchema(sections, { io: 'input', unrepresentable: 'any' }),
};

type ReadonlyDeep<T> = T extends Secret ? T : T extends object ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> } : T;
export type Config = ReadonlyDeep<z.output<typeof sections>>;

/** 127.0.0.0/8, ::1 and the name that stands for them. A name that merely resolves to loopback today is not trusted. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
