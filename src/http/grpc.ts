import { status as codes, type handleUnaryCall, Server, ServerCredentials, type sendUnaryData } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/logging.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { createGate, localCaller } from './access.ts';
import type { EnforcementAnswer, HttpParts } from './parts.ts';
import { HttpError } from './route.ts';

export type GrpcServer = {
  /** `host:port`, with the port that the system chose when 0 was asked for. */
  readonly address: string;
  readonly close: () => Promise<void>;
};

export type GrpcOptions = {
  readonly listen: { readonly host: string; readonly port: number };
  readonly http: Config['http'];
  /** The file that describes the service. */
  readonly protoPath: string;
  readonly ask: HttpParts['ask'];
  readonly logger: Logger;
};

/** Headers and metadata of one call; Envoy itself allows 60 KiB of headers by default. */
const requestBytesMax = 1024 * 1024;
const streamsMax = 1000;
const closeMs = 2000;

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

/** `envoy.service.auth.v3.Authorization/Check`: the same question as /authz, with what Envoy knows beside the headers. */
export async function startGrpc({ listen, http, protoPath, ask, logger }: GrpcOptions): Promise<GrpcServer> {
  const definition = loadSync(protoPath, { keepCase: true, oneofs: true, defaults: true })[
    'envoy.service.auth.v3.Authorization'
  ];
  const gate = createGate(http);
  const route = { method: 'POST', access: ['enforce'], isEnforcement: true } as const;
  const check: handleUnaryCall<CheckRequest, unknown> = (call, reply) => {
    try {
      const key = call.metadata.get('x-gait-key')[0]?.toString();
      // Without keys it listens on loopback only, and no page of a browser can speak gRPC to it.
      const point = http.keys.length === 0 ? localCaller : gate(route, { 'x-gait-key': key });
      answer(ask(questionOf(call.request, point)), reply);
    } catch (error) {
      if (!(error instanceof HttpError)) logger.error({ reason: describeError(error) }, 'check failed');
      reply(failureOf(error));
    }
  };
  const server = new Server({
    'grpc.max_receive_message_length': requestBytesMax,
    'grpc.max_concurrent_streams': streamsMax,
    // Its own statistics, which nobody reads here, keep what belongs to a call alive until after the next collections.
    'grpc.enable_channelz': 0,
  });
  server.addService(definition as Parameters<Server['addService']>[0], { Check: check });
  const port = await bind(server, `${listen.host}:${listen.port}`);
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      const late = setTimeout(() => server.forceShutdown(), closeMs);
      server.tryShutdown(() => {
        clearTimeout(late);
        resolve();
      });
    });
  return { address: `${listen.host}:${port}`, close };
}

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (cause, port) => {
      if (cause === null) resolve(port);
      else reject(new GaitError('CONFIG_INVALID', `cannot listen on ${address} for gRPC`, { cause }));
    });
  });
}

function answer(given: EnforcementAnswer | Promise<EnforcementAnswer>, reply: sendUnaryData<unknown>): void {
  if (!(given instanceof Promise)) reply(null, responseOf(given));
  else
    given.then(
      (each) => reply(null, responseOf(each)),
      (error: unknown) => reply(failureOf(error)),
    );
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

const grpcCodes = {
  200: codes.OK,
  401: codes.UNAUTHENTICATED,
  403: codes.PERMISSION_DENIED,
  429: codes.RESOURCE_EXHAUSTED,
  503: codes.UNAVAILABLE,
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

function failureOf(error: unknown): { readonly code: codes; readonly details: string } {
  if (!(error instanceof HttpError))
    return { code: codes.INTERNAL, details: 'something failed here; the log says what' };
  return { code: error.status === 401 ? codes.UNAUTHENTICATED : codes.PERMISSION_DENIED, details: error.message };
}
