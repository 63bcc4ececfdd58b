import { call } from '../call.ts';
import { renew, visit } from '../session.ts';
import { hourMs } from '../week.ts';
import type { Actor, IncidentRecipe, Persona, Session, Stage, WireEvent } from '../world.ts';
import {
  arrive,
  claimLively,
  hasToken,
  intrude,
  loot,
  mayCall,
  pause,
  routesOf,
  scaled,
  secondMs,
  spread,
  strangeDevice,
  strangePlace,
  untilSignedIn,
} from './means.ts';

/** What users let applications do in their names, and challenges that are passed or ignored (D12, D13, D25). */
const family = 'token';

/** An application acts for a user who consented: the user's subject, the application's id, program and servers. */
function consented(stage: Stage, user: Persona, app: Pick<Session, 'place' | 'device'> & { readonly id: string }) {
  const session = intrude(stage, user, { place: app.place, device: app.device });
  const say = (event: WireEvent): void => stage.emit({ ...event, client_id: app.id });
  return { session, say };
}

/** Users of one API in one tenant, where there are that many; consent spreads by mails among colleagues. */
function claimUsers(stage: Stage, count: number): readonly Persona[] {
  const first = stage.claim(hasToken);
  if (first === undefined) return [];
  const users = [first];
  while (users.length < count) {
    const colleague = (one: Persona) => hasToken(one) && one.api === first.api && one.tenant === first.tenant;
    const next = stage.claim(colleague, { sparse: true });
    if (next === undefined) break;
    users.push(next);
  }
  return users;
}

export const consentAbuse: IncidentRecipe = {
  name: 'consent-abuse',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['context.', 'patterns.', 'token.', 'volume.', 'egress.', 'objects.'],
  about: 'Users were talked into consenting to an application, which then takes away what it can reach.',
  hours: 8,
  run: function* (stage): Actor {
    const users = claimUsers(stage, 2 + stage.dice.int(2));
    if (users.length === 0) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const place = strangePlace(stage, users[0]!);
    const app = { id: `app-${dice.hex(6)}`, place, device: strangeDevice(stage, users[0]!, 'program') };
    for (const user of users) {
      const { session, say } = consented(stage, user, app);
      const plan = loot(stage, session);
      for (let left = scaled(stage, 50); left > 0; left--) {
        yield* renew(world, session, say);
        say(call(session, plan.next().value));
        yield pause(stage, 1_500);
      }
      yield world.now + dice.exponential(hourMs);
    }
  },
};

export const newIntegration: IncidentRecipe = {
  name: 'new-integration',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about:
    'A team connects a new calendar tool: an unknown application in the names of users, a few light calls an hour.',
  hours: 48,
  run: function* (stage): Actor {
    const users = claimUsers(stage, 2 + stage.dice.int(2));
    if (users.length === 0) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const place = strangePlace(stage, users[0]!);
    const app = { id: `app-${dice.hex(6)}`, place, device: strangeDevice(stage, users[0]!, 'program') };
    const routes = routesOf(stage, users[0]!, (route) => route.action === 'list' && route.sensitive.length === 0);
    const allowed = routes.filter(mayCall(users[0]!)).slice(0, 2);
    const open = users.map((user) => consented(stage, user, app));
    while (world.now < Math.min(stage.startMs + 48 * hourMs, world.endMs) && allowed.length > 0) {
      for (const { session, say } of open) {
        yield* renew(world, session, say);
        for (const route of allowed) say(call(session, { route }));
        yield world.now + dice.between(0.9, 1.1) * 5 * secondMs;
      }
      yield world.now + dice.between(0.9, 1.1) * hourMs;
    }
  },
};

/** What a gateway says when a function needs a stronger or fresher log-in (RFC 9470). The token is good: the user stays named. */
const challenge = { status: 403, also: { error_code: 'insufficient_user_authentication' } } as const;

export const stepUpIgnored: IncidentRecipe = {
  name: 'step-up-ignored',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['token.', 'errors.', 'probing.', 'context.', 'patterns.'],
  about: 'Whoever holds the session cannot pass the challenge and works on around it, function after function.',
  hours: 72,
  run: function* (stage): Actor {
    const victim = claimLively(stage, hasToken);
    if (victim === undefined) return;
    const session = yield* untilSignedIn(stage, victim);
    if (session === undefined) return;
    const { dice, world } = stage;
    const thief: Session = { ...session, place: strangePlace(stage, victim), dice };
    const guarded = routesOf(stage, victim, (route) => mayCall(victim)(route) && route.method !== 'GET');
    if (guarded.length === 0) return;
    const plan = loot(stage, thief);
    for (let left = scaled(stage, 45); left > 0 && world.now < thief.token!.expiresMs; left--) {
      if (dice.chance(0.35)) stage.emit(call(thief, { route: dice.pick(guarded), ...challenge }));
      else stage.emit(call(thief, plan.next().value));
      yield pause(stage, 3_000);
    }
  },
};

export const stepUpPassed: IncidentRecipe = {
  name: 'step-up-passed',
  family,
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about: 'A user is challenged, mistypes the code once perhaps, passes, and goes on with a fresher log-in.',
  hours: 3,
  run: function* (stage): Actor {
    const person = stage.claim(hasToken);
    if (person === undefined) return;
    const [at = stage.startMs] = spread(stage, { hours: 3, count: 1, of: person });
    yield at;
    const { world, dice } = stage;
    const session = intrude(stage, person);
    yield* arrive(stage, session, stage.emit);
    const guarded = routesOf(stage, person, (route) => mayCall(person)(route) && route.method !== 'GET');
    if (guarded.length === 0) return;
    stage.emit(call(session, { route: dice.pick(guarded), ...challenge }));
    yield world.now + dice.logNormal(15 * secondMs, 0.4);
    const passed: Session = { ...session, authMs: world.now, acr: 'mfa', amr: ['pwd', 'otp'] };
    stage.emit(call(passed, { route: session.api.route('auth.mfa'), status: 200, also: { auth_result: 'success' } }));
    yield world.now + 2 * secondMs;
    yield* visit(world, passed, { calls: 8 + dice.int(8), say: stage.emit, resumed: true });
  },
};
