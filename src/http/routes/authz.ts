import type { EnforcementAnswer, HttpParts } from '../parts.ts';
import type { Headers, Reply, Route } from '../route.ts';

/**
 * One answer for every gateway that asks over HTTP: Envoy's ext_authz (which appends the call's own path), nginx's auth_request,
 * forward_auth of Traefik and Caddy, HAProxy's httpclient. server.ts hands every path below /authz to this one.
 */
export function authzRoute(ask: HttpParts['ask'], bodyBytesMax: number): Route {
  return {
    method: 'ANY',
    url: '/authz',
    summary: 'May this call pass? Asked by a gateway with the headers of the call, and its own key in X-Gait-Key',
    access: ['enforce'],
    isEnforcement: true,
    // That of the call, where the gateway sends it along; nobody looks at it.
    bodyBytesMax,
    replies: {
      200: { description: 'It may; X-Gait-Decision names a decision that concerns it, or is -' },
      401: { description: 'A step-up is asked for (RFC 9470), or the session was ended; or no key' },
      403: { description: 'Refused; with X-Gait-Denials: 403 in the question all refusals, see X-Gait-Status' },
      429: { description: 'Throttled: Retry-After' },
      503: { description: 'The decisions are not read yet, and the route is closed until they are' },
    },
    handle: ({ headers, url, caller }) => {
      const question = { headers, path: pathOf(headers, url), point: caller, verifiedClaims: null, clientIp: null };
      const given = ask(question);
      return given instanceof Promise ? given.then((answer) => replyOf(answer, headers)) : replyOf(given, headers);
    },
  };
}

/** nginx's auth_request knows 401 and 403 only; anything else that is no 2xx is an error to it. */
function replyOf({ status, headers, error }: EnforcementAnswer, asked: Headers): Reply {
  if (error === null) return { status, headers, body: '' };
  const only403 = asked['x-gait-denials'] === '403' && status !== 401;
  return {
    status: only403 ? 403 : status,
    // Assigned: `{ ...headers }` is made for every refusal, and outlives it (src/README.md).
    headers: Object.assign({ 'x-gait-status': String(status) }, headers),
    body: { error },
  };
}

/** The call's own path: as Envoy appends it, else as the others send it. */
function pathOf(headers: Headers, url: string): string {
  const sent = headers['x-original-uri'] ?? headers['x-forwarded-uri'];
  const path = url.startsWith('/authz/') ? url.slice('/authz'.length) : String(sent ?? '/');
  const query = path.indexOf('?');
  return query === -1 ? path : path.slice(0, query);
}
