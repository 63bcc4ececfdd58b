import type { Dice } from './dice.ts';
import { isLocal } from './networks.ts';
import type { Intention, Route, Session, WireEvent, Zone } from './world.ts';

/** Spread of sizes and durations around their medians: about a third up or down is ordinary. */
const spread = 0.35;

/** What the gateway writes when a session does what it means to. Says nothing about time: that is set when it is emitted. */
export function call(session: Session, intention: Intention): WireEvent {
  const { api, persona, dice, device, place } = session;
  const { route, scale = 1 } = intention;
  const { credential } = persona;
  const mtls = credential.kind === 'mtls' ? credential : null;
  const token = api.says.token ? session.token : null;
  const status = intention.status ?? outcome(session, route);
  const failed = status >= 400;
  const rows = failed || route.rows === 0 ? 0 : Math.max(1, Math.round(dice.logNormal(route.rows * scale, spread)));
  // Every field every time, also where there is nothing to say: objects of one shape are copied and written several times as fast.
  const event: WireEvent = {
    source: `gateway-${api.name}`,
    tenant: persona.tenant.name,
    tz: api.says.tz && device.kind !== 'program' ? offsetText(clockOf(session).offsetMinutes) : undefined,
    subject: credential.kind === 'user' ? credential.subject : undefined,
    client_id: clientOf(session),
    session_id: session.id ?? undefined,
    api_key: credential.kind === 'api-key' ? credential.key : undefined,
    consumer: credential.kind === 'api-key' ? credential.consumer : undefined,
    mtls_subject: mtls?.subject,
    client_cert_verified: mtls === null ? undefined : true,
    caller_service: mtls?.service,
    tls_version: mtls === null ? undefined : 'TLSv1.3',
    auth_method: methods[credential.kind],
    token_id: token?.id,
    token_iat: token === null ? undefined : Math.floor(token.issuedMs / 1000),
    token_exp: token === null ? undefined : Math.floor(token.expiresMs / 1000),
    scopes: token?.scopes,
    roles: token !== null || credential.kind === 'api-key' ? [session.role] : undefined,
    acr: session.acr ?? undefined,
    amr: session.amr ?? undefined,
    auth_time: session.acr === null ? undefined : Math.floor(session.authMs / 1000),
    actor_kind: persona.kind,
    client_ip: place.ip,
    user_agent: device.userAgent,
    device_id: device.id ?? undefined,
    ja4: api.says.ja4 ? device.ja4 : undefined,
    country: api.says.geo ? place.network.country : undefined,
    asn: api.says.geo ? place.network.asn : undefined,
    method: route.method,
    host: route.host,
    service: mtls === null ? undefined : route.resource,
    path: pathOf(session, intention),
    route: api.says.route ? route.template : undefined,
    request_bytes: requestBytes(route, dice),
    status,
    response_bytes: responseBytes(status, route.bytes * scale, dice),
    duration_ms: Math.round(dice.logNormal(failed ? 12 : route.durationMs * Math.sqrt(scale), spread) * 10) / 10,
    rows: rows > 0 ? rows : undefined,
    sensitive: failed || route.sensitive.length === 0 ? undefined : counts(route.sensitive, Math.max(1, rows)),
  };
  return intention.also === undefined ? event : { ...event, ...intention.also };
}

/** Browsers and phones keep the time of where they are; behind a VPN they keep that of home. */
function clockOf({ persona, place }: Session): Zone {
  return isLocal(place.network) ? place.network.zone : persona.zone;
}

const methods = { user: 'bearer', 'api-key': 'api-key', 'oauth-client': 'client-credentials', mtls: 'mtls' } as const;

/** The application that the token was issued to. */
function clientOf({ persona: { credential }, api, device }: Session): string | undefined {
  if (credential.kind === 'oauth-client') return credential.clientId;
  return credential.kind === 'user' ? `${api.name}-${device.kind === 'app' ? 'app' : 'web'}` : undefined;
}

/** One that the session has good reason to ask for: its own, the likeliest most often. */
export function ownObject(session: Session, route: Route): string | undefined {
  if (route.pool === null) return undefined;
  const own = route.pool.of(session.persona);
  return own[session.dice.zipf(own.length)];
}

function pathOf(session: Session, intention: Intention): string {
  const { template } = intention.route;
  const path = template.includes('{id}')
    ? template.replace('{id}', () => intention.object ?? ownObject(session, intention.route) ?? '1')
    : template;
  return intention.query === undefined ? path : `${path}?${intention.query}`;
}

function outcome({ role, api, dice }: Session, { roles, action }: Route): number {
  if (!roles.includes(role)) return 403;
  if (dice.chance(api.errorShare)) return dice.pick([500, 502, 503, 504]);
  const luck = dice.next();
  switch (action) {
    case 'read':
    case 'detail':
      // A stale link, or a browser that has it already.
      return luck < 0.012 ? 404 : luck < 0.07 ? 304 : 200;
    case 'create':
      return luck < 0.03 ? 422 : 201;
    case 'update':
    case 'act':
      return luck < 0.03 ? 422 : luck < 0.034 ? 409 : 200;
    case 'delete':
      return luck < 0.01 ? 404 : 204;
    default:
      return luck < 0.002 ? 400 : 200;
  }
}

function requestBytes(route: Route, dice: Dice): number {
  return Math.round(dice.logNormal(route.method === 'GET' || route.method === 'DELETE' ? 420 : 900, spread));
}

function responseBytes(status: number, median: number, dice: Dice): number {
  if (status === 204 || status === 304) return 0;
  return Math.round(status >= 400 ? dice.logNormal(240, 0.2) : dice.logNormal(median, spread));
}

function counts(classes: readonly string[], count: number): Record<string, number> {
  return Object.fromEntries(classes.map((name) => [name, count]));
}

/** 120 minutes to `+0200`. */
function offsetText(minutes: number): string {
  const size = Math.abs(minutes);
  const digits = String(Math.floor(size / 60) * 100 + (size % 60)).padStart(4, '0');
  return `${minutes < 0 ? '-' : '+'}${digits}`;
}
