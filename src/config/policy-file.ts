import { isNetwork } from '../core/network.ts';
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
import { nearest } from './problem.ts';
import { checkYaml } from './yaml.ts';
import { duration, timeToLive, z } from './zod.ts';

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
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected lower-case words joined by "-"');

/** A tag holds where every list given has a member that matches. */
const tag = strict({ routes: z.array(glob).min(1).optional(), hosts: z.array(glob).min(1).optional() }).refine(
  (each) => each.routes !== undefined || each.hosts !== undefined,
  'give routes, hosts or both',
);

const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as 08:30');

/** From `from` up to, not including, `to`; over midnight when `to` is not later. `days` are those on which the stretch begins. */
const hours = strict({
  from: clock,
  to: clock,
  days: z
    .array(z.enum(weekdays))
    .min(1)
    .default([...weekdays]),
  timeZone: z.string().refine(isTimeZone, 'expected a time zone such as Europe/Berlin or UTC'),
});

/** Every condition given must hold; within a list one member is enough. */
const conditions = strict({
  kinds: z.array(kind).min(1).optional(),
  severityMin: severity.optional(),
  confidenceMin: share.optional(),
  riskMin: risk.optional(),
  riskLevelMin: level.optional(),
  /** Of the call's session alone; a call without a session has none. */
  sessionRiskMin: risk.optional(),
  sessionRiskLevelMin: level.optional(),
  identityKinds: z
    .array(z.enum(identityKinds as readonly [IdentityKind, ...IdentityKind[]]))
    .min(1)
    .optional(),
  actorKind: z.enum(actorKinds).optional(),
  routes: z.array(glob).min(1).optional(),
  tags: z.array(name).min(1).optional(),
  tenants: z.array(glob).min(1).optional(),
  /** When the call was made. */
  hours: hours.optional(),
});

const stepUp = {
  /** `acr` values that satisfy it, the preferred first; none: any authentication that is new enough. */
  acrValues: z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'expected one word, no quotes')).max(10),
  /** How long ago the authentication may be; 0s: it must be newer than the decision. */
  maxAge: duration,
};

const rule = strict({
  name,
  when: conditions.default({}),
  action: step,
  /** The steps after `action`, for the second, third, … offence against this rule; the last one is kept. */
  escalate: z.array(step).max(5).default([]),
  /** What `step-up` becomes where nobody can step up: services, keys, devices, addresses. */
  insteadOfStepUp: z.enum(['throttle', 'revoke-session', 'revoke-identity']).default('throttle'),
  /** What a step-up by this rule asks for, where it is other than `stepUp` of the file. */
  acrValues: stepUp.acrValues.optional(),
  maxAge: stepUp.maxAge.optional(),
  ttl: timeToLive,
  mode: z.enum(['shadow', 'enforce', 'inherit']).default('inherit'),
  why: z.string().min(1).max(500),
});

/** Holds where all that is given holds. */
const allowance = strict({
  identity: glob.optional(),
  route: glob.optional(),
  network: z.string().refine(isNetwork, 'expected an address or a network such as 192.0.2.0/24').optional(),
  until: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  owner: z.string().min(1).max(200),
  reason: z.string().min(1).max(500),
}).refine(
  ({ identity, network, route }) => [identity, network, route].some((each) => each !== undefined),
  'give identity, network or route',
);

/** What is not to be told: who and what is meant stands in all that is given. */
const suppression = strict({
  identity: glob.optional(),
  peerGroup: z.string().min(1).max(256).optional(),
  route: glob.optional(),
  network: z.string().refine(isNetwork, 'expected an address or a network such as 192.0.2.0/24').optional(),
  /** Kinds of finding; none: all. */
  kinds: z.array(kind).default([]),
  until: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  owner: z.string().min(1).max(200),
  reason: z.string().min(1).max(500),
}).refine(
  ({ identity, peerGroup, route, network, kinds }) =>
    kinds.length > 0 || [identity, peerGroup, route, network].some((each) => each !== undefined),
  'give identity, peerGroup, route, network or kinds',
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
    /** What a verdict that a finding was right adds to the risk that the identity has without any finding. */
    prior: strict({
      weight: share.default(0.15),
      /** In no case as much as `medium.leave`: by itself it neither raises a level nor keeps one. */
      max: share.default(0.24),
      halfLife: duration.refine((ms) => ms > 0, 'must be above zero').prefault('30d'),
    }).prefault({}),
    /** The share that is left when its owner has answered a step-up. */
    afterStepUp: share.default(0.2),
    identitiesMax: z.int().positive().max(10_000_000).default(100_000),
  })
    .refine((part) => part.medium.enter < part.high.enter, 'medium must be entered below high')
    .prefault({}),
  stepUp: strict({
    acrValues: stepUp.acrValues.default([]),
    maxAge: stepUp.maxAge.prefault('0s'),
    /** Calls that go on without an answer to the challenge; then the next step of the rule's ladder is taken. */
    ignoredMax: z.int().positive().max(1_000_000).default(20),
  }).prefault({}),
  /** Names for routes, for rules to match on. */
  tags: z.record(name, tag).default({}),
  /** An offence is forgotten after this time, and the ladder of its rule begins anew. */
  offenceWindow: duration.prefault('1d'),
  guardrails: strict({
    revocationsMax: z.int().min(0).default(10),
    activeShareMax: share.default(0.01),
  }).prefault({}),
  rules: z.array(rule).max(1000),
  allowlist: z.array(allowance).max(10_000).default([]),
  suppressions: z.array(suppression).max(256).default([]),
}).superRefine(({ rules, tags }, context) => {
  // Whoever adds a rule of his own at the end of the file that comes with Gait would wait for it in vain.
  const always = rules.findIndex(({ when }) => Object.keys(when).length === 0);
  if (always >= 0 && always < rules.length - 1)
    context.addIssue({
      code: 'custom',
      path: ['rules', always + 1],
      message: `is never asked, for rules.${always} before it holds for every finding`,
    });
  const names = rules.map((each) => each.name);
  for (const [i, { name, when }] of rules.entries()) {
    if (names.indexOf(name) < i)
      context.addIssue({
        code: 'custom',
        path: ['rules', i, 'name'],
        message: `rules.${names.indexOf(name)} has this name`,
      });
    for (const [j, each] of (when.tags ?? []).entries()) {
      if (Object.hasOwn(tags, each)) continue;
      const close = nearest(each, Object.keys(tags));
      const message = `no tag of this name is declared${close === undefined ? '' : `; did you mean ${close}?`}`;
      context.addIssue({ code: 'custom', path: ['rules', i, 'when', 'tags', j], message });
    }
  }
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
  /** Instead of a finding: what is said about the newest decision of the test. Of the others only `session` counts then: the new token's. */
  told: z.enum(['step-up-succeeded', 'step-up-ignored', 'restore', 'false-positive']).optional(),
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
  token: z.string().nullable().default(null),
  host: z.string().nullable().default(null),
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

function isTimeZone(text: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }) !== undefined;
  } catch {
    return false;
  }
}
