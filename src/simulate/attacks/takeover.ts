import { call } from '../call.ts';
import { renew, visit } from '../session.ts';
import { hourMs, hourOfWeek } from '../week.ts';
import type { Actor, IncidentRecipe, Persona, Session, Stage } from '../world.ts';
import {
  arrive,
  intrude,
  isHuman,
  isResumed,
  loot,
  mayCall,
  minuteMs,
  pause,
  richRoutes,
  routesOf,
  scaled,
  secondMs,
  spread,
  strangeDevice,
  strangePlace,
  unlabelled,
} from './means.ts';

/** Somebody else under an identity, told by behaviour alone: other tastes, a robot's tempo, an account that slept (D07, D15 to D17). */
const family = 'takeover';

/** How far apart two people's tastes are: half the sum of differences of their tasks' shares, 0 to 1. */
function distance(one: Persona, other: Persona): number {
  const share = ({ habits: { tasks } }: Persona) => {
    const total = tasks.reduce((sum, weight) => sum + weight, 0) || 1;
    return tasks.map((weight) => weight / total);
  };
  const theirs = share(other);
  return share(one).reduce((sum, mine, i) => sum + Math.abs(mine - theirs[i]!), 0) / 2;
}

export const behaviourSwap: IncidentRecipe = {
  name: 'behaviour-swap',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['sequence.', 'novelty.', 'rhythm.', 'calendar.'],
  about:
    "Somebody else sits at the user's machine for days: same rights, network and program, other tastes, tempo and hours.",
  hours: 72,
  run: function* (stage): Actor {
    const victim = stage.claim(isHuman);
    if (victim === undefined) return;
    const { personas } = stage.world;
    const alike = personas.filter((one) => isHuman(one) && one.api === victim.api && one.role === victim.role);
    const donor = stage.dice
      .sample(alike, 12)
      .reduce((best, one) => (distance(one, victim) > distance(best, victim) ? one : best), victim);
    for (const at of spread(stage, { hours: 72, count: scaled(stage, 8), of: donor })) {
      yield at;
      const session = intrude(stage, victim, { habits: donor.habits });
      const calls = Math.max(10, Math.round(stage.dice.logNormal(donor.habits.callsPerSession, 0.4)));
      yield* visit(stage.world, session, { calls, say: stage.emit, resumed: isResumed(session) });
    }
  },
};

export const robotUnderHuman: IncidentRecipe = {
  name: 'robot-under-human',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['rhythm.', 'calendar.', 'rate.', 'sequence.'],
  about: "A script under a person's log-in goes round a few functions day and night, at even intervals.",
  hours: 14,
  run: function* (stage): Actor {
    const person = stage.claim(isHuman);
    if (person === undefined) return;
    yield stage.startMs;
    const round = stage.dice.sample(
      routesOf(stage, person, (route) => mayCall(person)(route) && route.method === 'GET'),
      4,
    );
    const plan = { everyMs: stage.dice.between(30, 120) * secondMs, jitter: 0.03 + 0.3 * stage.stealth };
    yield* poll(stage, person, { ...plan, round, hours: 12 });
  },
};

export const dashboardOpen: IncidentRecipe = {
  name: 'dashboard-left-open',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'A page that refreshes itself stays open for a working day and into the evening.',
  hours: 12,
  run: function* (stage): Actor {
    const person = stage.claim(isHuman);
    if (person === undefined) return;
    const [at = stage.startMs] = spread(stage, { hours: 12, count: 1, of: person });
    yield at;
    const lists = routesOf(stage, person, (route) => mayCall(person)(route) && route.action === 'list');
    const round = stage.dice.sample(lists, 2);
    yield* poll(stage, person, { everyMs: minuteMs, jitter: 0.02, round, hours: 7 });
  },
};

type Round = Pick<Session['api'], 'routes'>['routes'];

/** The same calls over and over, one every so often. */
function* poll(
  stage: Stage,
  person: Persona,
  plan: { readonly round: Round; readonly everyMs: number; readonly jitter: number; readonly hours: number },
): Actor {
  const { world, dice } = stage;
  const session = intrude(stage, person);
  yield* arrive(stage, session, stage.emit);
  const untilMs = world.now + plan.hours * hourMs;
  for (let turn = 0; world.now < untilMs && plan.round.length > 0; turn++) {
    yield* renew(world, session, stage.emit);
    stage.emit(call(session, { route: plan.round[turn % plan.round.length]! }));
    yield world.now + plan.everyMs * Math.max(0.1, 1 + plan.jitter * dice.normal());
  }
}

