import type { SsfOperation } from '../../core/words.ts';
import type { SsfParts } from '../parts.ts';
import { HttpError, type Reply, type Request, type Route } from '../route.ts';

const streamQuery = {
  type: 'object',
  additionalProperties: false,
  properties: { stream_id: { type: 'string', minLength: 1, maxLength: 128 } },
};
/** A poll may acknowledge 10,000 tokens. */
const requestBytesMax = 1024 * 1024;

type Endpoint = readonly [
  method: Route['method'],
  path: string,
  operation: SsfOperation,
  summary: string,
  status: number,
];

const endpoints: readonly Endpoint[] = [
  ['POST', '/ssf/streams', 'create', 'Make the stream of this receiver', 201],
  ['GET', '/ssf/streams', 'read', 'The stream of this receiver', 200],
  ['PATCH', '/ssf/streams', 'update', 'Change members of a stream', 200],
  ['PUT', '/ssf/streams', 'replace', 'Replace what a receiver may set of a stream', 200],
  ['DELETE', '/ssf/streams', 'delete', 'End a stream; what waits in it is dropped', 204],
  ['GET', '/ssf/status', 'readStatus', 'Whether a stream is enabled, paused or disabled', 200],
  ['POST', '/ssf/status', 'setStatus', 'Enable, pause or disable a stream', 200],
  ['POST', '/ssf/subjects/add', 'addSubject', 'Tell about this subject', 200],
  ['POST', '/ssf/subjects/remove', 'removeSubject', 'Tell no more about this subject, from a day on', 204],
  ['POST', '/ssf/verify', 'verify', 'Send a verification through the stream', 204],
  ['POST', '/ssf/poll', 'poll', 'Take tokens, acknowledge others (RFC 8936)', 200],
];

/** Shared signals: SSF 1.0 with its discovery, RFC 8935 on the receiving side, RFC 8936 on the sending side. */
export function ssfRoutes({ transmitter, receive }: SsfParts): readonly Route[] {
  return [
    ...(transmitter === undefined ? [] : [...discoveryRoutes(transmitter), ...managementRoutes(transmitter)]),
    ...(receive === undefined ? [] : [receiveRoute(receive)]),
  ];
}

function managementRoutes({ call }: NonNullable<SsfParts['transmitter']>): readonly Route[] {
  return endpoints.map(([method, url, operation, summary, status]) => ({
    method,
    url,
    summary,
    access: ['ssf'],
    bodyBytesMax: requestBytesMax,
    query: streamQuery,
    replies: {
      [status]: { description: 'Done' },
      ...(method === 'GET' ? {} : { 400: { description: 'Not as SSF 1.0 describes it' } }),
      404: { description: 'No stream of this receiver has this id' },
    },
    handle: async ({ caller, from, query, body }: Request): Promise<Reply> => {
      const answer = await call(operation, { caller, from, streamId: query.stream_id as string | undefined, body });
      if (answer.status < 400) return { status: answer.status, body: answer.body ?? '' };
      const wait = answer.retryAfterSeconds;
      throw new HttpError(answer.status, answer.code ?? 'refused', {
        message: answer.message ?? 'refused',
        headers: wait === undefined ? {} : { 'retry-after': String(wait) },
      });
    },
  }));
}

/** What receivers read before anything else (SSF 1.0, 7). Nothing in it is secret, so no key is asked for. */
function discoveryRoutes({ issuer, defaultSubjects, jwks }: NonNullable<SsfParts['transmitter']>): readonly Route[] {
  return [
    {
      method: 'GET',
      // An issuer with a path has it behind the well-known name (RFC 8615).
      url: `/.well-known/ssf-configuration${new URL(issuer).pathname.replace(/\/$/, '')}`,
      summary: 'Where and how this transmitter of shared signals is used',
      access: 'public',
      replies: { 200: { description: 'The transmitter configuration of SSF 1.0' } },
      handle: async () => ({ status: 200, body: describeTransmitter(issuer, defaultSubjects) }),
    },
    {
      method: 'GET',
      url: '/ssf/jwks.json',
      summary: 'The keys that security event tokens are signed with',
      access: 'public',
      replies: { 200: { description: 'A JSON Web Key Set' } },
      handle: async () => ({ status: 200, body: await jwks() }),
    },
  ];
}

function describeTransmitter(issuer: string, defaultSubjects: 'ALL' | 'NONE'): object {
  return {
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}/ssf/jwks.json`,
    delivery_methods_supported: ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936'],
    configuration_endpoint: `${issuer}/ssf/streams`,
    status_endpoint: `${issuer}/ssf/status`,
    add_subject_endpoint: `${issuer}/ssf/subjects/add`,
    remove_subject_endpoint: `${issuer}/ssf/subjects/remove`,
    verification_endpoint: `${issuer}/ssf/verify`,
    // A key is a bearer token that the operator hands out (RFC 6750).
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
    default_subjects: defaultSubjects,
  };
}

function receiveRoute(receive: NonNullable<SsfParts['receive']>): Route {
  return {
    method: 'POST',
    url: '/ssf/receive',
    summary: 'Take a security event token of a configured transmitter (RFC 8935); its signature is its key',
    access: 'public',
    body: { 'application/secevent+jwt': { type: 'string' } },
    replies: { 202: { description: 'Taken' }, 400: { description: 'err and description, as in RFC 8935, 2.3' } },
    handle: async ({ headers, body }) => {
      const [type = ''] = String(headers['content-type'] ?? '').split(';');
      const isToken = type.trim().toLowerCase() === 'application/secevent+jwt';
      const authorization = typeof headers.authorization === 'string' ? headers.authorization : undefined;
      const answer = isToken
        ? await receive(body.toString('latin1').trim(), authorization)
        : ({ kind: 'refused', err: 'invalid_request', description: 'expected application/secevent+jwt' } as const);
      if (answer.kind === 'accepted') return { status: 202, body: '' };
      if (answer.kind === 'refused') {
        const { err, description } = answer;
        return { status: 400, body: { err, description }, headers: { 'content-language': 'en' } };
      }
      throw new HttpError(503, 'unavailable', {
        message: 'the keys of the issuer could not be had',
        headers: { 'retry-after': '30' },
      });
    },
  };
}
