import type { ActorKind } from '../core/words.ts';

/**
 * Event: one API call as a gateway saw it, in canonical form (version 1), snake_case as on the wire.
 * Comes out of a decoder, redacted: no token, cookie, API key or unlisted query value is ever in here.
 * Every field is present on every object (null when the source does not say), so that all events share one shape:
 * the engine reads them a few hundred thousand times a second.
 */
export type { ActorKind } from '../core/words.ts';
export type AuthResult = 'success' | 'failure';

export type TrafficEvent = {
  // what
  /** Milliseconds since 1970. */
  ts: number;
  event_id: string | null;
  tenant: string | null;
  source: string | null;
  trace_id: string | null;
  /** Share of the real calls that this event stands for, in (0, 1]; 1 when every call is reported. */
  sample_rate: number;
  /** UTC offset of the caller, as `+0200`. */
  tz: string | null;
  // who
  subject: string | null;
  issuer: string | null;
  client_id: string | null;
  session_id: string | null;
  /** `jti` of the token. */
  token_id: string | null;
  /** Keyed HMAC prefix, never the key. */
  api_key: string | null;
  mtls_subject: string | null;
  consumer: string | null;
  device_id: string | null;
  actor_kind: ActorKind | null;
  // from where
  client_ip: string | null;
  forwarded_for: string | null;
  user_agent: string | null;
  ja4: string | null;
  country: string | null;
  city: string | null;
  latitude: number | null;
  longitude: number | null;
  asn: number | null;
  // request
  method: string | null;
  host: string | null;
  /** With the query's names; values only of listed names. */
  path: string | null;
  route: string | null;
  request_bytes: number | null;
  operation: string | null;
  // response
  status: number | null;
  response_bytes: number | null;
  duration_ms: number | null;
  upstream_ms: number | null;
  error_code: string | null;
  // authentication
  auth_method: string | null;
  auth_result: AuthResult | null;
  scopes: readonly string[] | null;
  roles: readonly string[] | null;
  acr: string | null;
  amr: readonly string[] | null;
  /** Seconds since 1970, as in the token. */
  auth_time: number | null;
  token_iat: number | null;
  token_exp: number | null;
  // transport
  tls_version: string | null;
  tls_cipher: string | null;
  client_cert_verified: boolean | null;
  // between services
  service: string | null;
  caller_service: string | null;
  // data
  object_ids: readonly string[] | null;
  sensitive: Readonly<Record<string, number>> | null;
  rows: number | null;
  // enforcement
  decision_id: string | null;
  /** This response was ours: never score it, never learn from it. */
  enforced: boolean;
};

/** An event from a row: the values of its fields, in order. The literal fixes the one shape that all events share. */
export function eventOf(row: readonly unknown[]): TrafficEvent {
  return {
    ts: row[0] as number,
    event_id: row[1] as string | null,
    tenant: row[2] as string | null,
    source: row[3] as string | null,
    trace_id: row[4] as string | null,
    sample_rate: row[5] as number,
    tz: row[6] as string | null,
    subject: row[7] as string | null,
    issuer: row[8] as string | null,
    client_id: row[9] as string | null,
    session_id: row[10] as string | null,
    token_id: row[11] as string | null,
    api_key: row[12] as string | null,
    mtls_subject: row[13] as string | null,
    consumer: row[14] as string | null,
    device_id: row[15] as string | null,
    actor_kind: row[16] as TrafficEvent['actor_kind'],
    client_ip: row[17] as string | null,
    forwarded_for: row[18] as string | null,
    user_agent: row[19] as string | null,
    ja4: row[20] as string | null,
    country: row[21] as string | null,
    city: row[22] as string | null,
    latitude: row[23] as number | null,
    longitude: row[24] as number | null,
    asn: row[25] as number | null,
    method: row[26] as string | null,
    host: row[27] as string | null,
    path: row[28] as string | null,
    route: row[29] as string | null,
    request_bytes: row[30] as number | null,
    operation: row[31] as string | null,
    status: row[32] as number | null,
    response_bytes: row[33] as number | null,
    duration_ms: row[34] as number | null,
    upstream_ms: row[35] as number | null,
    error_code: row[36] as string | null,
    auth_method: row[37] as string | null,
    auth_result: row[38] as TrafficEvent['auth_result'],
    scopes: row[39] as TrafficEvent['scopes'],
    roles: row[40] as TrafficEvent['roles'],
    acr: row[41] as string | null,
    amr: row[42] as TrafficEvent['amr'],
    auth_time: row[43] as number | null,
    token_iat: row[44] as number | null,
    token_exp: row[45] as number | null,
    tls_version: row[46] as string | null,
    tls_cipher: row[47] as string | null,
    client_cert_verified: row[48] as TrafficEvent['client_cert_verified'],
    service: row[49] as string | null,
    caller_service: row[50] as string | null,
    object_ids: row[51] as TrafficEvent['object_ids'],
    sensitive: row[52] as TrafficEvent['sensitive'],
    rows: row[53] as number | null,
    decision_id: row[54] as string | null,
    enforced: row[55] as boolean,
  };
}

/** The names of the fields in the order of a row, which is that of `canonicalFields`. */
export const rowNames = Object.keys(eventOf([])) as readonly (keyof TrafficEvent)[];

/** The values before a source says anything. */
export const emptyRow: readonly unknown[] = rowNames.map((name) =>
  name === 'ts' ? 0 : name === 'sample_rate' ? 1 : name === 'enforced' ? false : null,
);

/** An event with all fields null, to be filled by a decoder. */
export function emptyEvent(): TrafficEvent {
  return eventOf(emptyRow);
}

/** Why a record is not an event. Closed: it is the metric label, the column and the documentation. */
export const deadLetterReasons = [
  'record-too-large',
  'invalid-utf8',
  'invalid-json',
  'too-deep',
  'not-an-object',
  'unknown-format',
  'missing-timestamp',
  'timestamp-out-of-range',
  'missing-identity',
  'invalid-field',
] as const;
export type DeadLetterReason = (typeof deadLetterReasons)[number];
