import { dimensionCount, dimensionIndex } from '../baseline/row-layout.ts';
import { hash32, hashEnd, hashMore, hashStart } from '../core/hash.ts';
import type { ResolvedEvent } from '../identity/resolved-event.ts';

/**
 * Feature: one number taken from an event and its identity's recent past. In: a resolved event. Out: hashes and numbers.
 * An observation never holds a string and is reused for every event: nothing may keep it.
 */
export type Observation = {
  ts: number;
  /** 1 / sample_rate: how many real calls this event stands for. */
  weight: number;
  /** Hash of the value in each dimension; 0 when the event does not say. */
  readonly values: Uint32Array;
  /** In the caller's own time zone. */
  hour: number;
  weekday: number;
  /** Index into `outcomes`, 0 for a success or a redirect. */
  outcome: number;
  responseBytes: number;
  requestBytes: number;
};

const dim = {
  function: dimensionIndex('function'),
  area: dimensionIndex('area'),
  objectType: dimensionIndex('object_type'),
  method: dimensionIndex('method'),
  status: dimensionIndex('status'),
  network: dimensionIndex('network'),
  country: dimensionIndex('country'),
  client: dimensionIndex('client'),
  application: dimensionIndex('application'),
  timeZone: dimensionIndex('time_zone'),
} as const;

export function emptyObservation(): Observation {
  return {
    ts: 0,
    weight: 1,
    values: new Uint32Array(dimensionCount),
    hour: 0,
    weekday: 0,
    outcome: 0,
    responseBytes: -1,
    requestBytes: -1,
  };
}

/** The texts behind an event's dimension values, as an analyst would name them; null where the event does not say. */
export function dimensionText(resolved: ResolvedEvent, dimension: number): string | null {
  const { event } = resolved;
  switch (dimension) {
    case dim.function:
      return event.operation ?? `${event.method ?? '-'} ${resolved.route}`;
    case dim.area:
      return areaOf(resolved);
    case dim.objectType:
      return objectType(event.path);
    case dim.method:
      return event.method;
    case dim.status:
      return event.status === null ? null : statusClass(event.status);
    case dim.network:
      return networkOf(resolved);
    case dim.country:
      return event.country;
    case dim.client:
      return event.user_agent === null ? null : clientProgram(event.user_agent);
    case dim.application:
      return applicationOf(resolved);
    default:
      return event.tz;
  }
}

/** The dimension's value out of the hash of its text: the same text in two dimensions is two values. 0 is kept for no value. */
function dimensionValue(hash: number, dimension: number): number {
  return (Math.imul(hash, 0x9e3779b1) ^ Math.imul(dimension + 1, 0x85ebca6b)) >>> 0 || 1;
}

/** The value of a text that the event may not have, of which only a part may count. */
function textValue(text: string | null, dimension: number, end = text?.length ?? 0): number {
  return text === null || end === 0 ? 0 : dimensionValue(hashEnd(hashMore(hashStart, text, end)), dimension);
}

/** What `dimensionText` says, hashed, without making the text: this runs ten times per event. */
function dimensionValues(resolved: ResolvedEvent, into: Uint32Array): void {
  const { event, route } = resolved;
  const { operation, client_ip: ip, asn, path, status, user_agent: agent } = event;
  if (operation !== null) {
    const colon = operation.indexOf(':');
    into[dim.function] = textValue(operation, dim.function);
    into[dim.area] = textValue(operation, dim.area, colon < 0 ? operation.length : colon);
  } else {
    const call = callOf(route, event.method ?? '-', event.host ?? '');
    into[dim.function] = call.function;
    into[dim.area] = call.area;
  }
  into[dim.objectType] = textValue(objectType(path), dim.objectType);
  into[dim.method] = textValue(event.method, dim.method);
  into[dim.status] = status === null ? 0 : statusValue(status);
  into[dim.network] = asn !== null ? textValue(`AS${asn}`, dim.network) : textValue(ip, dim.network, networkEnd(ip));
  into[dim.country] = textValue(event.country, dim.country);
  into[dim.client] = agent === null || agent === '' ? 0 : dimensionValue(clientHash(agent), dim.client);
  into[dim.application] = textValue(applicationOf(resolved), dim.application);
  into[dim.timeZone] = textValue(event.tz, dim.timeZone);
}

type Call = { readonly method: string; readonly host: string; readonly function: number; readonly area: number };

/** Values of calls by route, forgotten all at once at the limit: only a shortcut. A route has few methods and hosts; the others are not kept. */
const calls = new Map<string, Call[]>();
const callsMax = 4096;
const callsPerRouteMax = 8;

