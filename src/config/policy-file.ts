import { isIP } from 'node:net';
import {
  actions,
  actorKinds,
  type FindingKind,
  findingKinds,
  type IdentityKind,
  identityKinds,
  type RiskLevel,
  riskLevels,
  type Severity,
  severities,
} from '../core/words.ts';
import { checkYaml } from './yaml.ts';
import { duration, z } from './zod.ts';

/**
 * Policy file: what is done about findings, as people write it (pipelines/detect/*.yaml).
 * In: YAML text. Out: a PolicyConfig with durations in milliseconds and defaults filled in. There is no expression language, on purpose.
 */
const strict = z.strictObject;
const share = z.number().min(0).max(1);
const risk = z.number().min(0).max(100);
const severity = z.enum(severities as readonly [Severity, ...Severity[]]);
const kind = z.enum(findingKinds as readonly [FindingKind, ...FindingKind[]]);
const level = z.enum(riskLevels as readonly [RiskLevel, ...RiskLevel[]]);
/** What a rule may ask for: ending a decision is not a reaction to a finding. */
const step = z.enum(actions).exclude(['restore']);
const glob = z.string().min(1).max(256);

/** Every condition given must hold; within a list one member is enough. */
const conditions = strict({
  kinds: z.array(kind).min(1).optional(),
  severityMin: severity.optional(),
  confidenceMin: share.optional(),
  riskMin: risk.optional(),
  riskLevelMin: level.optional(),
  identityKinds: z
    .array(z.enum(identityKinds as readonly [IdentityKind, ...IdentityKind[]]))
    .min(1)
    .optional(),
  actorKind: z.enum(actorKinds).optional(),
  routes: z.array(glob).min(1).optional(),
  tenants: z.array(glob).min(1).optional(),
});

const rule = strict({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected lower-case words joined by "-"'),
  when: conditions.default({}),
  action: step,
  /** The steps after `action`, for the second, third, … offence against this rule; the last one is kept. */
  escalate: z.array(step).max(5).default([]),
  /** What `step-up` becomes where nobody can step up: services, keys, devices, addresses. */
  insteadOfStepUp: z.enum(['throttle', 'revoke-session', 'revoke-identity']).default('throttle'),
  ttl: duration.refine((ms) => ms > 0, 'a decision needs a time to live above zero'),
  mode: z.enum(['shadow', 'enforce', 'inherit']).default('inherit'),
  why: z.string().min(1).max(500),
});

const allowance = strict({
  identity: glob.optional(),
  network: z.string().refine(isNetwork, 'expected an address or a network such as 192.0.2.0/24').optional(),
  until: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  owner: z.string().min(1).max(200),
  reason: z.string().min(1).max(500),
}).refine(
  (entry) => (entry.identity === undefined) !== (entry.network === undefined),
  'give either identity or network',
);

const thresholds = (enter: number, leave: number) =>
  strict({ enter: risk.default(enter), leave: risk.default(leave) })
    .refine((pair) => pair.leave < pair.enter, 'leave must be below enter, or the level would flicker')
    .prefault({});

const policy = strict({
  version: z.literal(1),
  mode: z.enum(['shadow', 'enforce']).default('shadow'),
  risk: strict({
    halfLife: duration.refine((ms) => ms > 0, 'must be above zero').prefault('6h'),
    /** Share of the distance to 100 that one finding of full confidence covers. */
    weights: strict({
      low: share.default(0.1),
      medium: share.default(0.3),
      high: share.default(0.6),
      critical: share.default(0.9),
    }).prefault({}),
    medium: thresholds(40, 25),
    high: thresholds(70, 50),
    /** A level is kept at least this long before it may fall. */
    dwell: duration.prefault('10m'),
    identitiesMax: z.int().positive().max(10_000_000).default(100_000),
  })
    .refine((part) => part.medium.enter < part.high.enter, 'medium must be entered below high')
    .prefault({}),
  /** An offence is forgotten after this time, and the ladder of its rule begins anew. */
  offenceWindow: duration.prefault('1d'),
  guardrails: strict({
    revocationsMax: z.int().min(0).default(10),
    activeShareMax: share.default(0.01),
  }).prefault({}),
  rules: z
    .array(rule)
    .max(1000)
    .refine((rules) => new Set(rules.map((each) => each.name)).size === rules.length, 'two rules share a name'),
  allowlist: z.array(allowance).max(10_000).default([]),
});

export type PolicyConfig = Readonly<z.output<typeof policy>>;
export type PolicyRule = Readonly<PolicyConfig['rules'][number]>;
export type RuleConditions = PolicyRule['when'];
export type Allowance = Readonly<PolicyConfig['allowlist'][number]>;

/** Fails with CONFIG_INVALID, one line `file:line:column: field: cause` for each error in the file. */
export function parsePolicyFile(text: string, fileName: string): PolicyConfig {
  return checkYaml(policy, text, fileName) as PolicyConfig;
}

/** One change of a finding, as a test writes it down; what is left out takes an unremarkable value. */
const testStep = strict({
  after: duration.prefault('0s'),
  change: z.enum(['opened', 'escalated', 'updated']).default('opened'),
  finding: z.string().default('f1'),
  incident: z.string().optional(),
  kind: kind.default('new_context'),
  severity: severity.default('high'),
  confidence: share.default(1),
  identity: z.string().default('user:acme:alice'),
  identityKind: z.enum(identityKinds as readonly [IdentityKind, ...IdentityKind[]]).default('user'),
  actorKind: z.enum(actorKinds).nullable().default('human'),
  tenant: z.string().default('acme'),
  session: z.string().nullable().default(null),
  clientIp: z.string().nullable().default(null),
  route: z.string().nullable().default(null),
  activeIdentities: z.int().min(0).default(1000),
  /** `action rule mode`, in order; an empty list says that nothing is decided. */
  expect: z.array(z.string()),
  level: level.optional(),
});

const policyTests = strict({
  cases: z.array(strict({ name: z.string().min(1), steps: z.array(testStep).min(1) })).min(1),
});

export type PolicyTest = Readonly<z.output<typeof policyTests>['cases'][number]>;

/** Reads a `*.test.yaml`: what a policy must decide about given findings. Errors as for `parsePolicyFile`. */
export function parsePolicyTests(text: string, fileName: string): readonly PolicyTest[] {
  return checkYaml(policyTests, text, fileName).cases;
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (bits === undefined) return true;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}
