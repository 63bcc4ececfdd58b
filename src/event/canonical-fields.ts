import type { TrafficEvent } from './traffic-event.ts';

export type FieldName = keyof TrafficEvent;

/**
 * `id`: text that names something; whole numbers are taken as text; too long is invalid (cutting would let two ids meet).
 * `text`: free text, often written by the caller: cut at the limit and masked, never a reason to refuse the event.
 */
type FieldKind =
  | 'time'
  | 'id'
  | 'text'
  | 'path'
  | 'host'
  | 'method'
  | 'address'
  | 'secret'
  | 'actor'
  | 'auth-result'
  | 'number'
  | 'seconds'
  | 'boolean'
  | 'list'
  | 'counts';

export type FieldSpec = {
  readonly kind: FieldKind;
  readonly about: string;
  /** For numbers, inclusive. */
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
  /** There are so many values that remembering them all costs more than reading them again. */
  readonly isUnique?: boolean;
};

/** Whole, and exact as a number: what is larger, the store would refuse as well. */
const count = { kind: 'number', min: 0, max: Number.MAX_SAFE_INTEGER, integer: true } as const;

/** The one table behind the decoders, the JSON Schema and the documentation. */
export const canonicalFields: Readonly<Record<FieldName, FieldSpec>> = {
  ts: { kind: 'time', about: 'When the call began: milliseconds since 1970 or RFC 3339. Required.' },
  event_id: {
    kind: 'id',
    isUnique: true,
    about: 'Unique per call; without it derived from the position in the source.',
  },
  tenant: { kind: 'id', about: 'The customer whose identities these are.' },
  source: { kind: 'text', about: 'Which gateway or log reported the call.' },
  trace_id: { kind: 'id', isUnique: true, about: 'Trace or request id, for finding the call elsewhere.' },
  sample_rate: { kind: 'number', min: 1e-9, max: 1, about: 'Share of the real calls that this one stands for.' },
  tz: { kind: 'text', about: "The caller's UTC offset, as +0200." },
  subject: {
    kind: 'id',
    isUnique: true,
    about: 'The user: `sub` of the token, or the name that the gateway authenticated.',
  },
  issuer: { kind: 'id', about: '`iss` of the token.' },
  client_id: { kind: 'id', about: 'The OAuth client or application.' },
  session_id: { kind: 'id', isUnique: true, about: '`sid` of the token, or the id of the session.' },
  token_id: { kind: 'id', isUnique: true, about: '`jti` of the token.' },
  api_key: { kind: 'secret', about: 'The API key; kept only as a prefix of its keyed HMAC-SHA-256.' },
  mtls_subject: { kind: 'id', about: "Subject of the client's certificate." },
  consumer: { kind: 'id', about: 'The consumer or account as the gateway names it.' },
  device_id: { kind: 'id', isUnique: true, about: 'The device.' },
  actor_kind: { kind: 'actor', about: '`human` or `service`.' },
  client_ip: { kind: 'address', isUnique: true, about: 'Address of the caller, as the gateway believes it.' },
  forwarded_for: { kind: 'text', about: 'X-Forwarded-For, as received.' },
  user_agent: { kind: 'text', about: 'User-Agent, as received.' },
  ja4: { kind: 'text', about: 'TLS client fingerprint.' },
  country: { kind: 'text', about: 'Country of the address, ISO 3166-1 alpha-2.' },
  city: { kind: 'text', about: 'City of the address.' },
  latitude: { kind: 'number', min: -90, max: 90, about: 'Degrees.' },
  longitude: { kind: 'number', min: -180, max: 180, about: 'Degrees.' },
  asn: { kind: 'number', min: 0, max: 4294967295, integer: true, about: 'Autonomous system number of the address.' },
  method: { kind: 'method', about: 'HTTP method; unknown ones become _OTHER.' },
  host: { kind: 'host', about: 'Host asked for, without port.' },
  path: {
    kind: 'path',
    about: 'Path with query; of the query only the names are kept, and the values of listed names.',
  },
  route: { kind: 'text', about: 'Template of the path, if the gateway knows it.' },
  request_bytes: { ...count, about: 'Size of the request.' },
  operation: { kind: 'text', about: 'Name of the operation, where that says more than method and path.' },
  status: { kind: 'number', min: 100, max: 999, integer: true, about: 'HTTP status.' },
  response_bytes: { ...count, about: 'Size of the response.' },
  duration_ms: {
    kind: 'number',
    min: 0,
    about: 'From the first byte of the request to the last of the response, milliseconds.',
  },
  upstream_ms: { kind: 'number', min: 0, about: 'The part of it spent upstream, milliseconds.' },
  error_code: { kind: 'id', about: "The gateway's or the API's own error code." },
  auth_method: { kind: 'text', about: 'How the caller authenticated.' },
  auth_result: { kind: 'auth-result', about: '`success` or `failure`.' },
  scopes: { kind: 'list', about: 'Scopes of the token.' },
  roles: { kind: 'list', about: 'Roles of the caller.' },
  acr: { kind: 'id', about: 'Authentication context class of the token.' },
  amr: { kind: 'list', about: 'Authentication methods of the token (RFC 8176).' },
  auth_time: { kind: 'seconds', about: 'When the user last authenticated, seconds since 1970.' },
  token_iat: { kind: 'seconds', about: 'When the token was issued, seconds since 1970.' },
  token_exp: { kind: 'seconds', about: 'When the token expires, seconds since 1970.' },
  tls_version: { kind: 'text', about: 'TLS version.' },
  tls_cipher: { kind: 'text', about: 'TLS cipher suite.' },
  client_cert_verified: { kind: 'boolean', about: "Whether the client's certificate was verified." },
  service: { kind: 'text', about: 'The service that was called.' },
  caller_service: { kind: 'text', about: 'The service that called on behalf of the identity.' },
  object_ids: {
    kind: 'list',
    isUnique: true,
    about: 'The objects that were touched; an account or machine that the call makes is one.',
  },
  sensitive: { kind: 'counts', about: 'Sensitive data in the response: class to count.' },
  rows: { ...count, about: 'Rows or items in the response.' },
  decision_id: { kind: 'id', about: 'The decision of ours that this response enforced.' },
  enforced: { kind: 'boolean', about: 'The response was ours: never scored, never learned from.' },
};

