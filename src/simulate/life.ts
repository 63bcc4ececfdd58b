import { app, desktop, library, updated } from './devices.ts';
import { placeIn } from './networks.ts';
import { openSession, resumeSession, visit } from './session.ts';
import { dayMs, hourOfWeek, nextMinuteOfDay } from './week.ts';
import type { Actor, Persona, Place, World } from './world.ts';

/** How often ordinary life changes something, in days on average. */
const every = {
  newLease: 12,
  update: 20,
  newDevice: 75,
  trip: 80,
  newRole: 700,
  deployment: 35,
  newEgress: 70,
} as const;
/** A mood may call people so many times as often. */
const moodMax = 4;
/** An app stays signed in so long after its last use. */
const appSessionDays = 25;

type Trip = { untilMs: number; home: Place[] };

/** All that a persona does of its own accord, from its first day to its last. */
export function* live(world: World, persona: Persona): Actor {
  const { dice, habits } = persona;
  const trip: Trip = { untilMs: 0, home: [] };
  let last = persona.startsMs;
  if (world.now < last) yield last;
  for (;;) {
    const at = nextTime(world, persona);
    if (at >= Math.min(persona.endsMs, world.endMs)) return;
    yield at;
    if (persona.kind === 'human') changePerson(world, persona, { days: (at - last) / dayMs, trip });
    else changeService(persona, (at - last) / dayMs, world);
    last = at;
    const calls = dice.geometric(persona.habits === habits ? habits.callsPerSession : persona.habits.callsPerSession);
    const resumed = resumeSession(world, persona, appSessionDays * dayMs);
    yield* visit(world, resumed ?? openSession(world, persona), {
      calls,
      say: (event) => world.emit(event),
      resumed: resumed !== null,
    });
  }
}

function nextTime(world: World, persona: Persona): number {
  const { rhythm, zone, dice } = persona;
  switch (rhythm.kind) {
    case 'week':
      return nextVisit(world, persona);
    case 'every': {
      const interval = rhythm.minutes * 60_000;
      const phase = (persona.index * 7_919_000) % interval;
      const slot = Math.ceil((world.now + 1 - phase) / interval) * interval + phase;
      return slot + dice.int(rhythm.jitterMs);
    }
    case 'daily':
      return nextMinuteOfDay(world.now, zone, rhythm) + dice.int(rhythm.jitterMs);
  }
}

/** A Poisson process whose rate follows the week and the moods, by thinning (Lewis and Shedler 1979). */
function nextVisit({ now, moods, endMs }: World, persona: Persona): number {
  const { dice, zone, habits, sessionsPerDay } = persona;
  const { week } = habits;
  let total = 0;
  for (let hour = 0; hour < week.length; hour++) total += week[hour]!;
  const most = moods.some((mood) => mood.untilMs > now) ? moodMax : 1;
  const meanMs = ((dayMs / sessionsPerDay) * (total / week.length)) / most;
  let at = now;
  while (at < endMs) {
    at += dice.exponential(meanMs);
    let wish = week[hourOfWeek(at, zone)]!;
    for (const mood of moods) if (at >= mood.fromMs && at < mood.untilMs) wish *= mood.factor(persona);
    if (dice.chance(wish / most)) return Math.ceil(at);
  }
  return at;
}

function happens(persona: Persona, days: number, meanDays: number): boolean {
  return persona.dice.chance(1 - Math.exp(-days / meanDays));
}

/** New addresses, new versions, new phones, journeys, promotions: all of it innocent. */
function changePerson(world: World, persona: Persona, since: { readonly days: number; readonly trip: Trip }): void {
  const { dice } = persona;
  const { days, trip } = since;
  const leased = happens(persona, days, every.newLease);
  persona.places = persona.places.map((place) =>
    place.network.kind !== 'home' || leased ? { ...place, ip: place.network.address(dice) } : place,
  );
  if (happens(persona, days, every.update)) persona.devices = persona.devices.map(updated);
  if (happens(persona, days, every.newDevice)) {
    const fresh = persona.devices[0]!.kind === 'app' ? app(persona.api.name, dice) : desktop(dice);
    persona.devices = [fresh, ...persona.devices].slice(0, 3);
  }
  if (trip.home.length > 0 && world.now >= trip.untilMs) {
    persona.places = trip.home;
    trip.home = [];
  } else if (trip.home.length === 0 && happens(persona, days, every.trip)) {
    trip.home = persona.places;
    trip.untilMs = world.now + dice.between(1, 7) * dayMs;
    const abroad = dice.pick(world.networks.filter((each) => each.kind === 'mobile'));
    persona.places = [
      { network: abroad, ip: abroad.address(dice) },
      placeIn(world, dice, { kind: 'home', country: abroad.country }),
    ];
  }
  if (persona.role === 'member' && happens(persona, days, every.newRole)) persona.role = 'manager';
}

function changeService(persona: Persona, days: number, world: World): void {
  if (happens(persona, days, every.deployment)) {
    persona.devices =
      persona.api.name === 'mesh' || persona.dice.chance(0.8) ? persona.devices.map(updated) : [library(persona.dice)];
  }
  if (persona.api.name !== 'mesh' && happens(persona, days, every.newEgress)) {
    const kind = persona.places[0]!.network.kind;
    persona.places = [
      kind === 'datacenter'
        ? placeIn(world, persona.dice, { kind })
        : { ...persona.places[0]!, ip: persona.places[0]!.network.address(persona.dice) },
    ];
  }
}
