import { createPersona } from '../personas.ts';
import { openSession, visit } from '../session.ts';
import { dayMs, hourMs } from '../week.ts';
import type { Actor, Habits, IncidentRecipe, Persona, Stage } from '../world.ts';
import { watch } from './watching.ts';

const lookAlike = { family: 'world', kind: 'look-alike', expected: [] } as const;

/** Joiners get indices far behind those who were there from the beginning. */
const firstJoiner = 10_000_000;

const newEmployee: IncidentRecipe = {
  ...lookAlike,
  name: 'new-employee',
  pace: 'slow',
  about: 'Somebody starts work: an identity without a past, with wide rights, curious, busy from the first day.',
  hours: 96,
  run: function* (stage): Actor {
    const { world, dice, incident } = stage;
    const [name, role] = dice.pick([
      ['saas', 'member'],
      ['saas', 'manager'],
      ['shop', 'support'],
      ['bank', 'advisor'],
    ] as const);
    const colleagues = world.personas.filter((each) => each.api.name === name && each.role === role);
    yield stage.startMs;
    if (colleagues.length === 0) return;
    const index = firstJoiner + Number(incident.id.slice(1));
    const { api, tenant } = dice.pick(colleagues);
    const persona = createPersona(world, {
      index,
      api,
      tenant,
      role,
      isHuman: true,
      activity: 2,
      startsMs: world.now,
      endsMs: world.endMs,
    });
    persona.habits = { ...persona.habits, curiosity: 0.15 };
    world.join(persona);
    watch(stage, { hours: 96, personas: [persona] });
  },
};

/** Words in the names of tasks that books are closed with. */
const closing = ['books', 'examine', 'audit', 'staff', 'report', 'nightly', 'sync', 'papers', 'oversee', 'money'];

const monthEnd: IncidentRecipe = {
  ...lookAlike,
  name: 'month-end',
  pace: 'fast',
  about:
    'Books are closed: a few people and services run through reports, invoices and lists for hours, as never before in the month.',
  hours: 36,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const closers: Persona[] = [];
    for (let i = 0; i < 3; i++) {
      const closer = stage.claim((each) => closingHabits(each) !== null && each.role !== 'customer', { sparse: true });
      if (closer !== undefined) closers.push(closer);
    }
    yield stage.startMs;
    for (const day of [0, 1])
      for (const closer of closers)
        world.play(closeBooks(stage, closer), stage.startMs + day * dayMs + dice.between(0, 3 * hourMs));
  },
};

/** Only the tasks of closing that the role has; null when it has none. */
function closingHabits({ api, role, habits }: Persona): Habits | null {
  const tasks = api.tasks.map((task) => (closing.includes(task.name) && task.roles.includes(role) ? task.weight : 0));
  return tasks.some((weight) => weight > 0) ? { ...habits, tasks, thinkMs: habits.thinkMs / 3 } : null;
}

function* closeBooks(stage: Stage, closer: Persona): Actor {
  const habits = closingHabits(closer);
  if (habits === null) return;
  const calls = Math.round(stage.dice.logNormal(180 * stage.intensity, 0.4));
  yield* visit(stage.world, openSession(stage.world, closer, { habits }), { calls, say: stage.emit });
}

const loadTest: IncidentRecipe = {
  ...lookAlike,
  name: 'load-test',
  pace: 'fast',
  about:
    'A service that has tested the API before, from the same address, does so with a hundred times the usual load.',
  hours: 3,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const tester = stage.claim((each) => each.kind === 'service' && each.api.name !== 'mesh', { sparse: true });
    if (tester === undefined) return;
    const fast: Habits = { ...tester.habits, thinkMs: 250, curiosity: 0.05 };
    // Two small ones before, which nobody labels.
    for (const days of [3, 1]) {
      yield Math.max(world.now, stage.startMs - days * dayMs);
      yield* visit(world, openSession(world, tester, { habits: fast }), {
        calls: 40,
        say: (event) => world.emit(event),
      });
    }
    yield Math.max(world.now, stage.startMs);
    const calls = Math.round(dice.logNormal(900 * stage.intensity, 0.3));
    yield* visit(world, openSession(world, tester, { habits: fast }), { calls, say: stage.emit });
  },
};

/** Somebody works more, or for the first time. */
export const work: readonly IncidentRecipe[] = [newEmployee, monthEnd, loadTest];
