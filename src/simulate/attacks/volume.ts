import { call } from '../call.ts';
import { renew } from '../session.ts';
import { hourMs } from '../week.ts';
import type { Actor, IncidentRecipe, Persona, Route, Stage } from '../world.ts';
import {
  arrive,
  intrude,
  isHuman,
  isService,
  loot,
  mayCall,
  minuteMs,
  pause,
  richRoutes,
  routesOf,
  scaled,
  secondMs,
  sitting,
  spread,
  unlabelled,
} from './means.ts';

/** Data leaving in bulk (OWASP API4 and API6, D14, D15): by the page within every limit, at once, or drop by drop. */
const family = 'volume';

/** Catalogue entries: shared objects that are read one by one. */
function catalogue(persona: Persona): readonly Route[] {
  return persona.api.routes.filter(
    (route) => route.pool?.ownership === 'shared' && route.action === 'read' && mayCall(persona)(route),
  );
}

export const scraping: IncidentRecipe = {
  name: 'scraping-within-limits',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['objects.', 'rhythm.', 'rate.', 'sequence.', 'novelty.'],
  about: 'A program reads the whole catalogue under a customer log-in, never faster than any limit allows.',
  hours: 10,
  run: function* (stage): Actor {
    const reader = stage.claim((one) => isHuman(one) && catalogue(one).length > 0, { sparse: true });
    if (reader === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const route = dice.pick(catalogue(reader));
    const list = routesOf(stage, reader, (other) => other.pool === route.pool && other.action === 'list')[0];
    const session = intrude(stage, reader);
    yield* arrive(stage, session, stage.emit);
    const entries = dice.sample(route.pool!.of(reader), 400).slice(0, scaled(stage, 320));
    const everyMs = dice.between(10, 60) * secondMs;
    for (const [i, object] of entries.entries()) {
      yield* renew(world, session, stage.emit);
      if (list !== undefined && i % 24 === 0) stage.emit(call(session, { route: list, query: `page=${1 + i / 24}` }));
      stage.emit(call(session, { route, object, status: 200 }));
      yield world.now + everyMs * dice.between(0.8 - 0.5 * stage.stealth, 1.2 + 0.5 * stage.stealth);
    }
  },
};

export const catalogueSync: IncidentRecipe = {
  name: 'catalogue-sync',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'A partner reads the whole catalogue once, to fill a new shop, under its own key and from its own machines.',
  hours: 8,
  run: function* (stage): Actor {
    const service = stage.claim((one) => isService(one) && one.api.name !== 'mesh' && catalogue(one).length > 0);
    if (service === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const route = dice.pick(catalogue(service));
    const session = intrude(stage, service);
    for (const object of dice.sample(route.pool!.of(service), 300)) {
      yield* renew(world, session, stage.emit);
      stage.emit(call(session, { route, object, status: 200 }));
      yield world.now + dice.logNormal(15 * secondMs, 0.2);
    }
  },
};

export const exfilBurst: IncidentRecipe = {
  name: 'exfiltration-burst',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['volume.', 'egress.', 'rate.'],
  about: 'An insider, or whoever holds the session, takes the largest lists and exports there are, within minutes.',
  hours: 2,
  run: function* (stage): Actor {
    const taker = stage.claim((one) => isHuman(one) && one.api.says.token);
    if (taker === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const rich = richRoutes(stage, taker);
    const session = intrude(stage, taker);
    yield* arrive(stage, session, unlabelled(stage));
    for (let left = scaled(stage, 35); left > 0 && rich.length > 0; left--) {
      yield* renew(world, session, stage.emit);
      stage.emit(call(session, { route: dice.pick(rich), scale: dice.between(4, 20), status: 200 }));
      yield pause(stage, 6_000);
    }
  },
};

export const exfilDrip: IncidentRecipe = {
  name: 'exfiltration-drip',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['volume.', 'egress.', 'objects.', 'novelty.'],
  about: 'A few larger answers in each sitting of several days, between ordinary calls.',
  hours: 96,
  run: function* (stage): Actor {
    const taker = stage.claim(isHuman);
    if (taker === undefined) return;
    const { dice } = stage;
    for (const at of spread(stage, { hours: 96, count: scaled(stage, 10), of: taker })) {
      yield at;
      const rich = richRoutes(stage, taker);
      if (rich.length === 0) return;
      const deed = () => ({ route: dice.pick(rich), scale: dice.between(2, 5), status: 200 });
      yield* sitting(stage, intrude(stage, taker), { calls: 20, share: 0.3, deed, cover: unlabelled(stage) });
    }
  },
};

export const yearlyReport: IncidentRecipe = {
  name: 'yearly-report',
  family,
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about: 'Somebody needs the figures of a whole year: four or five large answers, at a human tempo, once.',
  hours: 3,
  run: function* (stage): Actor {
    const person = stage.claim(isHuman);
    if (person === undefined) return;
    const [at = stage.startMs] = spread(stage, { hours: 3, count: 1, of: person });
    yield at;
    const { world, dice } = stage;
    const rich = richRoutes(stage, person);
    const session = intrude(stage, person);
    yield* arrive(stage, session, stage.emit);
    for (let left = scaled(stage, 5); left > 0 && rich.length > 0; left--) {
      yield* renew(world, session, stage.emit);
      stage.emit(call(session, { route: dice.pick(rich), scale: dice.between(4, 12), status: 200 }));
      yield world.now + dice.logNormal(2 * minuteMs, 0.6);
    }
  },
};

/** Our own blocking as the stream shows it: refused by us, and marked so. */
function blocked(stage: Stage) {
  const decision = `dec_${stage.dice.hex(24)}`;
  return { status: 403, also: { enforced: true, decision_id: decision, error_code: 'policy' } } as const;
}

export const enforcementEcho: IncidentRecipe = {
  name: 'enforcement-echo',
  family: 'echo',
  kind: 'attack',
  pace: 'fast',
  expected: ['volume.', 'egress.', 'rate.', 'novelty.'],
  about:
    'A burst is cut short by a decision of ours; the program hammers on, and goes on stealing when the block ends.',
  hours: 3,
  run: function* (stage): Actor {
    const taker = stage.claim(isHuman);
    if (taker === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const session = intrude(stage, taker);
    yield* arrive(stage, session, unlabelled(stage));
    const plan = loot(stage, session);
    for (const phase of ['takes', 'is blocked', 'takes again'] as const) {
      const refusal = blocked(stage);
      for (let left = scaled(stage, 30); left > 0; left--) {
        if (phase !== 'is blocked') yield* renew(world, session, unlabelled(stage));
        const intention = plan.next().value;
        if (phase !== 'is blocked') stage.emit(call(session, intention));
        // What we refused is neither an event of the attack nor one of ordinary life: it is not labelled.
        else world.emit(call(session, { ...intention, ...refusal }));
        yield pause(stage, phase === 'is blocked' ? 300 : 1_500);
      }
      yield world.now + dice.between(2, 8) * minuteMs;
    }
  },
};

export const blockedClient: IncidentRecipe = {
  name: 'blocked-client-retries',
  family: 'echo',
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about: 'We block somebody innocent, and their app tries again hundreds of times: an answer of ours is no evidence.',
  hours: 3,
  run: function* (stage): Actor {
    const person = stage.claim(isHuman);
    if (person === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const session = intrude(stage, person);
    yield* arrive(stage, session, unlabelled(stage));
    const routes = routesOf(stage, person, mayCall(person));
    const refusal = blocked(stage);
    const untilMs = world.now + hourMs;
    for (let left = scaled(stage, 300); left > 0 && world.now < untilMs; left--) {
      stage.emit(call(session, { route: routes[dice.zipf(Math.min(6, routes.length))]!, ...refusal }));
      yield world.now + dice.logNormal(2_000, 0.5);
    }
  },
};
