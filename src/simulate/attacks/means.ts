import { call } from '../call.ts';
import { openSession, renew, resumeSession, signIn, type Voice, walk } from '../session.ts';
import { dayMs, hourMs, hourOfWeek } from '../week.ts';
import type { Actor, Device, Intention, Persona, Place, Pool, Route, Session, Stage, WireEvent } from '../world.ts';

/**
 * What incidents are made of. In: a stage. Out: sessions, places, devices, objects and times for it. Never: a value that ordinary traffic
 * does not have; a stranger's address, program and tempo are those of somebody else in the same world.
 */
export const secondMs = 1_000;
export const minuteMs = 60_000;

/** A number of things to do: the recipe's own idea times the intensity, with some spread, at least one. */
export function scaled({ dice, intensity }: Stage, usual: number): number {
  return Math.max(1, Math.round(dice.logNormal(usual * intensity, 0.25)));
}

/** Who takes care slows down to the pauses of a person (8 s at the median); who does not, goes as fast as the program likes. */
export function pause({ world, dice, stealth }: Stage, hastyMs: number): number {
  const median = Math.max(hastyMs, hastyMs ** (1 - stealth) * 8_000 ** stealth);
  return world.now + dice.logNormal(median, 0.5);
}

/**
 * `count` times from the start on, evenly spread over `hours` (less when the world ends before), each moved to an hour at which the persona
 * is usually up, if there is one before the next.
 */
export function* spread(
  { world, dice, startMs }: Stage,
  options: { readonly hours: number; readonly count: number; readonly of: Persona },
): Generator<number, void, void> {
  const span = Math.min(options.hours * hourMs, Math.max(0, world.endMs - startMs)) / options.count;
  for (let i = 0; i < options.count; i++) {
    const from = startMs + i * span + dice.between(0, Math.min(span, hourMs));
    let at = from;
    while (
      at < from + span - hourMs &&
      options.of.habits.week[hourOfWeek(at, options.of.zone)]! < dice.between(0.1, 0.9)
    )
      at += hourMs;
    yield Math.max(world.now, at);
  }
}

/** A place that is not the victim's. With stealth a home line or a phone of the victim's country, without it a rented machine or a VPN. */
export function strangePlace(stage: Stage, victim: Persona): Place {
  const { world, dice } = stage;
  const home = victim.places[0]!.network;
  const careful = dice.chance(stage.stealth);
  const others = world.networks.filter(({ kind, asn }) => kind !== 'internal' && kind !== 'office' && asn !== home.asn);
  const fitting = others.filter(({ kind, country }) =>
    careful
      ? country === home.country && (kind === 'home' || kind === 'mobile')
      : kind === 'datacenter' || kind === 'vpn' || country !== home.country,
  );
  return at(stage, fitting.length > 0 ? fitting : others);
}

function at({ dice }: Stage, networks: readonly Place['network'][]): Place {
  const network = dice.pick(networks);
  return { network, ip: network.address(dice) };
}

/** Of whom chance picks first; only when that fails is everybody asked, which takes long in a large world. */
function someDevice({ world, dice }: Stage, fits: (device: Device, of: Persona) => boolean): Device {
  for (let tries = 0; tries < 50; tries++) {
    const persona = dice.pick(world.personas);
    const device = dice.pick(persona.devices);
    if (fits(device, persona)) return device;
  }
  const others = world.personas.flatMap((persona) => persona.devices.filter((device) => fits(device, persona)));
  return others.length > 0 ? dice.pick(others) : dice.pick(dice.pick(world.personas).devices);
}

/** A program that somebody else in this world uses: a browser (with stealth the victim's own kind and version), or a script's. */
export function strangeDevice(stage: Stage, victim: Persona, kind: Device['kind'] = 'browser'): Device {
  const { dice } = stage;
  const own = victim.devices[0]!;
  if (own.kind === kind && kind !== 'app' && dice.chance(stage.stealth)) return own;
  // Libraries inside a mesh are not those outside.
  const inMesh = victim.api.name === 'mesh';
  const fits = (device: Device, { api }: Persona): boolean =>
    device.kind === kind && device.userAgent !== own.userAgent && (api.name === 'mesh') === inMesh;
  const device = someDevice(stage, fits);
  return device.id === null ? device : { ...device, id: `d${dice.hex(12)}` };
}

/** How long an app that is used stays signed in. */
const appSessionMs = 25 * dayMs;

/**
 * A sitting under the victim's name; the victim's own newest session stays what it was. At the victim's own machine an app goes on where it was left, as
 * it does in ordinary life; anything else is a session of its own.
 */
export function intrude(
  stage: Stage,
  victim: Persona,
  options: { readonly place?: Place; readonly device?: Device; readonly habits?: Persona['habits'] } = {},
): Session {
  const own = victim.session;
  const isStrange = options.place !== undefined || options.device !== undefined;
  const session =
    (isStrange ? null : resumeSession(stage.world, victim, appSessionMs)) ?? openSession(stage.world, victim, options);
  victim.session = own;
  return { ...session, habits: options.habits ?? victim.habits, dice: stage.dice };
}

/** Whether the log-in of an earlier sitting still holds. */
export function isResumed({ id, persona }: Session): boolean {
  return id !== null && id === persona.session?.id;
}

