import { call } from '../call.ts';
import { openSession, refused, visit } from '../session.ts';
import { dayMs, hourMs } from '../week.ts';
import type { Actor, IncidentRecipe, Persona, Stage } from '../world.ts';
import { atNight, watch } from './watching.ts';

const lookAlike = { family: 'world', kind: 'look-alike', expected: [] } as const;

/** People with API accounts of which there are many. */
const crowded = ['shop', 'bank', 'saas'] as const;

const holiday: IncidentRecipe = {
  ...lookAlike,
  name: 'holiday',
  pace: 'slow',
  about: 'A public holiday in one country: offices are empty, and customers come at hours at which they usually work.',
  hours: 24,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const country = dice.pick([...new Set(world.personas.map((persona) => persona.places[0]!.network.country))].sort());
    const here = world.personas.filter((each) => each.kind === 'human' && each.places[0]!.network.country === country);
    const names = new Set(here);
    const fromMs = atNight(stage.startMs);
    const factor = (persona: Persona): number => (!names.has(persona) ? 1 : persona.role === 'customer' ? 1.6 : 0.12);
    world.moods.push({ fromMs, untilMs: fromMs + dayMs, factor });
    yield fromMs;
    watch(stage, { hours: 24, personas: here });
  },
};

const marketingSpike: IncidentRecipe = {
  ...lookAlike,
  name: 'marketing-spike',
  pace: 'fast',
  about: 'A campaign brings four times the customers for some hours, many of whom had not come for weeks.',
  hours: 6,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const api = world.api(dice.pick(['shop', 'shop', 'bank']));
    const hours = dice.between(2, 6);
    const reached = new Set(
      world.personas.filter((each) => each.api === api && each.role === 'customer' && dice.chance(0.7)),
    );
    const factor = (persona: Persona): number => (reached.has(persona) ? 4 : 1);
    world.moods.push({ fromMs: stage.startMs, untilMs: stage.startMs + hours * hourMs, factor });
    yield stage.startMs;
    watch(stage, { hours: hours + 0.5, personas: [...reached] });
  },
};

const passwordResetWave: IncidentRecipe = {
  ...lookAlike,
  name: 'password-reset-wave',
  pace: 'fast',
  about:
    'An API makes a tenth of its users choose new passwords: log-ins fail, are reset, and succeed, all within a few hours.',
  hours: 8,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const api = world.api(dice.pick(crowded));
    const users = world.personas.filter((each) => each.api === api && each.kind === 'human');
    yield stage.startMs;
    for (const user of dice.sample(users, Math.ceil(users.length * 0.1))) {
      world.play(resetPassword(stage, user), world.now + dice.between(0, 5 * hourMs));
    }
  },
};

function* resetPassword(stage: Stage, user: Persona): Actor {
  const { world, dice } = stage;
  const session = openSession(world, user);
  for (let tries = dice.geometric(1.6); tries > 0; tries--) {
    stage.emit(refused(session, user.api.route('auth.login')));
    yield world.now + dice.logNormal(9_000, 0.5);
  }
  stage.emit(anonymously(call(session, { route: user.api.route('auth.reset'), status: 202 })));
  yield world.now + dice.logNormal(90_000, 0.6);
  yield* visit(world, session, { calls: dice.geometric(4), say: stage.emit });
}

/** Who forgot a password is not signed in: the call names nobody. */
function anonymously(event: ReturnType<typeof call>): ReturnType<typeof call> {
  const nobody = {
    subject: undefined,
    session_id: undefined,
    scopes: undefined,
    roles: undefined,
    acr: undefined,
    amr: undefined,
  };
  return {
    ...event,
    ...nobody,
    client_id: undefined,
    device_id: undefined,
    auth_method: undefined,
    auth_time: undefined,
    token_id: undefined,
    token_iat: undefined,
    token_exp: undefined,
  };
}

const outage: IncidentRecipe = {
  ...lookAlike,
  name: 'outage',
  pace: 'fast',
  about: 'A backend fails for a while: every third call of an API is answered 5xx, to everybody.',
  hours: 2,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const api = dice.pick(world.apis);
    yield stage.startMs;
    const usual = api.errorShare;
    const minutes = dice.between(10, 45);
    watch(stage, { hours: minutes / 60, fits: (event) => event.source === `gateway-${api.name}` });
    api.errorShare = 0.35;
    yield world.now + minutes * 60_000;
    api.errorShare = usual;
  },
};

/** Many do the same for a while. */
export const crowds: readonly IncidentRecipe[] = [holiday, marketingSpike, passwordResetWave, outage];
