import { type Random, seededRandom } from '../../src/core/random.ts';
import { emptyEvent, type TrafficEvent } from '../../src/event/traffic-event.ts';
import { identityKey } from '../../src/identity/identity-key.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { type Api, apis, type Place, places, programs, serviceProgram } from './world.ts';

/**
 * Ordinary traffic for training: people and services with habits of their own, that drift. In: a seed and sizes. Out: resolved events by
 * time. Never in here: an attack, or anything taken from the data that `gait evaluate` measures with.
 */
export type Traffic = {
  readonly seed: number;
  readonly days: number;
  readonly humans: number;
  readonly services: number;
};

type Persona = {
  readonly id: string;
  readonly human: boolean;
  readonly api: Api;
  readonly role: number;
  /** Taste: a weight per function of the API. */
  readonly taste: number[];
  home: Place;
  programs: string[];
  /** Hour of the day, local, around which it is active. */
  readonly hour: number;
  readonly weekends: boolean;
  readonly sessionsPerDay: number;
  readonly callsPerSession: number;
  readonly joins: number;
  readonly leaves: number;
  /** Its own factor on sizes, logarithm. */
  readonly size: number;
  away: { readonly place: Place; readonly until: number } | null;
};

type Dice = ReturnType<typeof dice>;

const dayMs = 86_400_000;
/** 2025-01-06, a Monday. */
const startMs = Date.UTC(2025, 0, 6);

export function* synthesize(traffic: Traffic): Iterable<ResolvedEvent> {
  const roll = dice(seededRandom(traffic.seed));
  const count = traffic.humans + traffic.services;
  const personas = Array.from({ length: count }, (_, i) =>
    persona(roll, i < traffic.humans, { i, days: traffic.days }),
  );
  let later: TrafficEvent[] = [];
  let made = 0;
  for (let day = 0; day < traffic.days; day++) {
    const now = later;
    for (const each of personas) {
      if (day < each.joins || day >= each.leaves) continue;
      drift(each, day, roll);
      now.push(...eventsOf(each, day, roll));
    }
    const end = startMs + (day + 1) * dayMs;
    later = now.filter((event) => event.ts >= end);
    for (const event of now.filter((event) => event.ts < end).sort((a, b) => a.ts - b.ts)) yield resolve(event, made++);
  }
}

function resolve(event: TrafficEvent, n: number): ResolvedEvent {
  const kind = event.subject === null ? 'client' : 'user';
  return {
    identity: identityKey(kind, event.tenant, event.subject ?? event.client_id!),
    identity_kind: kind,
    claimed_identity: null,
    event_id: `synthetic-${n}`,
    route: event.route ?? '/',
    object_ids: [],
    event,
    position: null,
  };
}

function dice(random: Random) {
  const below = (n: number): number => Math.floor(random.next() * n);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return {
    chance: (p: number): boolean => random.next() < p,
    below,
    normal,
    uniform: random.next,
    pick: <T>(items: readonly T[]): T => items[below(items.length)]!,
    /** Index with a chance proportional to its weight. */
    weighted: (weights: readonly number[]): number => {
      let left = random.next() * weights.reduce((a, b) => a + b, 0);
      for (let i = 0; i < weights.length; i++) {
        left -= weights[i]!;
        if (left < 0) return i;
      }
      return weights.length - 1;
    },
  };
}

function persona(roll: Dice, human: boolean, of: { i: number; days: number }): Persona {
  const api = roll.pick(apis);
  const role = roll.below(api.roles.length);
  const joins = roll.chance(0.5) ? 0 : roll.below(of.days);
  return {
    id: `${human ? 'person' : 'service'}-${of.i}`,
    human,
    api,
    role,
    // People of one role prefer the same areas; each then has a taste of its own. A service does a few things only.
    taste: api.functions.map(
      (f) => f.weight * api.roles[role]!.areas[f.area]! * Math.exp((human ? 1.3 : 2.6) * roll.normal()),
    ),
    home: placeOf(roll),
    programs: human
      ? [roll.pick(programs), ...(roll.chance(0.4) ? [roll.pick(programs)] : [])]
      : [serviceProgram(of.i)],
    hour: human ? 9 + roll.below(10) : roll.below(24),
    weekends: !human || roll.chance(0.2),
    sessionsPerDay: Math.exp(Math.log(human ? 0.8 : 6) + 0.7 * roll.normal()),
    callsPerSession: Math.exp(Math.log(human ? 11 : 14) + 0.6 * roll.normal()),
    joins,
    leaves: roll.chance(0.85) ? of.days : joins + roll.below(of.days),
    size: 0.5 * roll.normal(),
    away: null,
  };
}