/** Silences somebody who has been about long enough to be known, well before the incident. */
function fallAsleep(stage: Stage, person: Persona): void {
  const { world } = stage;
  person.endsMs = Math.min(
    person.endsMs,
    world.startMs + (stage.startMs - world.startMs) * stage.dice.between(0.25, 0.45),
  );
}

export const dormantReturn: IncidentRecipe = {
  name: 'dormant-return',
  family: 'dormant',
  kind: 'attack',
  pace: 'fast',
  expected: ['patterns.', 'context.', 'reach.', 'novelty.'],
  about: 'An account that nobody used for days wakes up elsewhere and looks for what it can take.',
  hours: 6,
  run: function* (stage): Actor {
    const victim = stage.claim(isHuman);
    if (victim === undefined) return;
    fallAsleep(stage, victim);
    yield stage.startMs;
    const { world } = stage;
    const session = intrude(stage, victim, {
      place: strangePlace(stage, victim),
      device: strangeDevice(stage, victim),
    });
    yield* arrive(stage, session, stage.emit);
    const plan = loot(stage, session);
    for (let left = scaled(stage, 40); left > 0; left--) {
      yield* renew(world, session, stage.emit);
      stage.emit(call(session, plan.next().value));
      yield pause(stage, 4_000);
    }
  },
};

export const holidayReturn: IncidentRecipe = {
  name: 'holiday-return',
  family: 'dormant',
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'A user comes back from holidays, to the usual desk, and catches up.',
  hours: 30,
  run: function* (stage): Actor {
    const person = stage.claim(isHuman);
    if (person === undefined) return;
    fallAsleep(stage, person);
    for (const at of spread(stage, { hours: 30, count: 4, of: person })) {
      yield at;
      const session = intrude(stage, person, { place: person.places[0]!, device: person.devices[0]! });
      const calls = Math.round(person.habits.callsPerSession * stage.dice.between(1, 2.5));
      yield* visit(stage.world, session, { calls, say: stage.emit });
    }
  },
};

export const deadlineNight: IncidentRecipe = {
  name: 'deadline-night',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about:
    'Before a deadline somebody works through the night: the usual things, much of them, at hours when they sleep.',
  hours: 32,
  run: function* (stage): Actor {
    const person = stage.claim(isHuman);
    if (person === undefined) return;
    let { startMs: at } = stage;
    while (hourOfWeek(at, person.zone) % 24 !== 22) at += hourMs;
    yield at;
    for (let sittings = scaled(stage, 5); sittings > 0; sittings--) {
      const session = intrude(stage, person, { place: person.places[0]!, device: person.devices[0]! });
      yield* visit(stage.world, session, { calls: Math.round(person.habits.callsPerSession * 1.5), say: stage.emit });
      yield stage.world.now + stage.dice.logNormal(40 * minuteMs, 0.5);
    }
  },
};

export const slowPoisoning: IncidentRecipe = {
  name: 'slow-poisoning',
  family: 'poisoning',
  kind: 'attack',
  pace: 'slow',
  expected: ['volume.', 'egress.', 'rate.', 'objects.', 'novelty.'],
  about: 'A user takes a little more each day, to be thought normal, until it is twenty times as much.',
  hours: 144,
  run: function* (stage): Actor {
    const insider = stage.claim(isHuman);
    if (insider === undefined) return;
    const { world, dice } = stage;
    const steps = 9;
    let step = 0;
    for (const at of spread(stage, { hours: 144, count: steps, of: insider })) {
      yield at;
      // From one call to some sixty, each time by the same factor; the first are not yet out of the ordinary, and are labelled all the same.
      const calls = Math.round(scaled(stage, 60) ** (step++ / (steps - 1)));
      const session = intrude(stage, insider);
      yield* arrive(stage, session, unlabelled(stage));
      const rich = richRoutes(stage, insider);
      for (let made = 0; made < calls && rich.length > 0; made++) {
        yield* renew(world, session, unlabelled(stage));
        stage.emit(call(session, { route: dice.pick(rich), scale: 1 + (2 * step) / steps }));
        yield world.now + dice.logNormal(insider.habits.thinkMs, 0.8);
      }
    }
  },
};

export const growingUse: IncidentRecipe = {
  name: 'growing-use',
  family: 'poisoning',
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'Somebody gets more to do from day to day, and does it as always.',
  hours: 120,
  run: function* (stage): Actor {
    const person = stage.claim(isHuman);
    if (person === undefined) return;
    let step = 0;
    for (const at of spread(stage, { hours: 120, count: 8, of: person })) {
      yield at;
      const calls = Math.round(person.habits.callsPerSession * (0.5 + 0.3 * step++));
      const session = intrude(stage, person);
      yield* visit(stage.world, session, { calls, say: stage.emit, resumed: isResumed(session) });
    }
  },
};
