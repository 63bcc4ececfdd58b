import type { TrafficEvent } from './traffic-event.ts';

type Setter = (event: TrafficEvent, value: never) => void;

/**
 * One assignment per field. An assignment by a name that is only known at run time costs ten times as much, and there are fifteen of
 * them in an event. The values are of the field's type: whoever calls has checked them.
 */
const setters = {
  ts: (event, value) => {
    event.ts = value;
  },
  event_id: (event, value) => {
    event.event_id = value;
  },
  tenant: (event, value) => {
    event.tenant = value;
  },
  source: (event, value) => {
    event.source = value;
  },
  trace_id: (event, value) => {
    event.trace_id = value;
  },
  sample_rate: (event, value) => {
    event.sample_rate = value;
  },
  tz: (event, value) => {
    event.tz = value;
  },
  subject: (event, value) => {
    event.subject = value;
  },
  issuer: (event, value) => {
    event.issuer = value;
  },
  client_id: (event, value) => {
    event.client_id = value;
  },
  session_id: (event, value) => {
    event.session_id = value;
  },
  token_id: (event, value) => {
    event.token_id = value;
  },
  api_key: (event, value) => {
    event.api_key = value;
  },
  mtls_subject: (event, value) => {
    event.mtls_subject = value;
  },
  consumer: (event, value) => {
    event.consumer = value;
  },
  device_id: (event, value) => {
    event.device_id = value;
  },
  actor_kind: (event, value) => {
    event.actor_kind = value;
  },
  client_ip: (event, value) => {
    event.client_ip = value;
  },
  forwarded_for: (event, value) => {
    event.forwarded_for = value;
  },
  user_agent: (event, value) => {
    event.user_agent = value;
  },
  ja4: (event, value) => {
    event.ja4 = value;
  },
  country: (event, value) => {
    event.country = value;
  },
  city: (event, value) => {
    event.city = value;
  },
  latitude: (event, value) => {
    event.latitude = value;
  },
  longitude: (event, value) => {
    event.longitude = value;
  },
  asn: (event, value) => {
    event.asn = value;
  },
  method: (event, value) => {
    event.method = value;
  },
  host: (event, value) => {
    event.host = value;
  },
  path: (event, value) => {
    event.path = value;
  },
  route: (event, value) => {
    event.route = value;
  },
  request_bytes: (event, value) => {
    event.request_bytes = value;
  },
  operation: (event, value) => {
    event.operation = value;
  },
  status: (event, value) => {
    event.status = value;
  },
  response_bytes: (event, value) => {
    event.response_bytes = value;
  },
  duration_ms: (event, value) => {
    event.duration_ms = value;
  },
  upstream_ms: (event, value) => {
    event.upstream_ms = value;
  },
  error_code: (event, value) => {
    event.error_code = value;
  },
  auth_method: (event, value) => {
    event.auth_method = value;
  },
  auth_result: (event, value) => {
    event.auth_result = value;
  },
  scopes: (event, value) => {
    event.scopes = value;
  },
  roles: (event, value) => {
    event.roles = value;
  },
  acr: (event, value) => {
    event.acr = value;
  },
  amr: (event, value) => {
    event.amr = value;
  },
  auth_time: (event, value) => {
    event.auth_time = value;
  },
  token_iat: (event, value) => {
    event.token_iat = value;
  },
  token_exp: (event, value) => {
    event.token_exp = value;
  },
  tls_version: (event, value) => {
    event.tls_version = value;
  },
  tls_cipher: (event, value) => {
    event.tls_cipher = value;
  },
  client_cert_verified: (event, value) => {
    event.client_cert_verified = value;
  },
  service: (event, value) => {
    event.service = value;
  },
  caller_service: (event, value) => {
    event.caller_service = value;
  },
  object_ids: (event, value) => {
    event.object_ids = value;
  },
  sensitive: (event, value) => {
    event.sensitive = value;
  },
  rows: (event, value) => {
    event.rows = value;
  },
  decision_id: (event, value) => {
    event.decision_id = value;
  },
  enforced: (event, value) => {
    event.enforced = value;
  },
} satisfies { readonly [name in keyof TrafficEvent]: Setter };

/** Sets a field to a value that has been checked to be of its type. */
export function setterOf(name: keyof TrafficEvent): (event: TrafficEvent, value: unknown) => void {
  return setters[name] as (event: TrafficEvent, value: unknown) => void;
}
