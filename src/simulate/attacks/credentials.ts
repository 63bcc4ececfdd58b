import { call } from '../call.ts';
import { refused, visit } from '../session.ts';
import { hourMs } from '../week.ts';
import type { Actor, Device, IncidentRecipe, Persona, Place, Session, Stage, WireEvent } from '../world.ts';
import {
  arrive,
  intrude,
  isHuman,
  isService,
  minuteMs,
  pause,
  routesOf,
  scaled,
  secondMs,
  spread,
  strangeDevice,
  strangePlace,
  unlabelled,
} from './means.ts';

/**
 * Guessed and forged credentials (OWASP API2, D09, D10, D23). Refused calls belong to the address they come from, not to the account they
 * name; the few that succeed belong to the account.
 */
const family = 'source';

/**
 * One try with a password that is wrong. Nothing of the account is in it but the name, and half of the names are nobody's: lists come from
 * elsewhere.
 */
function guess(stage: Stage, account: Persona, from: { place: Place; device: Device }): WireEvent {
  const { dice } = stage;
  const session = attempt(account, stage, from);
  const event = refused(session, account.api.route('auth.login'));
  const { subject } = event;
  return subject && dice.chance(0.5)
    ? { ...event, subject: `${subject.slice(0, 2)}${dice.hex(subject.length - 2)}` }
    : event;
}

/** A session that never was: what `refused` needs to say where the try came from. */
function attempt(persona: Persona, stage: Stage, { place, device }: { place: Place; device: Device }): Session {
  const habits = { habits: persona.habits, dice: stage.dice };
  const none = { id: null, authMs: stage.world.now, acr: null, amr: null, token: null };
  return { persona, api: persona.api, role: persona.role, place, device, ...none, ...habits };
}

/** A password that fits: sign in, look around, try what is worth something. */
function* breakIn(stage: Stage, victim: Persona, from: { place: Place; device: Device }): Actor {
  const session = intrude(stage, victim, from);
  yield* arrive(stage, session, stage.emit);
  yield* visit(stage.world, session, { calls: 4 + stage.dice.int(12), say: stage.emit, resumed: true });
}

/** `won`: how many accounts have a password that is on the list; now and then nobody has. */
type Campaign = { readonly sources: number; readonly tries: number; readonly hours: number; readonly won: number };

/** Tries from some addresses; now and then a password fits, and somebody comes back to use it. */
function* campaign(stage: Stage, plan: Campaign): Actor {
  const { world, dice } = stage;
  const customers = world.personas.filter((one) => isHuman(one) && one.role === 'customer');
  const first = dice.pick(customers);
  const victims: Persona[] = [];
  while (victims.length < plan.won) {
    const next = stage.claim((one) => one.role === first.role && one.api === first.api, { sparse: true });
    if (next === undefined) break;
    victims.push(next);
  }
  yield stage.startMs;
  // Each name once, before the first is tried again.
  const accounts = dice.sample(
    customers.filter((one) => one.api === first.api),
    customers.length,
  );
  const sources = Array.from({ length: plan.sources }, () => ({
    place: strangePlace(stage, first),
    device: strangeDevice(stage, first, dice.chance(0.5) ? 'browser' : 'program'),
  }));
  const tries = Math.max(plan.tries, 2);
  const wins = new Map(victims.map((victim, i) => [Math.floor(((i + 0.5) * tries) / victims.length), victim]));
  for (let made = 0; made < tries; made++) {
    const from = dice.pick(sources);
    const victim = wins.get(made);
    if (victim === undefined) stage.emit(guess(stage, accounts[made % accounts.length]!, from));
    else world.play(breakIn(stage, victim, from));
    yield world.now + dice.exponential((plan.hours * hourMs) / tries);
  }
}

export const stuffing: IncidentRecipe = {
  name: 'stuffing',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['source.', 'errors.', 'probing.', 'rate.'],
  about: 'One address tries a leaked list of names and passwords, one try each; perhaps one fits.',
  hours: 2,
  run: (stage) => campaign(stage, { sources: 1, tries: scaled(stage, 300), hours: 0.4, won: 1 }),
};

export const stuffingBotnet: IncidentRecipe = {
  name: 'stuffing-botnet',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['source.', 'errors.', 'probing.', 'context.', 'patterns.'],
  about: 'The same list from dozens of addresses, a few tries from each.',
  hours: 8,
  run: (stage) => campaign(stage, { sources: scaled(stage, 60), tries: scaled(stage, 300), hours: 6, won: 1 }),
};