/** Signs in, or where that is not needed has the token renewed if it ran out meanwhile. */
export function* arrive({ world }: Stage, session: Session, say: Voice): Actor {
  yield* isResumed(session) ? renew(world, session, say) : signIn(world, session, say);
}

/** Waits, up to `hours`, for a session of the victim's with a fresh token: the moment at which there is something to steal. */
export function* untilSignedIn(
  stage: Stage,
  victim: Persona,
  hours = 72,
): Generator<number, Session | undefined, void> {
  const { world, dice, startMs } = stage;
  yield startMs;
  while (world.now < Math.min(startMs + hours * hourMs, world.endMs)) {
    const { session } = victim;
    if (session?.token && session.token.issuedMs > world.now - 2 * minuteMs) return session;
    yield world.now + dice.between(30, 90) * secondMs;
  }
  return undefined;
}

/** Unlabelled: cover, or what the victim would have done anyway. */
export function unlabelled(stage: Stage): Voice {
  return (event) => stage.world.emit(event);
}

/** A sitting of which a share of the calls are deeds; the rest is what its habits would have done, said by `cover`. */
export function* sitting(
  stage: Stage,
  session: Session,
  plan: {
    readonly calls: number;
    readonly share: number;
    readonly deed: () => Intention;
    readonly cover: Voice;
    /** Says the deeds; `stage.emit` by default. */
    readonly say?: Voice;
  },
): Actor {
  const { world, dice } = stage;
  const say = plan.say ?? stage.emit;
  yield* arrive(stage, session, plan.cover);
  const ordinary = walk(world, session);
  for (let made = 0; made < plan.calls; made++) {
    yield* renew(world, session, plan.cover);
    if (dice.chance(plan.share)) say(call(session, plan.deed()));
    else plan.cover(call(session, ordinary.next().value));
    yield world.now + dice.logNormal(session.habits.thinkMs, 0.8);
  }
}

/** Routes of the persona's API that exist now and fit; log-in and renewal never do. */
export function routesOf(stage: Stage, persona: Persona, fits: (route: Route) => boolean): readonly Route[] {
  const { now } = stage.world;
  return persona.api.routes.filter(
    (route) => route.resource !== 'auth' && route.sinceMs <= now && now < route.untilMs && fits(route),
  );
}

export function mayCall({ role }: Persona): (route: Route) => boolean {
  return ({ roles }) => roles.includes(role);
}

/** Functions that no task of the persona's role contains, whether or not it would be let in. */
export function foreignTo({ api, role }: Persona): (route: Route) => boolean {
  const own = new Set(
    api.tasks.filter(({ roles }) => roles.includes(role)).flatMap(({ steps }) => steps.map(({ route }) => route)),
  );
  return (route) => route.resource !== 'auth' && !own.has(route);
}

/** Where the persona can carry away most with a call: the largest answers first. */
export function richRoutes(stage: Stage, persona: Persona): readonly Route[] {
  const readable = routesOf(stage, persona, (route) => route.method === 'GET' && mayCall(persona)(route));
  return [...readable].sort((one, other) => other.bytes - one.bytes).slice(0, 4);
}

/** A route that shows one object that belongs to somebody, and the pool of these objects. */
export type ObjectRoute = Route & { readonly pool: Pool };

export function showsObjects(route: Route, ids?: Pool['ids']): route is ObjectRoute {
  const { pool, action } = route;
  if (pool === null || !route.template.includes('{id}') || (action !== 'read' && action !== 'detail')) return false;
  return pool.ownership !== 'shared' && (ids === undefined || pool.ids === ids);
}

/** Where the persona may look at objects one by one. */
export function objectRoutes(persona: Persona, ids?: Pool['ids']): readonly ObjectRoute[] {
  return persona.api.routes.filter(
    (route): route is ObjectRoute =>
      showsObjects(route, ids) && route.roles.includes(persona.role) && route.sinceMs <= persona.startsMs,
  );
}

/** A call without credentials: what remains of it is where it comes from. */
export function anonymous(event: WireEvent): WireEvent {
  const { source, client_ip, user_agent, ja4, country, asn, method, host, path, route } = event;
  const { request_bytes, status, response_bytes, duration_ms, tenant } = event;
  const answer = { request_bytes, status, response_bytes, duration_ms };
  return { source, tenant, client_ip, user_agent, ja4, country, asn, method, host, path, route, ...answer };
}

export const isHuman = ({ kind, credential }: Persona): boolean => kind === 'human' && credential.kind === 'user';
export const isService = ({ kind }: Persona): boolean => kind === 'service';

/** What a thief does with a session: looks at what there is, takes what is large or private, and moves on. */
export function* loot(stage: Stage, session: Session): Generator<Intention, never, void> {
  const { dice, world } = stage;
  const rich = richRoutes(stage, session.persona);
  const ordinary = walk(world, session);
  for (;;) {
    if (rich.length > 0 && dice.chance(0.5)) yield { route: dice.pick(rich), scale: dice.between(1, 2.5) };
    else yield ordinary.next().value;
  }
}

/** A person whose tokens the gateway reports. */
export const hasToken = (persona: Persona): boolean => isHuman(persona) && persona.api.says.token;

/** Somebody who is there nearly every day, if there is one left: a change of theirs, or a theft, is seen within the span. */
export function claimLively(stage: Stage, fits: (persona: Persona) => boolean): Persona | undefined {
  return stage.claim((one) => one.sessionsPerDay >= 0.8 && fits(one)) ?? stage.claim(fits);
}