/** Longer lists and count tables are cut: a bound on what one event may hold. */
export const itemsMax = 64;

/** JSON Schema (2020-12) of the form that a source writes, published as docs/canonical-event.schema.json. */
export function canonicalJsonSchema(): Readonly<Record<string, unknown>> {
  const properties = Object.entries(canonicalFields).map(([name, spec]) => [
    name,
    { description: spec.about, ...schemaOf(spec) },
  ]);
  const credentials = {
    type: 'string',
    description: 'As received; read for its claims and its session, and not kept.',
  };
  const who = ['subject', 'mtls_subject', 'api_key', 'client_id', 'consumer', 'session_id', 'device_id', 'client_ip'];
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Gait canonical event, version 1',
    description: 'One API call. Unknown fields are ignored; null, "", "-" and "null" mean that a value is missing.',
    type: 'object',
    required: ['ts'],
    anyOf: [...who, 'authorization', 'cookie'].map((name) => ({ required: [name] })),
    properties: { ...Object.fromEntries(properties), authorization: credentials, cookie: credentials },
    additionalProperties: true,
  };
}

function schemaOf(spec: FieldSpec): Readonly<Record<string, unknown>> {
  switch (spec.kind) {
    case 'time':
      return { type: ['integer', 'number', 'string'] };
    case 'seconds':
      return { type: ['integer', 'number', 'string', 'null'] };
    case 'number': {
      const bounds = { minimum: spec.min, ...(spec.max === undefined ? {} : { maximum: spec.max }) };
      return { type: [spec.integer ? 'integer' : 'number', 'string', 'null'], ...bounds };
    }
    case 'boolean':
      return { type: ['boolean', 'string', 'null'] };
    case 'list':
      return { type: ['array', 'string', 'null'], items: { type: 'string' }, maxItems: itemsMax };
    case 'counts':
      return {
        type: ['object', 'null'],
        additionalProperties: { type: 'number', minimum: 0 },
        maxProperties: itemsMax,
      };
    case 'actor':
      return { enum: ['human', 'service', null] };
    case 'auth-result':
      return { enum: ['success', 'failure', null] };
    case 'id':
    case 'secret':
      return { type: ['string', 'integer', 'null'] };
    default:
      return { type: ['string', 'null'] };
  }
}
