import { call } from '../call.ts';
import { renew, visit } from '../session.ts';
import type { Actor, IncidentRecipe, Persona, Route, Stage, Task } from '../world.ts';
import {
  arrive,
  intrude,
  isHuman,
  mayCall,
  minuteMs,
  pause,
  routesOf,
  scaled,
  secondMs,
  spread,
  unlabelled,
} from './means.ts';

/** Business flows used as nobody meant them (OWASP API6, D07), and what is destroyed (D19), with the innocent sides of both. */
const family = 'flow';

/** Tasks of the persona's role in which something is begun and, after that, concluded. */
function flows({ api, role }: Persona): readonly Task[] {
  return api.tasks.filter((task) => task.roles.includes(role) && conclusion(task) !== undefined);
}

/** What concludes: the last thing done that needs something to have been created first. */
function conclusion({ steps }: Task): Route | undefined {
  const begun = steps.findIndex(({ route }) => route.action === 'create');
  return steps.findLast(({ route }, i) => begun >= 0 && i > begun && route.action === 'act')?.route;
}

export const sequenceSkipping: IncidentRecipe = {
  name: 'sequence-skipping',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['sequence.', 'novelty.', 'rate.', 'change.'],
  about: 'The last step of a flow again and again, without the ones that should come before: confirmed, never paid.',
  hours: 3,
  run: function* (stage): Actor {
    const abuser = stage.claim((one) => isHuman(one) && flows(one).length > 0);
    if (abuser === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const route = conclusion(dice.pick(flows(abuser)))!;
    const session = intrude(stage, abuser);
    yield* arrive(stage, session, unlabelled(stage));
    for (let left = scaled(stage, 30); left > 0; left--) {
      yield* renew(world, session, stage.emit);
      stage.emit(call(session, { route, status: dice.chance(0.85) ? 200 : 409 }));
      yield pause(stage, 4_000);
    }
  },
};

export const deepLinks: IncidentRecipe = {
  name: 'deep-links',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'A mail leads users straight into the middle of a flow; they finish it, once or twice.',
  hours: 8,
  run: function* (stage): Actor {
    const person = stage.claim((one) => isHuman(one) && flows(one).length > 0);
    if (person === undefined) return;
    const { world, dice } = stage;
    const task = dice.pick(flows(person));
    for (const at of spread(stage, { hours: 8, count: 2, of: person })) {
      yield at;
      const session = intrude(stage, person);
      yield* arrive(stage, session, stage.emit);
      for (const { route } of task.steps.slice(Math.floor(task.steps.length / 2))) {
        yield* renew(world, session, stage.emit);
        stage.emit(call(session, { route }));
        yield world.now + dice.logNormal(person.habits.thinkMs, 0.8);
      }
      yield* visit(world, session, { calls: 3, say: stage.emit, resumed: true });
    }
  },
};

/** Codes that are guessed: what is applied, and a look-up that says whether a code exists. */
function codeRoutes(persona: Persona): readonly Route[] {
  return persona.api.routes.filter(
    (route) =>
      /coupon|gift|promo/.test(route.resource) && /read|apply|redeem/.test(route.name) && mayCall(persona)(route),
  );
}

const guesses = (persona: Persona): boolean => isHuman(persona) && codeRoutes(persona).length > 0;

/** Codes tried one after another; what does not exist is not found, what may not be used is refused. */
function* tryCodes(
  stage: Stage,
  person: Persona,
  plan: { readonly count: number; readonly pauseMs: () => number },
): Actor {
  const { world, dice } = stage;
  const routes = codeRoutes(person);
  const session = intrude(stage, person);
  yield* arrive(stage, session, unlabelled(stage));
  for (let left = plan.count; left > 0; left--) {
    yield* renew(world, session, stage.emit);
    const route = dice.pick(routes);
    const hit = dice.chance(0.12);
    const object = hit
      ? route.pool!.foreign(person, dice)
      : `${dice.pick(['SAVE', 'WELCOME', 'VIP', 'SPRING'])}${dice.int(100)}`;
    stage.emit(call(session, { route, object, status: hit ? 200 : route.action === 'read' ? 404 : 422 }));
    yield plan.pauseMs();
  }
}

export const couponAbuse: IncidentRecipe = {
  name: 'coupon-abuse',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['errors.', 'probing.', 'objects.', 'rate.', 'novelty.', 'sequence.'],
  about: 'Codes are guessed by the hundred, and those that fit are used.',
  hours: 3,
  run: function* (stage): Actor {
    const abuser = stage.claim(guesses);
    if (abuser === undefined) return;
    yield stage.startMs;
    yield* tryCodes(stage, abuser, { count: scaled(stage, 120), pauseMs: () => pause(stage, 1_200) });
  },
};

export const couponHunt: IncidentRecipe = {
  name: 'coupon-hunt',
  family,
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about: 'A customer tries the eight codes that a forum listed; one works.',
  hours: 3,
  run: function* (stage): Actor {
    const person = stage.claim(guesses);
    if (person === undefined) return;
    const [at = stage.startMs] = spread(stage, { hours: 3, count: 1, of: person });
    yield at;
    const pauseMs = () => stage.world.now + stage.dice.logNormal(20 * secondMs, 0.6);
    yield* tryCodes(stage, person, { count: scaled(stage, 8), pauseMs });
  },
};

const deletes = (persona: Persona): readonly Route[] =>
  persona.api.routes.filter((route) => route.action === 'delete' && mayCall(persona)(route));
const writes = (persona: Persona): readonly Route[] =>
  persona.api.routes.filter((route) => route.action === 'update' && route.pool !== null && mayCall(persona)(route));

export const destructiveBurst: IncidentRecipe = {
  name: 'destructive-burst',
  family: 'change',
  kind: 'attack',
  pace: 'fast',
  expected: ['change.', 'rate.', 'novelty.'],
  about: 'Whatever can be deleted is deleted, or overwritten, within minutes.',
  hours: 2,
  run: function* (stage): Actor {
    const vandal = stage.claim((one) => isHuman(one) && deletes(one).length > 0);
    if (vandal === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const session = intrude(stage, vandal);
    yield* arrive(stage, session, unlabelled(stage));
    const means = dice.chance(0.7) || writes(vandal).length === 0 ? deletes(vandal) : writes(vandal);
    const routes = dice.sample(means, 3);
    for (let left = scaled(stage, 80); left > 0; left--) {
      yield* renew(world, session, stage.emit);
      const route = dice.pick(routes);
      // Tenants' objects are everybody's there; of an own kind one runs out, and goes on with other people's.
      const object = dice.chance(0.5) ? route.pool?.foreign(vandal, dice) : undefined;
      stage.emit(call(session, { route, object }));
      yield pause(stage, 700);
    }
  },
};

export const cleanUp: IncidentRecipe = {
  name: 'clean-up',
  family: 'change',
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'Somebody tidies up of an afternoon: dozens of deletions, each after a look, at a human tempo.',
  hours: 6,
  run: function* (stage): Actor {
    const person = stage.claim((one) => isHuman(one) && deletes(one).length > 0);
    if (person === undefined) return;
    const [at = stage.startMs] = spread(stage, { hours: 6, count: 1, of: person });
    yield at;
    const { world, dice } = stage;
    const route = dice.pick(deletes(person));
    const look = routesOf(stage, person, (other) => other.resource === route.resource && other.action === 'list')[0];
    const session = intrude(stage, person);
    yield* arrive(stage, session, stage.emit);
    for (let left = scaled(stage, 35); left > 0; left--) {
      yield* renew(world, session, stage.emit);
      if (look !== undefined && dice.chance(0.4)) stage.emit(call(session, { route: look }));
      yield world.now + dice.logNormal(6 * secondMs, 0.7);
      stage.emit(call(session, { route }));
      yield world.now + dice.logNormal(5 * secondMs, 0.7);
    }
    yield world.now + minuteMs;
  },
};
