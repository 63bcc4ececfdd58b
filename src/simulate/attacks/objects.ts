import { call } from '../call.ts';
import { renew } from '../session.ts';
import { hourMs } from '../week.ts';
import type { Actor, IncidentRecipe, Persona, Session, Stage } from '../world.ts';
import {
  arrive,
  foreignTo,
  intrude,
  isHuman,
  minuteMs,
  type ObjectRoute,
  objectRoutes,
  pause,
  routesOf,
  scaled,
  showsObjects,
  sitting,
  spread,
  strangeDevice,
  strangePlace,
  unlabelled,
} from './means.ts';

/** Objects of others (OWASP API1, D04): by counting up, fast or slowly or with several hands, or from a list of ids known to exist. */
const family = 'objects';
const numbered = (persona: Persona): boolean => isHuman(persona) && objectRoutes(persona, 'numeric').length > 0;

/** Ids from one of somebody's on; a step of two or three now and then, as whoever counts skips what looks broken. */
function* countUp(stage: Stage, route: ObjectRoute, from: Persona): Generator<string, never, void> {
  let id = Number(stage.dice.pick(route.pool.of(from)));
  for (;;) {
    id += stage.dice.chance(0.9) ? 1 : stage.dice.int(3) + 1;
    yield String(id);
  }
}

/** An API that does not check whose object it is answers 200 to each that exists; one that does, 403 or 404 to all. */
function touch(stage: Stage, session: Session, look: { route: ObjectRoute; id: string; guarded: boolean }): void {
  const { route, id, guarded } = look;
  const found = guarded ? 403 : 200;
  stage.emit(call(session, { route, object: id, status: route.pool.exists(id) ? found : 404 }));
}

export const enumerationFast: IncidentRecipe = {
  name: 'enumeration-fast',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['objects.', 'rate.', 'errors.', 'probing.'],
  about: "One user's script reads numbered objects one after another, most of them other people's.",
  hours: 2,
  run: function* (stage): Actor {
    const attacker = stage.claim(numbered);
    if (attacker === undefined) return;
    yield stage.startMs;
    const route = stage.dice.pick(objectRoutes(attacker, 'numeric'));
    const ownMachine = stage.dice.chance(0.5);
    const session = intrude(stage, attacker, ownMachine ? {} : { device: strangeDevice(stage, attacker, 'program') });
    yield* arrive(stage, session, unlabelled(stage));
    const ids = countUp(stage, route, attacker);
    const guarded = stage.dice.chance(0.25);
    for (let left = scaled(stage, 250); left > 0; left--) {
      yield* renew(stage.world, session, stage.emit);
      touch(stage, session, { route, id: ids.next().value, guarded });
      yield pause(stage, 250);
    }
  },
};

export const enumerationSlow: IncidentRecipe = {
  name: 'enumeration-slow',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['objects.'],
  about: 'A user looks at a few foreign objects in each of the sittings of several days, between ordinary calls.',
  hours: 96,
  run: function* (stage): Actor {
    const attacker = stage.claim(numbered);
    if (attacker === undefined) return;
    const route = stage.dice.pick(objectRoutes(attacker, 'numeric'));
    const ids = countUp(stage, route, attacker);
    for (const at of spread(stage, { hours: 96, count: scaled(stage, 8), of: attacker })) {
      yield at;
      const session = intrude(stage, attacker);
      const deed = () => ({ route, object: nextExisting(route, ids) });
      yield* sitting(stage, session, { calls: 25, share: 0.5, deed, cover: unlabelled(stage) });
    }
  },
};

/** Who has time looks up which ids exist before asking (numbers on invoices, links in mails): misses are rare. */
function nextExisting(route: ObjectRoute, ids: Generator<string, never, void>): string {
  for (let tries = 0; tries < 10; tries++) {
    const id = ids.next().value;
    if (route.pool.exists(id)) return id;
  }
  return ids.next().value;
}

export const enumerationDistributed: IncidentRecipe = {
  name: 'enumeration-distributed',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['objects.', 'context.', 'patterns.', 'source.'],
  about: 'Several accounts, each with a few calls an hour, count through the same objects from a handful of places.',
  hours: 10,
  run: function* (stage): Actor {
    const first = stage.claim(numbered, { sparse: true });
    if (first === undefined) return;
    const hands: Persona[] = [first];
    for (let more = Math.min(11, scaled(stage, 3)); more > 0; more--) {
      const next = stage.claim((one) => numbered(one) && one.api === first.api && one.role === first.role, {
        sparse: true,
      });
      if (next !== undefined) hands.push(next);
    }
    yield stage.startMs;
    const { world, dice } = stage;
    const places = hands.slice(0, 3).map((hand) => strangePlace(stage, hand));
    const device = strangeDevice(stage, first);
    const sessions = hands.map((hand) => intrude(stage, hand, { place: dice.pick(places), device }));
    for (const session of sessions) yield* arrive(stage, session, stage.emit);
    const route = dice.pick(objectRoutes(first, 'numeric'));
    const ids = countUp(stage, route, first);
    const calls = hands.length * scaled(stage, 20);
    for (let made = 0; made < calls; made++) {
      const session = dice.pick(sessions);
      yield* renew(world, session, stage.emit);
      touch(stage, session, { route, id: ids.next().value, guarded: false });
      yield world.now + dice.exponential((8 * hourMs) / calls);
    }
  },
};

