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

/** An event with all fields null, to be filled by a decoder. The literal fixes the one shape that all events share. */
export function emptyEvent(): TrafficEvent {
  return {
    ts: 0,
    event_id: null,
    tenant: null,
    source: null,
    trace_id: null,
    sample_rate: 1,
    tz: null,
    subject: null,
    issuer: null,
    client_id: null,
    session_id: null,
    token_id: null,
    api_key: null,
    mtls_subject: null,
    consumer: null,
    device_id: null,
    actor_kind: null,
    client_ip: null,
    forwarded_for: null,
    user_agent: null,
    ja4: null,
    country: null,
    city: null,
    latitude: null,
    longitude: null,
    asn: null,
    method: null,
    host: null,
    path: null,
    route: null,
    request_bytes: null,
    operation: null,
    status: null,
    response_bytes: null,
    duration_ms: null,
    upstream_ms: null,
    error_code: null,
    auth_method: null,
    auth_result: null,
    scopes: null,
    roles: null,
    acr: null,
    amr: null,
    auth_time: null,
    token_iat: null,
    token_exp: null,
    tls_version: null,
    tls_cipher: null,
    client_cert_verified: null,
    service: null,
    caller_service: null,
    object_ids: null,
    sensitive: null,
    rows: null,
    decision_id: null,
    enforced: false,
  };
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