export const spraying: IncidentRecipe = {
  name: 'spraying',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['source.', 'errors.', 'probing.'],
  about: 'One common password against one account after another, one try a few minutes, for a night and a day.',
  hours: 24,
  run: (stage) => campaign(stage, { sources: 1, tries: scaled(stage, 160), hours: 20, won: stage.dice.int(2) }),
};

export const sprayingBotnet: IncidentRecipe = {
  name: 'spraying-botnet',
  family,
  kind: 'attack',
  pace: 'slow',
  expected: ['source.', 'errors.', 'probing.', 'context.', 'patterns.'],
  about: 'A spray from as many addresses as there are hours.',
  hours: 24,
  run: (stage) =>
    campaign(stage, { sources: scaled(stage, 20), tries: scaled(stage, 160), hours: 20, won: stage.dice.int(2) }),
};

export const forgedTokens: IncidentRecipe = {
  name: 'forged-tokens',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['source.', 'errors.', 'probing.', 'rate.'],
  about: "Tokens in somebody's name with signatures that do not fit, to be let in or to have the victim locked out.",
  hours: 2,
  run: function* (stage): Actor {
    const { dice, world } = stage;
    // Not claimed: nothing happens to who is named, and no finding may name them.
    const named = dice.pick(world.personas.filter(isHuman));
    yield stage.startMs;
    const from = { place: strangePlace(stage, named), device: strangeDevice(stage, named, 'program') };
    const routes = routesOf(stage, named, () => true);
    const session = intrude(stage, named, from);
    for (let left = scaled(stage, 90); left > 0; left--) {
      const event = call(session, { route: dice.pick(routes), status: 401 });
      const token = event.token_id ? { token_id: `t${dice.hex(14)}` } : {};
      stage.emit({ ...event, ...token, auth_result: 'failure', error_code: 'invalid_token' });
      yield pause(stage, 500);
    }
  },
};

export const officeTypos: IncidentRecipe = {
  name: 'office-passwords-expired',
  family,
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about:
    'Passwords of a whole office ran out over night: everybody there mistypes the new one once or twice, and is let in.',
  hours: 4,
  run: function* (stage): Actor {
    const first = stage.claim((one) => isHuman(one) && office(one) !== undefined);
    if (first === undefined) return;
    const colleagues = stage.world.personas.filter(
      (one) => isHuman(one) && one.tenant === first.tenant && one.api === first.api && office(one) !== undefined,
    );
    const [at = stage.startMs] = spread(stage, { hours: 24, count: 1, of: first });
    for (const person of stage.dice.sample(colleagues, scaled(stage, 25)))
      stage.world.play(mistyped(stage, person), at + stage.dice.exponential(30 * minuteMs));
  },
};

function office({ places }: Persona): Place | undefined {
  return places.find(({ network }) => network.kind === 'office');
}

function* mistyped(stage: Stage, person: Persona): Actor {
  const { world, dice } = stage;
  const place = office(person);
  const session = intrude(stage, person, place === undefined ? {} : { place });
  for (let typos = dice.geometric(2); typos > 0; typos--) {
    stage.emit(refused(session, person.api.route('auth.login')));
    yield world.now + dice.logNormal(8 * secondMs, 0.5);
  }
  // Who is in has nothing to do with it any more.
  yield* visit(world, session, { calls: 6 + dice.int(10), say: unlabelled(stage) });
}

export const expiredIntegration: IncidentRecipe = {
  name: 'expired-integration',
  family,
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about:
    'The key of an integration ran out: it retries with it for an hour from its own address, until somebody renews it.',
  hours: 3,
  run: function* (stage): Actor {
    const service = stage.claim((one) => isService(one) && one.api.name !== 'mesh');
    if (service === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const session = intrude(stage, service);
    const routes = routesOf(stage, service, ({ roles }) => roles.includes(service.role));
    if (routes.length === 0) return;
    for (let left = scaled(stage, 80); left > 0; left--) {
      const also = { auth_result: 'failure', error_code: 'invalid_credentials' } as const;
      stage.emit(call(session, { route: dice.pick(routes.slice(0, 3)), status: 401, also }));
      yield world.now + dice.logNormal(40 * secondMs, 0.2);
    }
  },
};
