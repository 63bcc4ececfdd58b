import protobuf from 'protobufjs';
import type { Config } from '../config/config.ts';
import type { Logger } from '../config/logging.ts';
import { createGate, localCaller } from './access.ts';
import { checkResponse } from './check-response.ts';
import { type GrpcServer, serveUnary, type UnaryMethod } from './grpc-transport.ts';
import type { HttpParts } from './parts.ts';
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

/** Answers Envoy. */
export function startGrpc({ listen, http, protoPath, ask, logger }: GrpcOptions): Promise<GrpcServer> {
  const messages = new protobuf.Root().loadSync(protoPath, { keepCase: true });
  const methods = new Map([['/envoy.service.auth.v3.Authorization/Check', checkMethod(messages, { http, ask })]]);
  return serveUnary({ listen, methods, logger });
}

/** The same question as /authz, with what Envoy knows beside the headers. */
function checkMethod(messages: protobuf.Root, { http, ask }: Pick<GrpcOptions, 'http' | 'ask'>): UnaryMethod {
  const request = messages.lookupType('CheckRequest');
  const gate = createGate(http);
  const route = { method: 'POST', access: ['enforce'], isEnforcement: true } as const;
  return (headers) => {
    // Without keys it listens on loopback only, and no page of a browser can speak gRPC to it.
    const point = http.keys.length === 0 ? localCaller : gate(route, headers);
    return (message) => {
      const answer = ask(questionOf(decode(request, message), point));
      return answer instanceof Promise ? answer.then(checkResponse) : checkResponse(answer);
    };
  };
}

/** Fields that are not set read as their defaults: texts are empty, messages null. */
function decode(type: protobuf.Type, message: Buffer): CheckRequest {
  try {
    return type.decode(message) as CheckRequest;
  } catch {
    throw new HttpError(400, 'invalid-message', { message: 'the message cannot be read' });
  }
}

function questionOf({ attributes }: CheckRequest, point: string): Parameters<HttpParts['ask']>[0] {
  const http = attributes?.request?.http;
  const headers = http?.header_map == null ? inLowerCase(http?.headers ?? {}) : headersOf(http.header_map.headers);
  return {
    headers,
    path: (http?.path ?? '/').split('?', 1)[0]!,
    point,
    verifiedClaims: claimsOf(attributes?.metadata_context?.filter_metadata['envoy.filters.http.jwt_authn']),
    clientIp: attributes?.source?.address?.socket_address?.address || null,
  };
}

/** Envoy writes names so; whoever else asks may not. */
function inLowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  const lower: Record<string, string> = {};
  for (const name in headers) lower[name.toLowerCase()] ??= headers[name]!;
  return lower;
}

function headersOf(list: readonly HeaderValue[]): Readonly<Record<string, string>> {
  // Of a header that was sent twice the first counts, as at /authz.
  return Object.fromEntries(
    list
      .toReversed()
      .map(({ key, value, raw_value: raw }) => [key.toLowerCase(), raw.length > 0 ? raw.toString('latin1') : value]),
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