function callOf(route: string, method: string, host: string): Call {
  let known = calls.get(route);
  if (known === undefined) {
    if (calls.size >= callsMax) calls.clear();
    known = [];
    calls.set(route, known);
  }
  for (let i = 0; i < known.length; i++) if (known[i]!.method === method && known[i]!.host === host) return known[i]!;
  const end = firstSegmentEnd(route);
  const area = hashEnd(hashMore(hashMore(hashStart, host), route, end));
  const call = {
    method,
    host,
    function: dimensionValue(hashEnd(hashMore(hashMore(hashMore(hashStart, method), ' '), route)), dim.function),
    area: host.length + end === 0 ? 0 : dimensionValue(area, dim.area),
  };
  if (known.length < callsPerRouteMax) known.push(call);
  return call;
}

/** By status; 0 is not asked for yet. */
const statusValues = new Uint32Array(1000);

function statusValue(status: number): number {
  const known = statusValues[status];
  if (known !== undefined && known > 0) return known;
  const value = textValue(statusClass(status), dim.status);
  statusValues[status] = value;
  return value;
}

export function observe(resolved: ResolvedEvent, into: Observation): void {
  const { event } = resolved;
  into.ts = event.ts;
  into.weight = 1 / event.sample_rate;
  dimensionValues(resolved, into.values);
  const local = event.ts + zoneOffsetMs(event.tz);
  into.hour = Math.floor(local / 3_600_000) % 24;
  into.weekday = Math.floor(local / 86_400_000 + 4) % 7;
  into.outcome = outcomeOf(event.status);
  into.responseBytes = event.response_bytes ?? -1;
  into.requestBytes = event.request_bytes ?? -1;
}

/** `+0230` and `+02:30` to milliseconds; anything else is taken as UTC. */
export function zoneOffsetMs(tz: string | null): number {
  if (tz === null || tz.length < 5) return 0;
  const sign = tz.charCodeAt(0) === 45 ? -1 : 1;
  const hours = Number(tz.slice(1, 3));
  const minutes = Number(tz.slice(-2));
  return hours <= 14 && minutes < 60 ? sign * (hours * 60 + minutes) * 60_000 : 0;
}

function outcomeOf(status: number | null): number {
  if (status === null || status < 400) return 0;
  if (status === 401 || status === 403) return 1;
  if (status < 500) return 2;
  return 3;
}

function statusClass(status: number): string {
  if (status === 401 || status === 403 || status === 404 || status === 429) return String(status);
  return `${Math.floor(status / 100)}xx`;
}

/** The part of the API: the service of an operation, else the host and the first segment of the route. */
function areaOf(resolved: ResolvedEvent): string | null {
  const { operation, host } = resolved.event;
  if (operation !== null) {
    const colon = operation.indexOf(':');
    return colon < 0 ? operation : operation.slice(0, colon);
  }
  return (host ?? '') + resolved.route.slice(0, firstSegmentEnd(resolved.route));
}

function firstSegmentEnd(route: string): number {
  const second = route.indexOf('/', 1);
  return second < 0 ? route.length : second;
}

/** What follows the last dot of the path, when it looks like a file's. */
function objectType(path: string | null): string | null {
  // Most paths have no dot, and this is asked for every event.
  if (path === null || path.indexOf('.') < 0) return null;
  const query = path.indexOf('?');
  const end = query < 0 ? path.length : query;
  const dot = path.lastIndexOf('.', end);
  if (dot < 0 || end - dot > 9 || end - dot < 2 || path.indexOf('/', dot) >= 0) return null;
  return path.slice(dot + 1, end);
}

/** The autonomous system if known, else the /24 or /48 that the address is in. */
function networkOf(resolved: ResolvedEvent): string | null {
  const { asn, client_ip: ip } = resolved.event;
  if (asn !== null) return `AS${asn}`;
  return ip === null ? null : ip.slice(0, networkEnd(ip));
}

function networkEnd(ip: string | null): number {
  if (ip === null) return 0;
  const first = ip.indexOf(':');
  if (first < 0) {
    let end = ip.length - 1;
    while (end > 0 && ip.charCodeAt(end) !== 46 /* . */) end--;
    return Math.max(0, end);
  }
  const second = ip.indexOf(':', first + 1);
  const third = second < 0 ? -1 : ip.indexOf(':', second + 1);
  return third < 0 ? ip.length : third;
}

function applicationOf({ event, identity_kind }: ResolvedEvent): string | null {
  return identity_kind === 'client' ? event.host : (event.client_id ?? event.caller_service);
}

/** A user agent without its version numbers, so that an update is not a new client. */
function clientProgram(userAgent: string): string {
  return userAgent.replace(/[0-9][0-9._-]*/g, '#').slice(0, 200);
}

/** Hashes of programs by user agent, forgotten all at once at the limit: only a shortcut. */
const clientHashes = new Map<string, number>();
const clientHashesMax = 16_384;

function clientHash(userAgent: string): number {
  let hash = clientHashes.get(userAgent);
  if (hash === undefined) {
    if (clientHashes.size >= clientHashesMax) clientHashes.clear();
    hash = hash32(clientProgram(userAgent));
    clientHashes.set(userAgent, hash);
  }
  return hash;
}
