import { checkTarget } from '../core/post.ts';
import { alertFields, severities, weekdays } from '../core/words.ts';
import { flag, integer, secret, text, url, webhookSecret } from './fields.ts';
import { Secret } from './secret.ts';
import { z } from './zod.ts';

/** The section `alerts`: the channels by which people are told, and how much of it they want. Times are milliseconds. */
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 22:00');

const quiet = z.strictObject({
  zone: text.refine(isZone, 'is no time zone; write one such as Europe/Berlin or UTC'),
  /** `to` before `from` is on the next day; equal: no hours. */
  from: time.default('00:00'),
  to: time.default('00:00'),
  /** Quiet all day. */
  days: z.array(z.enum(weekdays)).default([]),
  /** From this severity on people are told all the same. */
  breakThrough: z.enum(severities).default('critical'),
});

const rate = z.strictObject({
  /** Messages; updates in place are none. What is beyond is told in one summary as soon as there is room. */
  messages: integer(1, 100_000).default(30),
  perMs: integer(1000, 86_400_000).default(3_600_000),
});

const template = z
  .string()
  .min(1)
  .max(300)
  .refine((value) => unknownFields(value).length === 0, {
    error: ({ input }) =>
      `knows no ${unknownFields(String(input)).join(', ')}; known are ${alertFields.map((field) => `{${field}}`).join(', ')}`,
  });

const common = {
  /** Names the channel in receipts and metrics, and its state: renamed, it has told nothing yet. */
  name: z
    .string()
    .regex(/^[a-z0-9-]{1,64}$/, 'must be lower-case letters, digits and dashes')
    .refine((name) => name !== 'console', 'is the terminal’s own name'),
  severityMin: z.enum(severities).default('medium'),
  findingsMin: integer(1, 1000).default(1),
  groupWaitMs: integer(0, 3_600_000).default(10_000),
  groupIntervalMs: integer(1000, 86_400_000).default(300_000),
  quiet: quiet.optional(),
  rate: rate.prefault({}),
  template: template.optional(),
};

/** What goes there is for nobody on the way: https, or this machine. */
const safe = url.refine(isSafe, 'must begin with https://, or lead to this machine, and carry no user name');
const safeSecret = safe.transform((value) => new Secret(value));

const slack = z.strictObject({ ...common, kind: z.literal('slack'), url: safeSecret });

const slackBot = z.strictObject({
  ...common,
  kind: z.literal('slack-bot'),
  token: secret,
  channel: z.string().regex(/^[A-Z0-9]{6,20}$/, 'must be the id of a channel, such as C012AB3CD'),
  /** Present: messages have buttons for verdicts, which Slack brings to `/slack/actions`. */
  signingSecret: secret.optional(),
  /** Ids of the users who may give verdicts; without it everybody who sees the message may. */
  analysts: z.array(z.string().regex(/^[A-Z0-9]{6,20}$/, 'must be the id of a user, such as U012AB3CD')).optional(),
  apiUrl: safe.default('https://slack.com/api/'),
});

const pagerDuty = z.strictObject({
  ...common,
  kind: z.literal('pagerduty'),
  routingKey: secret,
  url: safe.default('https://events.pagerduty.com/v2/enqueue'),
});

const teams = z.strictObject({ ...common, kind: z.literal('teams'), url: safeSecret });

const email = z.strictObject({
  ...common,
  kind: z.literal('email'),
  host: text,
  port: integer(1, 65_535).default(587),
  security: z.enum(['starttls', 'tls', 'none']).default('starttls'),
  /** A PEM file of authorities in place of the system's. */
  ca: text.optional(),
  username: text.optional(),
  password: secret.optional(),
  from: z.email(),
  to: z.array(z.email()).min(1).max(50),
});

const webhook = z.strictObject({
  ...common,
  /** A machine reads faster than a person: without a rate nothing is held back. */
  rate: rate.optional(),
  kind: z.literal('webhook'),
  url,
  secrets: z.array(webhookSecret).min(1),
  allowInsecure: flag.default(false),
});

const channel = z.discriminatedUnion('kind', [slack, slackBot, pagerDuty, teams, email, webhook]);

export const alerts = z
  .strictObject({
    /** A finding last seen longer ago than this wakes nobody any more; it is in the store. */
    staleAfterMs: integer(60_000).default(86_400_000),
    /** An enforced decision that nobody has seen, or whose calls go on, after this long is an alert. */
    unseenAfterMs: integer(1000, 86_400_000).default(60_000),
    /** Short for a channel `{ name: slack, kind: slack }`. */
    slack: z.strictObject({ url: safeSecret, severityMin: z.enum(severities).default('medium') }).optional(),
    channels: z.array(channel).max(50).default([]),
  })
  .superRefine(({ slack: short, channels }, context) => {
    const names = new Set(short === undefined ? [] : ['slack']);
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path: ['channels', ...path], message });
    for (const [i, each] of channels.entries()) {
      if (names.has(each.name)) refuse([i, 'name'], 'is the name of another channel');
      names.add(each.name);
      if (each.kind !== 'email') continue;
      const isLocal = ['localhost', '127.0.0.1', '::1'].includes(each.host);
      if (each.security === 'none' && !isLocal) {
        refuse(
          [i, 'security'],
          'none is for this machine only: findings and the password would be readable on the way',
        );
      }
      if ((each.username === undefined) !== (each.password === undefined)) {
        refuse([i, 'password'], 'username and password come together');
      }
    }
  });

/** The short form becomes a channel like any other. */
export function oneListOfChannels({ slack: short, channels, ...rest }: z.output<typeof alerts>) {
  const listed = short === undefined ? [] : [slack.parse({ ...unparsed(short), name: 'slack', kind: 'slack' })];
  return { ...rest, channels: [...listed, ...channels] };
}

function unparsed({ url: address, severityMin }: NonNullable<z.output<typeof alerts>['slack']>) {
  return { url: address.reveal(), severityMin };
}

function unknownFields(value: string): readonly string[] {
  const known: readonly string[] = alertFields;
  return [...value.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).filter((name) => !known.includes(name));
}

function isSafe(address: string): boolean {
  try {
    checkTarget(address);
    return true;
  } catch {
    return false;
  }
}

function isZone(timeZone: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone });
    return true;
  } catch {
    return false;
  }
}