export const enumerationKnown: IncidentRecipe = {
  name: 'enumeration-known-ids',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['objects.'],
  about: 'A user works through a list of ids that exist and are not theirs: no misses, no order.',
  hours: 6,
  run: function* (stage): Actor {
    const attacker = stage.claim((persona) => isHuman(persona) && objectRoutes(persona).length > 0);
    if (attacker === undefined) return;
    yield stage.startMs;
    const route = stage.dice.pick(objectRoutes(attacker));
    const session = intrude(stage, attacker);
    const deed = () => ({ route, object: route.pool.foreign(attacker, stage.dice) });
    yield* sitting(stage, session, { calls: scaled(stage, 100), share: 0.85, deed, cover: unlabelled(stage) });
  },
};

export const supportBusyDay: IncidentRecipe = {
  name: 'support-busy-day',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'After an incident a support agent looks at several times as many customers in a day as usual.',
  hours: 10,
  run: (stage) => lookedAtMuch(stage, { roles: ['support', 'advisor', 'operator'], hours: 9, sittings: 8, share: 0.5 }),
};

export const auditReview: IncidentRecipe = {
  name: 'audit-review',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'An auditor draws a sample and reads it over some days, as is the job.',
  hours: 72,
  run: (stage) => lookedAtMuch(stage, { roles: ['auditor', 'admin'], hours: 72, sittings: 9, share: 0.6 }),
};

/** Single things of whichever customer that the job is about. In a tenant of its own there are no other people's customers. */
function casework(persona: Persona): readonly ObjectRoute[] {
  if (persona.api.name === 'saas') return [];
  const unused = foreignTo(persona);
  return persona.api.routes.filter(
    (route): route is ObjectRoute =>
      route.pool !== null && route.pool.ids !== 'slug' && route.action === 'read' && !unused(route),
  );
}

/** Somebody whose job it is looks at the objects of many. */
function* lookedAtMuch(
  stage: Stage,
  plan: {
    readonly roles: readonly string[];
    readonly hours: number;
    readonly sittings: number;
    readonly share: number;
  },
): Actor {
  const persona = stage.claim((one) => isHuman(one) && plan.roles.includes(one.role) && casework(one).length > 0);
  if (persona === undefined) return;
  const { dice } = stage;
  const routes = casework(persona);
  for (const at of spread(stage, { hours: plan.hours, count: plan.sittings, of: persona })) {
    yield at;
    const deed = () => {
      const route = dice.pick(routes);
      const { pool } = route;
      const isCatalogue = pool.ownership === 'shared' && pool.ids === 'uuid';
      return { route, object: isCatalogue ? dice.pick(pool.of(persona)) : pool.foreign(persona, dice) };
    };
    const calls = scaled(stage, 25);
    yield* sitting(stage, intrude(stage, persona), { calls, share: plan.share, deed, cover: stage.emit });
  }
}

export const bulkImport: IncidentRecipe = {
  name: 'bulk-import',
  family,
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about: 'An administrator loads a file: hundreds of creations within minutes, each looked at once.',
  hours: 2,
  run: function* (stage): Actor {
    const creates = (persona: Persona) =>
      persona.api.routes.filter(
        ({ action, roles, pool, sinceMs }) =>
          action === 'create' && pool !== null && roles.includes(persona.role) && sinceMs <= persona.startsMs,
      );
    const admin = stage.claim((one) => isHuman(one) && /admin|manager|owner/.test(one.role) && creates(one).length > 0);
    if (admin === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const route = dice.pick(creates(admin));
    const show = routesOf(stage, admin, (other) => showsObjects(other) && other.pool === route.pool)[0];
    const session = intrude(stage, admin);
    yield* arrive(stage, session, stage.emit);
    for (let left = scaled(stage, 220); left > 0; left--) {
      yield* renew(world, session, stage.emit);
      const object = route.pool!.create(admin);
      stage.emit(call(session, { route, object }));
      yield world.now + dice.logNormal(600, 0.4);
      if (show === undefined || !dice.chance(0.5)) continue;
      stage.emit(call(session, { route: show, object, status: 200 }));
      yield world.now + dice.logNormal(400, 0.4);
    }
    yield world.now + minuteMs;
  },
};
