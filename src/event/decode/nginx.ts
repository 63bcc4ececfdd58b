import { assign, assignIfEmpty, type Draft } from '../draft.ts';
import { isMissing, toNumber } from './coerce.ts';
import { assignCredentials } from './credentials.ts';
import { assignAll, assignTime, type FieldSource, type Format, type JsonObject } from './format.ts';

/** nginx's variables under their own names, and under the shorter ones of our log_format. */
const sources: readonly FieldSource[] = [
  // A name for this one of several gateways, written into its log format.
  ['source', 'source'],
  ['source', 'source'],
  ['trace_id', 'request_id'],
  ['event_id', 'event_id', 'request_id'],
  ['client_ip', 'remote_addr', 'realip_remote_addr'],
  ['forwarded_for', 'xff', 'http_x_forwarded_for'],
  ['method', 'method', 'request_method'],
  ['host', 'host', 'http_host', 'server_name'],
  ['path', 'uri', 'request_uri'],
  ['route', 'route'],
  ['request_bytes', 'request_length'],
  ['response_bytes', 'bytes_sent', 'body_bytes_sent'],
  ['user_agent', 'http_user_agent'],
  ['subject', 'jwt_sub', 'jwt_claim_sub', 'remote_user'],
  ['client_id', 'client_id', 'jwt_client_id', 'jwt_claim_azp', 'jwt_claim_client_id'],
  ['session_id', 'jwt_sid', 'jwt_claim_sid'],
  ['token_id', 'jwt_jti', 'jwt_claim_jti'],
  ['issuer', 'jwt_iss', 'jwt_claim_iss'],
  ['api_key', 'api_key', 'http_x_api_key'],
  ['tenant', 'tenant'],
  ['mtls_subject', 'ssl_client_s_dn'],
  ['tls_version', 'ssl_protocol'],
  ['tls_cipher', 'ssl_cipher'],
  ['service', 'proxy_host', 'upstream_name'],
  ['decision_id', 'decision_id'],
];

export const nginx: Format = {
  name: 'nginx',
  detect: (record) =>
    record.remote_addr !== undefined &&
    (record.uri ?? record.request_uri ?? record.request ?? record.status) !== undefined,
  decode(record: JsonObject, draft: Draft): void {
    assignTime(draft, record.ts, record.msec, record.time_iso8601, record.time_local, record.time);
    assignAll(draft, record, sources);
    assignIfEmpty(draft, 'source', 'nginx');
    if (typeof record.request === 'string') assignRequestLine(draft, record.request);
    // 000: the client went away before there was a status.
    if (toNumber(record.status) !== 0) assign(draft, 'status', record.status);
    draft.event.duration_ms = toMs(record.request_time);
    draft.event.upstream_ms = toMs(record.upstream_response_time);
    if (typeof record.ssl_client_verify === 'string')
      assign(draft, 'client_cert_verified', record.ssl_client_verify === 'SUCCESS');
    assignCredentials(draft, { authorization: record.http_authorization, cookie: record.http_cookie });
    // Gait's answer to nginx named the key by its digest already.
    if (typeof record.gait_key === 'string' && digest.test(record.gait_key)) draft.event.api_key = record.gait_key;
    draft.event.enforced = draft.event.decision_id !== null && isRefusal(record);
  },
};

const digest = /^[0-9a-f]{24}$/;

/**
 * A header of a response may have come from the API, which may have copied it from the call. So a call is only ours when nginx answered it
 * itself, and did not let it through.
 */
function isRefusal({ status, upstream_status: upstream, upstream_response_time: time }: JsonObject): boolean {
  return isMissing(upstream ?? time) && !((toNumber(status) ?? 0) < 300);
}

/** `GET /path HTTP/1.1`. */
function assignRequestLine(draft: Draft, line: string): void {
  const [method, path] = line.split(' ', 2);
  if (path === undefined) return;
  assignIfEmpty(draft, 'method', method);
  assignIfEmpty(draft, 'path', path);
}

/** Seconds to milliseconds. Several upstreams in turn are separated by comma or colon: the time is their sum. */
function toMs(value: unknown): number | null {
  const parts = typeof value === 'string' ? value.split(/[,:]/, 16) : [value];
  let seconds: number | null = null;
  for (const part of parts) {
    const number = toNumber(part);
    if (number !== undefined && number >= 0) seconds = (seconds ?? 0) + number;
  }
  return seconds === null ? null : Math.round(seconds * 1000);
}