function placeOf(roll: Dice): Place {
  const place = roll.pick(places);
  return { ...place, networks: place.networks.map((network) => `${network}.${roll.below(256)}`) };
}

/** Ordinary change: a new favourite, another browser, a journey, a move. */
function drift(who: Persona, day: number, roll: Dice): void {
  if (who.away !== null && day >= who.away.until) who.away = null;
  if (roll.chance(1 / 25)) who.taste[roll.below(who.taste.length)]! *= Math.exp(2 * roll.normal());
  if (!who.human) return;
  if (roll.chance(1 / 90)) who.programs = [...who.programs.slice(-1), roll.pick(programs)];
  if (roll.chance(1 / 60)) who.away = { place: placeOf(roll), until: day + 1 + roll.below(5) };
  if (roll.chance(1 / 300)) who.home = placeOf(roll);
}

function eventsOf(who: Persona, day: number, roll: Dice): TrafficEvent[] {
  const weekend = day % 7 >= 5;
  if (weekend && !who.weekends) return [];
  const events: TrafficEvent[] = [];
  const sessions = Math.floor(who.sessionsPerDay * Math.exp(0.4 * roll.normal()) + roll.uniform());
  for (let s = 0; s < sessions; s++) {
    const place = who.away?.place ?? who.home;
    const hour = who.human ? who.hour + 3 * roll.normal() : who.hour + (24 * s) / sessions + 0.02 * roll.normal();
    const start = startMs + day * dayMs + (hour - place.zoneHours) * 3_600_000;
    // A session that would begin before its day, seen from Greenwich, is left out: events stay in order.
    if (start >= startMs + day * dayMs) events.push(...session(who, { start, place }, roll));
  }
  return events;
}

function session(who: Persona, at: { start: number; place: Place }, roll: Dice): TrafficEvent[] {
  const calls = Math.max(1, Math.floor(who.callsPerSession * Math.exp(0.8 * roll.normal())));
  const program = roll.pick(who.programs);
  const network = roll.pick(at.place.networks);
  const trouble = roll.chance(0.03) ? 0.4 : 0.02;
  let ts = at.start;
  let last = -1;
  return Array.from({ length: Math.min(calls, 400) }, () => {
    // What was done last makes its neighbours in the same area more likely.
    const area = last < 0 ? -1 : who.api.functions[last]!.area;
    last = roll.weighted(who.taste.map((w, f) => (who.api.functions[f]!.area === area ? 3 * w : w)));
    ts += Math.exp((who.human ? 8.5 : 6) + 1.2 * roll.normal());
    const event = call(who, last, { status: statusOf(roll, trouble), sizes: [roll.normal(), roll.normal()] });
    event.ts = Math.floor(ts);
    event.session_id = `${who.id}-${at.start}`;
    place(event, who.api, { ...at.place, network, program, host: roll.below(250) });
    return event;
  });
}

function statusOf(roll: Dice, trouble: number): number {
  if (!roll.chance(trouble)) return 200;
  return roll.pick([404, 404, 400, 409, 401, 403, 500]);
}

function call(who: Persona, index: number, of: { status: number; sizes: readonly [number, number] }): TrafficEvent {
  const { api } = who;
  const f = api.functions[index]!;
  const event = emptyEvent();
  event.tenant = api.name;
  event.subject = who.human ? who.id : null;
  event.client_id = who.human ? null : who.id;
  event.host = api.says.application ? `${api.name}.example` : null;
  event.actor_kind = who.human ? 'human' : 'service';
  event.roles = api.says.roles ? [api.roles[who.role]!.name] : null;
  event.operation = f.operation;
  event.method = f.method;
  event.route = f.route;
  event.path = f.route;
  event.status = api.says.status ? of.status : null;
  if (!api.says.sizes) return event;
  const failed = of.status >= 400 ? -3 : 0;
  event.response_bytes = Math.round(Math.exp(f.size + who.size + failed + 0.7 * of.sizes[0]));
  if (f.method === 'POST' || f.method === 'PUT')
    event.request_bytes = Math.round(Math.exp(6 + who.size + 0.6 * of.sizes[1]));
  return event;
}

function place(event: TrafficEvent, api: Api, at: Place & { network: string; program: string; host: number }): void {
  const zone = Math.abs(at.zoneHours);
  if (api.says.address) event.client_ip = `${at.network}.${at.host}`;
  if (api.says.country) event.country = at.country;
  if (api.says.program) event.user_agent = at.program;
  if (api.says.application && event.subject !== null) event.client_id = at.program.includes('Mobile') ? 'app' : 'web';
  if (api.says.zone) event.tz = `${at.zoneHours < 0 ? '-' : '+'}${String(zone).padStart(2, '0')}00`;
}
