import { call } from '../call.ts';
import { watch } from '../look-alikes/watching.ts';
import { visit } from '../session.ts';
import { hourMs } from '../week.ts';
import type { Actor, IncidentRecipe, Persona, Route, Session, Stage, WireEvent, World } from '../world.ts';
import {
  anonymous,
  arrive,
  claimLively,
  foreignTo,
  intrude,
  isHuman,
  isResumed,
  isService,
  mayCall,
  minuteMs,
  pause,
  routesOf,
  scaled,
  sitting,
  spread,
  strangeDevice,
  strangePlace,
  unlabelled,
} from './means.ts';

/** Functions that the identity never used and should not (OWASP API5, D06, D18, D20, D21): probing, creeping rights, new segments. */
const family = 'reach';
const denied = (persona: Persona) => (route: Route) => !route.roles.includes(persona.role);
const hasDenied = (persona: Persona): boolean =>
  persona.api.routes.filter((route) => route.resource !== 'auth' && denied(persona)(route)).length >= 6;

export const functionProbing: IncidentRecipe = {
  name: 'function-probing',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['reach.', 'errors.', 'probing.', 'novelty.'],
  about: 'A user tries, one after another, functions that only other roles use; a few of them answer.',
  hours: 2,
  run: function* (stage): Actor {
    const attacker = stage.claim((persona) => isHuman(persona) && hasDenied(persona));
    if (attacker === undefined) return;
    yield stage.startMs;
    const { dice } = stage;
    const session = intrude(stage, attacker);
    yield* arrive(stage, session, unlabelled(stage));
    const routes = dice.sample(routesOf(stage, attacker, denied(attacker)), scaled(stage, 20));
    for (const route of routes) {
      for (let tries = dice.geometric(1.5); tries > 0; tries--) {
        stage.emit(call(session, { route, status: dice.chance(0.15) ? 200 : 403 }));
        yield pause(stage, 900);
      }
    }
  },
};

/** What scanners ask for: published word lists' most common entries. */
const wordList = [
  '/.env',
  '/.git/config',
  '/swagger.json',
  '/openapi.json',
  '/v2/api-docs',
  '/actuator/env',
  '/actuator/heapdump',
  '/metrics',
  '/debug/pprof/',
  '/graphql',
  '/admin',
  '/admin/login',
  '/console',
  '/server-status',
  '/backup.zip',
  '/config.json',
  '/api/internal/users',
  '/internal/health',
  '/v0/users',
  '/v1/users/export',
  '/v1/admin/settings',
  '/v1/debug',
  '/wp-login.php',
  '/phpinfo.php',
];

export const reconnaissance: IncidentRecipe = {
  name: 'reconnaissance',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['errors.', 'probing.', 'reach.', 'novelty.'],
  about: 'Somebody, with an account or without, asks for documents, versions and guesses at what else there is.',
  hours: 2,
  run: function* (stage): Actor {
    const { dice, world } = stage;
    const signedIn = dice.chance(0.5);
    // Without an account nobody is attacked yet: any persona serves, to say which API it is about.
    const account = signedIn ? stage.claim(isHuman, { sparse: true }) : dice.pick(world.personas.filter(isHuman));
    if (account === undefined) return;
    yield stage.startMs;
    const place = strangePlace(stage, account);
    const session = intrude(stage, account, { place, device: strangeDevice(stage, account, 'program') });
    if (signedIn) yield* arrive(stage, session, stage.emit);
    const say = (event: WireEvent) => stage.emit(signedIn ? event : anonymous(event));
    const known = account.api.routes;
    for (let left = scaled(stage, 70); left > 0; left--) {
      const route = dice.pick(known);
      const guess = dice.chance(0.6) ? dice.pick(wordList) : variant(route, dice.int(3));
      if (dice.chance(0.75))
        say(call(session, { route, status: 404, also: { path: guess, route: undefined, method: 'GET' } }));
      else
        say(
          call(session, {
            route,
            status: signedIn ? 403 : 401,
            ...(signedIn ? {} : { also: { auth_result: 'failure' } }),
          }),
        );
      yield pause(stage, 300);
    }
  },
};

/** A guess at a path from one that exists: another version, an inner door, a neighbour. */
function variant({ template }: Route, which: number): string {
  const path = template.replaceAll('{id}', '1');
  if (which === 0) return path.replace('/v1/', '/v2/');
  return which === 1 ? `/internal${path}` : `${path}/all`;
}

export const privilegeCreep: IncidentRecipe = {
  name: 'privilege-creep',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['reach.', 'token.', 'novelty.'],
  about: 'Over some days an identity gains one right after the other, and uses each.',
  hours: 96,
  run: function* (stage): Actor {
    const climber = stage.claim((persona) => isHuman(persona) && hasDenied(persona));
    if (climber === undefined) return;
    const { dice } = stage;
    const gained: Route[] = [];
    const scopes = new Set<string>();
    for (const at of spread(stage, { hours: 96, count: scaled(stage, 7), of: climber })) {
      yield at;
      const left = routesOf(stage, climber, (route) => denied(climber)(route) && !gained.includes(route));
      for (const route of dice.sample(left, 2)) {
        gained.push(route);
        scopes.add(route.scope);
      }
      if (gained.length === 0) return;
      // The token says what was granted; so do the ordinary calls made with it.
      const widened = (event: WireEvent): WireEvent =>
        event.scopes ? { ...event, scopes: [...new Set([...event.scopes, ...scopes])] } : event;
      const deed = () => ({ route: dice.chance(0.6) ? gained.at(-1)! : dice.pick(gained), status: 200 });
      const cover = (event: WireEvent) => stage.world.emit(widened(event));
      const say = (event: WireEvent) => stage.emit(widened(event));
      yield* sitting(stage, intrude(stage, climber), { calls: 20, share: 0.3, deed, cover, say });
    }
  },
};

