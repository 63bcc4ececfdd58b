import { call, ownObject } from './call.ts';
import type {
  Actor,
  Device,
  Habits,
  Intention,
  Persona,
  Place,
  Route,
  Session,
  Step,
  Task,
  Token,
  WireEvent,
  World,
} from './world.ts';

/** Where a session's events go: `world.emit`, or `stage.emit` for those of an incident. */
export type Voice = (event: WireEvent) => unknown;

const minuteMs = 60_000;

export type SessionOptions = {
  readonly place?: Place;
  readonly device?: Device;
  /** Somebody else's tastes under this identity. */
  readonly habits?: Habits;
};

/** A new sitting of the persona's; emits nothing. It becomes the persona's newest session. */
export function openSession(world: World, persona: Persona, options: SessionOptions = {}): Session {
  const { dice } = persona;
  const isPerson = persona.credential.kind === 'user';
  const strong = persona.api.name === 'bank' || persona.role === 'admin';
  const session: Session = {
    persona,
    api: persona.api,
    id: isPerson ? `s${dice.hex(12)}` : null,
    authMs: world.now,
    acr: isPerson ? (strong ? 'mfa' : 'pwd') : null,
    amr: isPerson ? (strong ? ['pwd', 'otp'] : ['pwd']) : null,
    token: null,
    device: options.device ?? usual(persona.devices, dice.next()),
    place: options.place ?? usual(persona.places, dice.next()),
    role: persona.role,
    habits: options.habits ?? persona.habits,
    dice,
  };
  if (persona.credential.kind === 'user' || persona.credential.kind === 'oauth-client')
    session.token = newToken(world, session);
  persona.session = session;
  return session;
}

/** Where an app left off: the session and its log-in stay, the place is today's. Null when there is nothing to go on with. */
export function resumeSession(world: World, persona: Persona, keptMs: number): Session | null {
  const { session, dice } = persona;
  const app = persona.devices.find((device) => device.kind === 'app' && device.id === session?.device.id);
  if (session === null || app === undefined || session.role !== persona.role) return null;
  if (session.token === null || world.now - session.token.issuedMs > keptMs || !dice.chance(0.85)) return null;
  persona.session = { ...session, device: app, place: usual(persona.places, dice.next()) };
  return persona.session;
}

/** The first three times out of four, then the second, and so on. */
function usual<T>(choices: readonly T[], luck: number): T {
  const turn = Math.floor(-Math.log(1 - luck) / Math.log(4));
  return choices[Math.min(turn, choices.length - 1)]!;
}

function newToken(world: World, session: Session): Token {
  return {
    id: `t${session.dice.hex(14)}`,
    issuedMs: world.now,
    expiresMs: world.now + session.api.tokenSeconds * 1000,
    scopes: session.api.scopesOf(session.role),
  };
}

/** Log-in of a person, with the occasional wrong password before it; other credentials need none. */
export function* signIn(world: World, session: Session, say: Voice): Actor {
  const { api, dice } = session;
  if (session.persona.credential.kind !== 'user') return;
  const login = api.route('auth.login');
  if (dice.chance(0.05)) {
    for (let typos = dice.geometric(1.4); typos > 0; typos--) {
      say(refused(session, login));
      yield world.now + dice.logNormal(7_000, 0.5);
    }
  }
  session.token = newToken(world, session);
  say(call(session, { route: login, status: 200, also: { auth_result: 'success' } }));
  if (session.acr === 'mfa' && api.name === 'bank') {
    yield world.now + dice.logNormal(9_000, 0.5);
    say(call(session, { route: api.route('auth.mfa'), status: 200, also: { auth_result: 'success' } }));
  }
  yield world.now + dice.logNormal(1_200, 0.5);
}

/** A refused log-in: the name is claimed, there is no token and no session. */
export function refused(session: Session, route: Route): WireEvent {
  const none = { session_id: undefined, token_id: undefined, token_iat: undefined, token_exp: undefined };
  const claims = { scopes: undefined, roles: undefined, acr: undefined, amr: undefined, auth_time: undefined };
  return call(session, {
    route,
    status: 401,
    also: { ...none, ...claims, auth_result: 'failure', error_code: 'bad_credentials' },
  });
}

