import protobuf from 'protobufjs';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/logging.ts';
import { createGate, localCaller } from './access.ts';
import { type GrpcServer, serveUnary, type UnaryMethod } from './grpc-transport.ts';
import type { EnforcementAnswer, HttpParts } from './parts.ts';
import { HttpError } from './route.ts';

export type GrpcOptions = {
  readonly listen: { readonly host: string; readonly port: number };
  readonly http: Config['http'];
  /** The file that describes the messages. */
  readonly protoPath: string;
  readonly ask: HttpParts['ask'];
  readonly logger: Logger;
};

type HeaderValue = { readonly key: string; readonly value: string; readonly raw_value: Buffer };
type Value = { readonly kind?: string } & Readonly<Record<string, unknown>>;
type Struct = { readonly fields?: Readonly<Record<string, Value>> };

type CheckRequest = {
  readonly attributes?: {
    readonly source?: { readonly address?: { readonly socket_address?: { readonly address: string } } };
    readonly request?: {
      readonly http?: {
        readonly path: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly header_map?: { readonly headers: readonly HeaderValue[] };
      };
    };
    readonly metadata_context?: { readonly filter_metadata: Readonly<Record<string, Struct>> };
  };
};

const service = 'envoy.service.auth.v3.Authorization';

/** Answers Envoy, and whoever looks whether it would be answered. */
export function startGrpc({ listen, http, protoPath, ask, logger }: GrpcOptions): Promise<GrpcServer> {
  const messages = new protobuf.Root().loadSync(protoPath, { keepCase: true });
  const methods = new Map([
    [`/${service}/Check`, checkMethod(messages, { http, ask })],
    ['/grpc.health.v1.Health/Check', healthMethod(messages)],
  ]);
  return serveUnary({ listen, methods, logger });
}

/** The same question as /authz, with what Envoy knows beside the headers. */
function checkMethod(messages: protobuf.Root, { http, ask }: Pick<GrpcOptions, 'http' | 'ask'>): UnaryMethod {
  const request = messages.lookupType('CheckRequest');
  const response = messages.lookupType('CheckResponse');
  const gate = createGate(http);
  const route = { method: 'POST', access: ['enforce'], isEnforcement: true } as const;
  const encode = (answer: EnforcementAnswer): Uint8Array => response.encode(responseOf(answer)).finish();
  return (headers) => {
    // Without keys it listens on loopback only, and no page of a browser can speak gRPC to it.
    const point = http.keys.length === 0 ? localCaller : gate(route, headers);
    return (message) => {
      const answer = ask(questionOf(decode(request, message), point));
      return answer instanceof Promise ? answer.then(encode) : encode(answer);
    };
  };
}

/** `grpc.health.v1.Health/Check`, which needs no key: what listens serves. */
function healthMethod(messages: protobuf.Root): UnaryMethod {
  const request = messages.lookupType('HealthCheckRequest');
  const serving = messages.lookupType('HealthCheckResponse').encode({ status: 1 }).finish();
  return () => (message) => {
    const { service: name = '' } = decode<{ readonly service?: string }>(request, message);
    if (name === '' || name === service) return serving;
    throw new HttpError(404, 'unknown-service', { message: 'there is no such service here' });
  };
}

/** Fields that are not set read as their defaults: texts are empty, messages null. */
function decode<T = CheckRequest>(type: protobuf.Type, message: Buffer): T {
  try {
    return type.decode(message) as T;
  } catch {
    throw new HttpError(400, 'invalid-message', { message: 'the message cannot be read' });
  }
}

function questionOf({ attributes }: CheckRequest, point: string): Parameters<HttpParts['ask']>[0] {
  const http = attributes?.request?.http;
  const headers = http?.header_map == null ? (http?.headers ?? {}) : headersOf(http.header_map.headers);
  return {
    headers,
    path: (http?.path ?? '/').split('?', 1)[0]!,
    point,
    verifiedClaims: claimsOf(attributes?.metadata_context?.filter_metadata['envoy.filters.http.jwt_authn']),
    clientIp: attributes?.source?.address?.socket_address?.address || null,
  };
}

function headersOf(list: readonly HeaderValue[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    list.map(({ key, value, raw_value: raw }) => [key.toLowerCase(), raw.length > 0 ? raw.toString('latin1') : value]),
  );
}

/** What jwt_authn put there under the operator's name for it: the claims of a token that it verified. */
function claimsOf(metadata: Struct | undefined): Readonly<Record<string, unknown>> | null {
  for (const { structValue: payload } of Object.values(metadata?.fields ?? {})) {
    const fields = (payload as Struct | undefined)?.fields;
    if (fields?.sub === undefined) continue;
    return Object.fromEntries(Object.entries(fields).map(([name, { kind, ...value }]) => [name, value[kind ?? '']]));
  }
  return null;
}

/** google.rpc.Code of an answer. */
const grpcCodes = {
  200: 0,
  401: 16,
  403: 7,
  429: 8,
  503: 14,
} as const;

const toCaller: readonly string[] = ['www-authenticate', 'retry-after', 'x-gait-decision'];

function responseOf({ status, headers, decisionId, riskLevel, error }: EnforcementAnswer): object {
  const list = Object.entries(headers).map(([key, value]) => ({ header: { key, value }, append_action: 2 }));
  const metadata = { decision_id: decisionId, risk_level: riskLevel, verdict: headers['x-gait-verdict'] };
  const fields = Object.entries(metadata).flatMap(([name, value]) =>
    value == null ? [] : [[name, { stringValue: value }]],
  );
  const response = { status: { code: grpcCodes[status] }, dynamic_metadata: { fields: Object.fromEntries(fields) } };
  if (error === null) return { ...response, ok_response: { headers: list } };
  // These go to the caller, who need not know what is thought of him; the log has the metadata.
  const own = list.filter(({ header }) => toCaller.includes(header.key));
  const type = { header: { key: 'content-type', value: 'application/json' }, append_action: 2 };
  return {
    ...response,
    denied_response: { status: { code: status }, headers: [...own, type], body: JSON.stringify({ error }) },
  };
}
