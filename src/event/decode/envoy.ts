import { assign, assignIfEmpty, type Draft } from '../draft.ts';
import { toNumber } from './coerce.ts';
import { assignCredentials } from './credentials.ts';
import { assignAll, assignTime, type FieldSource, type Format, type JsonObject } from './format.ts';

/** Our typed_json_format, and the names of Istio's default. */
const sources: readonly FieldSource[] = [
  // A name for this one of several gateways, written into its log format.
  ['source', 'source'],
  ['source', 'source'],
  ['event_id', 'request_id'],
  ['trace_id', 'trace_id', 'request_id'],
  ['method', 'method'],
  ['host', 'authority'],
  ['path', 'path'],
  ['request_bytes', 'bytes_received'],
  ['response_bytes', 'bytes_sent'],
  ['duration_ms', 'duration'],
  ['upstream_ms', 'upstream_service_time'],
  ['client_ip', 'downstream_remote_address', 'downstream_direct_remote_address'],
  ['forwarded_for', 'x_forwarded_for'],
  ['user_agent', 'user_agent'],
  ['subject', 'jwt_sub', 'subject'],
  ['issuer', 'jwt_iss'],
  ['token_id', 'jwt_jti'],
  ['session_id', 'jwt_sid'],
  ['client_id', 'client_id', 'jwt_azp'],
  ['api_key', 'api_key', 'x_api_key'],
  ['tenant', 'tenant'],
  ['ja4', 'tls_ja4_fingerprint', 'ja4'],
  ['mtls_subject', 'tls_peer_subject', 'downstream_peer_subject'],
  ['tls_version', 'tls_version', 'downstream_tls_version'],
  ['tls_cipher', 'tls_cipher', 'downstream_tls_cipher'],
  ['service', 'upstream_cluster', 'route_name'],
  ['decision_id', 'decision_id'],
  ['acr', 'jwt_acr'],
  ['auth_time', 'jwt_auth_time'],
];

export const envoy: Format = {
  name: 'envoy',
  detect: (record) =>
    (record.response_code !== undefined && record.start_time !== undefined) ||
    (record.response_flags !== undefined && record.response_code_details !== undefined),
  decode(record: JsonObject, draft: Draft): void {
    assignTime(draft, record.start_time);
    assignAll(draft, record, sources);
    assignIfEmpty(draft, 'source', 'envoy');
    // A route's name is a routing rule's (`default`, `orders`), often of a whole API: only where it was made a template is it one.
    if (typeof record.route_name === 'string' && record.route_name.includes('/'))
      assign(draft, 'route', record.route_name);
    // 0: the client went away before there was a response; the flags (DC) say so.
    if (toNumber(record.response_code) !== 0) assign(draft, 'status', record.response_code);
    assign(draft, 'error_code', record.response_flags);
    assignCredentials(draft, record);
    if (isUnproven(record)) assign(draft, 'auth_result', 'failure');
    draft.event.enforced = isOurs(record, draft);
  },
};

/**
 * Envoy's jwt_authn refuses a token for another audience with 403, and before it has looked at the signature: whoever it names did not call.
 * (source/extensions/filters/http/jwt_authn/filter.cc: `jwt_authn_access_denied{...}`.)
 */
function isUnproven({ response_code_details: details }: JsonObject): boolean {
  return typeof details === 'string' && details.startsWith('jwt_authn_access_denied');
}

/** Refused by the authorization service, that is, by a decision of ours. */
function isOurs(record: JsonObject, draft: Draft): boolean {
  const { response_flags: flags, response_code_details: details } = record;
  return (
    draft.event.decision_id !== null ||
    (typeof flags === 'string' && flags.split(',').includes('UAEX')) ||
    (typeof details === 'string' && details.startsWith('ext_authz_denied'))
  );
}
