import { identityKey } from '../identity/identity-key.ts';
import type { Incident } from './traffic.ts';

/** The first minutes of the recording hold no attack, and too little to learn from: techniques are counted after them. */
const warmUpMs = 600_000;
/** What the tool calls before it begins, of every technique: no attack by itself. */
const preflight = 'DescribeAccountAttributes';

type Row = {
  readonly id: string;
  readonly ts: number;
  readonly identity: string;
  readonly name: string;
  readonly run: string;
};

/**
 * One incident per run of an attack technique (the tool puts an id of the run into its user agent), and one per identity that a technique created and
 * used. The right identity is the one that made most of the calls.
 */
export function techniques(labelsCsv: string): Incident[] {
  const [, ...lines] = labelsCsv.trim().split('\n');
  const start = Date.parse(lines[0]!.split(',')[1]!);
  const runs = new Map<string, Row[]>();
  for (const line of lines) {
    const [id, time, identity, name, , label, , run] = line.trim().split(',');
    if (label !== 'attack' || Date.parse(time!) < start + warmUpMs) continue;
    const row = { id: id!, ts: Date.parse(time!), identity: identity!, name: name!, run: run || identity! };
    runs.set(row.run, [...(runs.get(row.run) ?? []), row]);
  }
  return [...runs.values()].flatMap((rows) => (rows.every(({ name }) => name === preflight) ? [] : incidentOf(rows)));
}

function incidentOf(rows: readonly Row[]): Incident {
  const right = mostFrequent(rows.map(({ identity }) => identity));
  const name = mostFrequent(rows.filter((row) => row.identity === right).map((row) => row.name));
  return {
    incident: `${name} (${rows[0]!.run.split('/').at(-1)!.slice(0, 8)})`,
    recipe: 'technique',
    family: 'cloud technique',
    kind: 'attack',
    pace: 'fast',
    identities: [identityKey('user', null, right)],
    first_ts: rows[0]!.ts,
    last_ts: rows.at(-1)!.ts,
    ids: rows.map(({ id }) => id),
    expected: [],
  };
}

function mostFrequent(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].reduce((most, each) => (each[1] > most[1] ? each : most))[0];
}

/** Calls that each newcomer makes. */
export const newcomerCalls = 25;
const newcomers = ['refused', 'enumerates', 'privileged', 'ordinary'] as const;
export type Newcomer = (typeof newcomers)[number];

/** Actions that nobody in the recording makes. */
const privileged = [
  ...['organizations:CreateAccount', 'kms:ScheduleKeyDeletion', 'iam:CreateSAMLProvider', 'iam:DeactivateMFADevice'],
  ...[
    'guardduty:DeleteDetector',
    'config:StopConfigurationRecorder',
    'iam:PutRolePermissionsBoundary',
    's3:PutBucketAcl',
  ],
];

/**
 * CloudTrail records of four users who appear towards the end of a recording: one whose every call is refused, one who reads secret after secret, one who makes
 * privileged calls that nobody of its kind ever made, and for comparison one who makes the calls that the recording's people make most.
 */
export function newcomerRecords(recording: readonly Readonly<Record<string, unknown>>[]): Record<string, unknown>[] {
  const users = recording.filter((record) => (record.userIdentity as { type?: string }).type === 'IAMUser');
  const template = users[0]!;
  const end = Date.parse(recording.at(-1)!.eventTime as string);
  const actionOf = (record: Readonly<Record<string, unknown>>): string =>
    `${(record.eventSource as string).split('.')[0]}:${record.eventName as string}`;
  const reads = users.filter((record) => record.readOnly === true).map(actionOf);
  const usual = [...new Set(reads)]
    .sort((a, b) => reads.filter((x) => x === b).length - reads.filter((x) => x === a).length)
    .slice(0, newcomerCalls);
  return newcomers.flatMap((newcomer, n) =>
    Array.from({ length: newcomerCalls }, (_, i) => {
      const from =
        newcomer === 'privileged' ? privileged : newcomer === 'enumerates' ? ['secretsmanager:GetSecretValue'] : usual;
      const [service, eventName] = from[i % from.length]!.split(':');
      return {
        ...template,
        eventID: `newcomer-${newcomer}-${i}`,
        eventTime: new Date(end - 900_000 + n * 120_000 + i * 2000).toISOString(),
        eventSource: `${service}.amazonaws.com`,
        eventName,
        readOnly: newcomer !== 'privileged',
        errorCode: newcomer === 'refused' ? 'AccessDenied' : undefined,
        requestParameters: newcomer === 'enumerates' ? { secretId: `secret-${i}` } : null,
        responseElements: null,
        resources: undefined,
        userIdentity: { ...(template.userIdentity as object), ...nameOf(newcomer) },
      };
    }),
  );
}

function nameOf(newcomer: Newcomer) {
  const arn = `arn:aws:iam::123837392027:user/newcomer-${newcomer}`;
  return { arn, userName: `newcomer-${newcomer}`, principalId: `newcomer-${newcomer}`, accessKeyId: `key-${newcomer}` };
}

export function newcomerIncidents(records: readonly Readonly<Record<string, unknown>>[]): Incident[] {
  return newcomers.map((newcomer) => {
    const own = records.filter((record) => (record.eventID as string).startsWith(`newcomer-${newcomer}-`));
    const times = own.map((record) => Date.parse(record.eventTime as string));
    return {
      incident: newcomer,
      recipe: newcomer,
      family: 'newcomer',
      kind: newcomer === 'ordinary' ? 'look-alike' : 'attack',
      pace: 'fast',
      identities: [identityKey('user', null, nameOf(newcomer).arn)],
      first_ts: Math.min(...times),
      last_ts: Math.max(...times),
      ids: own.map((record) => record.eventID as string),
      expected: [],
    };
  });
}