/** Renews the access token when it has run out, as client programs do: sometimes only after a 401 told them. */
export function* renew(world: World, session: Session, say: Voice): Actor {
  const { token, api, dice } = session;
  if (token === null || world.now < token.expiresMs - 5_000) return;
  if (world.now > token.expiresMs && dice.chance(0.15)) {
    const { route } = nextStep(world, session);
    say(call(session, { route, status: 401, also: { auth_result: 'failure', error_code: 'token_expired' } }));
    yield world.now + dice.between(40, 400);
  }
  session.token = newToken(world, session);
  say(call(session, { route: api.route('auth.renew'), status: 200 }));
  yield world.now + dice.between(30, 300);
}

/** Everything a session does, one intention after another, without end. Releases and rights are asked as it goes. */
export function* walk(world: World, session: Session): Generator<Intention, never, void> {
  const { dice } = session;
  for (;;) {
    const task = chooseTask(session);
    if (task === undefined) {
      yield nextStep(world, session);
      continue;
    }
    const objects = new Map<string, string>();
    for (const step of task.steps) {
      for (let times = repetitions(session, step); times > 0; times--) {
        if (dice.chance(session.habits.curiosity)) yield nextStep(world, session);
        if (isOpen(step.route, world.now)) yield intend(session, step.route, objects);
      }
    }
  }
}

function chooseTask({ api, habits, role, dice }: Session): Task | undefined {
  const weights = api.tasks.map((task, i) => (task.roles.includes(role) ? habits.tasks[i]! : 0));
  return weights.some((weight) => weight > 0) ? api.tasks[dice.weighted(weights)] : undefined;
}

function repetitions({ dice }: Session, { times }: Step): number {
  switch (times) {
    case 'once':
      return 1;
    case 'maybe':
      return dice.chance(0.5) ? 1 : 0;
    case 'some':
      return dice.geometric(2);
    case 'many':
      return dice.geometric(5);
  }
}

/** The next call of a task: the object that it is about stays the same, unless there are several to go through. */
function intend(session: Session, route: Route, objects: Map<string, string>): Intention {
  const { pool } = route;
  if (route.action === 'search') return { route, query: `q=${session.dice.hex(4)}&page=${session.dice.zipf(5) + 1}` };
  if (route.action === 'list')
    return session.dice.chance(0.3) ? { route, query: `page=${session.dice.zipf(6) + 1}` } : { route };
  if (pool === null) return { route };
  if (route.action === 'create') objects.set(pool.name, pool.create(session.persona));
  if (!route.template.includes('{id}')) return { route };
  const known = objects.get(pool.name);
  const object =
    known === undefined || (route.action === 'read' && session.dice.chance(0.6)) ? ownObject(session, route) : known;
  if (object !== undefined) objects.set(pool.name, object);
  return { route, object };
}

/** Any call that the role may make, the popular ones first: how people find a function they never used. */
function nextStep(world: World, session: Session): Intention {
  const { api, dice, role } = session;
  for (let tries = 0; tries < 20; tries++) {
    const route = api.routes[dice.zipf(api.routes.length)]!;
    if (route.resource !== 'auth' && route.roles.includes(role) && isOpen(route, world.now))
      return intend(session, route, new Map());
  }
  return { route: api.routes.find((route) => route.roles.includes(role)) ?? api.routes[0]! };
}

function isOpen(route: Route, now: number): boolean {
  return now >= route.sinceMs && now < route.untilMs;
}

/** A whole sitting: sign in, `calls` calls at the persona's tempo, renewals in between. */
export function* visit(
  world: World,
  session: Session,
  options: { readonly calls: number; readonly say: Voice; readonly resumed?: boolean },
): Actor {
  const { dice } = session;
  if (options.resumed !== true) yield* signIn(world, session, options.say);
  const steps = walk(world, session);
  for (let made = 0; made < options.calls; made++) {
    yield* renew(world, session, options.say);
    options.say(call(session, steps.next().value));
    // Most pauses are short; now and then somebody is called away.
    const pause = dice.logNormal(session.habits.thinkMs, 0.8);
    yield world.now + (dice.chance(0.02) && session.id !== null ? dice.logNormal(5 * minuteMs, 0.8) : pause);
  }
  if (session.id !== null && dice.chance(0.2))
    options.say(call(session, { route: session.api.route('auth.logout'), status: 204 }));
}
