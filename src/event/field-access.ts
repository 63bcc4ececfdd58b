import type { TrafficEvent } from './traffic-event.ts';

type FieldAccess = {
  readonly get: (event: TrafficEvent) => unknown;
  readonly set: (event: TrafficEvent, value: never) => void;
};

/**
 * One reading and one assignment per field. By a name that is only known at run time either costs several times as much, and there are
 * fifty in an event. A value that is set is of the field's type: whoever calls has checked it.
 */
const access: { readonly [name in keyof TrafficEvent]: FieldAccess } = {
  ts: {
    get: (event) => event.ts,
    set: (event, value) => {
      event.ts = value;
    },
  },
  event_id: {
    get: (event) => event.event_id,
    set: (event, value) => {
      event.event_id = value;
    },
  },
  tenant: {
    get: (event) => event.tenant,
    set: (event, value) => {
      event.tenant = value;
    },
  },
  source: {
    get: (event) => event.source,
    set: (event, value) => {
      event.source = value;
    },
  },
  trace_id: {
    get: (event) => event.trace_id,
    set: (event, value) => {
      event.trace_id = value;
    },
  },
  sample_rate: {
    get: (event) => event.sample_rate,
    set: (event, value) => {
      event.sample_rate = value;
    },
  },
  tz: {
    get: (event) => event.tz,
    set: (event, value) => {
      event.tz = value;
    },
  },
  subject: {
    get: (event) => event.subject,
    set: (event, value) => {
      event.subject = value;
    },
  },
  issuer: {
    get: (event) => event.issuer,
    set: (event, value) => {
      event.issuer = value;
    },
  },
  client_id: {
    get: (event) => event.client_id,
    set: (event, value) => {
      event.client_id = value;
    },
  },
  session_id: {
    get: (event) => event.session_id,
    set: (event, value) => {
      event.session_id = value;
    },
  },
  token_id: {
    get: (event) => event.token_id,
    set: (event, value) => {
      event.token_id = value;
    },
  },
  api_key: {
    get: (event) => event.api_key,
    set: (event, value) => {
      event.api_key = value;
    },
  },
  mtls_subject: {
    get: (event) => event.mtls_subject,
    set: (event, value) => {
      event.mtls_subject = value;
    },
  },
  consumer: {
    get: (event) => event.consumer,
    set: (event, value) => {
      event.consumer = value;
    },
  },
  device_id: {
    get: (event) => event.device_id,
    set: (event, value) => {
      event.device_id = value;
    },
  },
  actor_kind: {
    get: (event) => event.actor_kind,
    set: (event, value) => {
      event.actor_kind = value;
    },
  },
  client_ip: {
    get: (event) => event.client_ip,
    set: (event, value) => {
      event.client_ip = value;
    },
  },
  forwarded_for: {
    get: (event) => event.forwarded_for,
    set: (event, value) => {
      event.forwarded_for = value;
    },
  },
  user_agent: {
    get: (event) => event.user_agent,
    set: (event, value) => {
      event.user_agent = value;
    },
  },
  ja4: {
    get: (event) => event.ja4,
    set: (event, value) => {
      event.ja4 = value;
    },
  },
  country: {
    get: (event) => event.country,
    set: (event, value) => {
      event.country = value;
    },
  },
  city: {
    get: (event) => event.city,
    set: (event, value) => {
      event.city = value;
    },
  },
  latitude: {
    get: (event) => event.latitude,
    set: (event, value) => {
      event.latitude = value;
    },
  },
  longitude: {
    get: (event) => event.longitude,
    set: (event, value) => {
      event.longitude = value;
    },
  },
  asn: {
    get: (event) => event.asn,
    set: (event, value) => {
      event.asn = value;
    },
  },
  method: {
    get: (event) => event.method,
    set: (event, value) => {
      event.method = value;
    },
  },
  host: {
    get: (event) => event.host,
    set: (event, value) => {
      event.host = value;
    },
  },
  path: {
    get: (event) => event.path,
    set: (event, value) => {
      event.path = value;
    },
  },
  route: {
    get: (event) => event.route,
    set: (event, value) => {
      event.route = value;
    },
  },
  request_bytes: {
    get: (event) => event.request_bytes,
    set: (event, value) => {
      event.request_bytes = value;
    },
  },
  operation: {
    get: (event) => event.operation,
    set: (event, value) => {
      event.operation = value;
    },
  },
  status: {
    get: (event) => event.status,
    set: (event, value) => {
      event.status = value;
    },
  },
  response_bytes: {
    get: (event) => event.response_bytes,
    set: (event, value) => {
      event.response_bytes = value;
    },
  },
  duration_ms: {
    get: (event) => event.duration_ms,
    set: (event, value) => {
      event.duration_ms = value;
    },
  },
  upstream_ms: {
    get: (event) => event.upstream_ms,
    set: (event, value) => {
      event.upstream_ms = value;
    },
  },
  error_code: {
    get: (event) => event.error_code,
    set: (event, value) => {
      event.error_code = value;
    },
  },
  auth_method: {
    get: (event) => event.auth_method,
    set: (event, value) => {
      event.auth_method = value;
    },
  },
  auth_result: {
    get: (event) => event.auth_result,
    set: (event, value) => {
      event.auth_result = value;
    },
  },
  scopes: {
    get: (event) => event.scopes,
    set: (event, value) => {
      event.scopes = value;
    },
  },
  roles: {
    get: (event) => event.roles,
    set: (event, value) => {
      event.roles = value;
    },
  },
  acr: {
    get: (event) => event.acr,
    set: (event, value) => {
      event.acr = value;
    },
  },
  amr: {
    get: (event) => event.amr,
    set: (event, value) => {
      event.amr = value;
    },
  },
  auth_time: {
    get: (event) => event.auth_time,
    set: (event, value) => {
      event.auth_time = value;
    },
  },
  token_iat: {
    get: (event) => event.token_iat,
    set: (event, value) => {
      event.token_iat = value;
    },
  },
  token_exp: {
    get: (event) => event.token_exp,
    set: (event, value) => {
      event.token_exp = value;
    },
  },
  tls_version: {
    get: (event) => event.tls_version,
    set: (event, value) => {
      event.tls_version = value;
    },
  },
  tls_cipher: {
    get: (event) => event.tls_cipher,
    set: (event, value) => {
      event.tls_cipher = value;
    },
  },
  client_cert_verified: {
    get: (event) => event.client_cert_verified,
    set: (event, value) => {
      event.client_cert_verified = value;
    },
  },
  service: {
    get: (event) => event.service,
    set: (event, value) => {
      event.service = value;
    },
  },
  caller_service: {
    get: (event) => event.caller_service,
    set: (event, value) => {
      event.caller_service = value;
    },
  },
  object_ids: {
    get: (event) => event.object_ids,
    set: (event, value) => {
      event.object_ids = value;
    },
  },
  sensitive: {
    get: (event) => event.sensitive,
    set: (event, value) => {
      event.sensitive = value;
    },
  },
  rows: {
    get: (event) => event.rows,
    set: (event, value) => {
      event.rows = value;
    },
  },
  decision_id: {
    get: (event) => event.decision_id,
    set: (event, value) => {
      event.decision_id = value;
    },
  },
  enforced: {
    get: (event) => event.enforced,
    set: (event, value) => {
      event.enforced = value;
    },
  },
};

/** Sets a field to a value that has been checked to be of its type. */
export function setterOf(name: keyof TrafficEvent): (event: TrafficEvent, value: unknown) => void {
  return access[name].set as (event: TrafficEvent, value: unknown) => void;
}

export function getterOf(name: keyof TrafficEvent): (event: TrafficEvent) => unknown {
  return access[name].get;
}