export const serviceNewSegments: IncidentRecipe = {
  name: 'service-new-segments',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['reach.', 'novelty.', 'patterns.', 'errors.', 'probing.'],
  about: 'A compromised internal service, from its own address, calls services and functions that it never called.',
  hours: 3,
  run: function* (stage): Actor {
    const service = stage.claim(inMesh);
    if (service === undefined) return;
    yield stage.startMs;
    const { dice } = stage;
    const session = intrude(stage, service);
    const routes = dice.sample(routesOf(stage, service, otherSegment(service)), scaled(stage, 12));
    for (const route of routes) {
      // Inside, most doors are open: that is why segments matter.
      const status = dice.chance(0.7) ? 200 : 403;
      for (let calls = dice.geometric(status === 200 ? 6 : 1.5); calls > 0; calls--) {
        stage.emit(call(session, { route, status, object: foreignOf(stage, session, route) }));
        yield pause(stage, 700);
      }
      yield stage.world.now + dice.logNormal(minuteMs, 0.6);
    }
  },
};

const inMesh = (one: Persona): boolean => isService(one) && one.api.name === 'mesh';

/** Functions on hosts that the tasks of the service's role never call. */
function otherSegment(service: Persona): (route: Route) => boolean {
  const unused = foreignTo(service);
  const hosts = new Set(service.api.routes.filter((route) => !unused(route)).map(({ host }) => host));
  return (route) => !hosts.has(route.host);
}

function foreignOf({ dice }: Stage, { persona }: Session, route: Route): string | undefined {
  return route.pool === null ? undefined : route.pool.foreign(persona, dice);
}

export const newDependency: IncidentRecipe = {
  name: 'service-new-dependency',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'A release lets a service call one other function with each of its runs, from then on.',
  hours: 72,
  run: function* (stage): Actor {
    const service = stage.claim(inMesh);
    if (service === undefined) return;
    yield stage.startMs;
    const { dice, world } = stage;
    // Whoever releases it has the door opened first: no refusals.
    const routes = dice.sample(routesOf(stage, service, otherSegment(service)), 2);
    const session = intrude(stage, service);
    while (world.now < Math.min(stage.startMs + 72 * hourMs, world.endMs) && routes.length > 0) {
      for (const route of routes) stage.emit(call(session, { route, status: 200 }));
      yield world.now + dice.between(0.8, 1.2) * 30 * minuteMs;
    }
  },
};

export const roleChange: IncidentRecipe = {
  name: 'role-change',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'Somebody is promoted: new role and scopes in the tokens, new functions in use, at the usual place and tempo.',
  hours: 72,
  run: function* (stage): Actor {
    // Asked once per role: it looks at everybody.
    const roles = new Map<string, string | undefined>();
    const next = (one: Persona): string | undefined => {
      const key = `${one.api.name} ${one.role}`;
      if (!roles.has(key)) roles.set(key, wider(stage.world, one));
      return roles.get(key);
    };
    const person = claimLively(stage, (one) => isHuman(one) && one.role !== 'customer' && next(one) !== undefined);
    if (person === undefined) return;
    yield stage.startMs;
    person.role = wider(stage.world, person) ?? person.role;
    watch(stage, { hours: 72, personas: [person] });
  },
};

/** A role that people have in the same API, with more functions than the persona's; the next one up. */
function wider({ personas }: World, { api, role }: Persona): string | undefined {
  const reach = (name: string) => api.routes.filter(({ roles }) => roles.includes(name)).length;
  const held = new Set(personas.filter((one) => one.api === api && isHuman(one)).map((one) => one.role));
  const above = [...held].filter((name) => reach(name) > reach(role));
  return above.sort((one, other) => reach(one) - reach(other))[0];
}

export const featureDiscovery: IncidentRecipe = {
  name: 'feature-discovery',
  family,
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about: 'A user clicks through everything that the menu offers, and once or twice through what is not for them.',
  hours: 3,
  run: function* (stage): Actor {
    const person = stage.claim(isHuman);
    if (person === undefined) return;
    const [at = stage.startMs] = spread(stage, { hours: 3, count: 1, of: person });
    yield at;
    const session = intrude(stage, person, { habits: { ...person.habits, curiosity: 0.8 } });
    yield* visit(stage.world, session, { calls: scaled(stage, 45), say: stage.emit, resumed: isResumed(session) });
    for (const route of stage.dice.sample(routesOf(stage, person, denied(person)), 2)) {
      stage.emit(call(session, { route, status: 403 }));
      yield stage.world.now + stage.dice.logNormal(6_000, 0.5);
    }
  },
};

export const brokenLinks: IncidentRecipe = {
  name: 'broken-links',
  family,
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about: 'A list shows things that are gone: whoever goes through it gets dozens of 404 within minutes.',
  hours: 2,
  run: function* (stage): Actor {
    const person = stage.claim(
      (one) => isHuman(one) && one.api.routes.some((route) => mayCall(one)(route) && route.action === 'read'),
    );
    if (person === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const session = intrude(stage, person);
    yield* arrive(stage, session, stage.emit);
    const routes = routesOf(stage, person, (route) => mayCall(person)(route) && route.action === 'read');
    if (routes.length === 0) return;
    const route = dice.pick(routes);
    for (let left = scaled(stage, 30); left > 0; left--) {
      stage.emit(call(session, { route, status: dice.chance(0.7) ? 404 : 200 }));
      yield world.now + dice.logNormal(dice.chance(0.5) ? 300 : 4_000, 0.5);
    }
  },
};
