import { seededRandom } from '../core/random.ts';
import { identityKey } from '../identity/identity-key.ts';
import type { IncidentOutcome } from './outcome.ts';
import { median } from './ranking.ts';
import { digits, type Table } from './table.ts';
import { dayMs, type Incident } from './traffic.ts';

/**
 * Slow poisoning: an identity that wants to take more than it may raises what it does a little every day, so that yesterday makes today look usual. The
 * question is at which speed it gets through, and how many days that costs it.
 */
type Event = Readonly<Record<string, unknown>> & { readonly ts: number; readonly event_id: string };

const start = Date.UTC(2026, 0, 5);
const warmUpDays = 14;
/** So many that attackers, all at work at once, are a twentieth. */
const people = 570;
const callsPerDay = 12;
/** What the attacker wants: this many times its usual. */
const goal = 10;
const speeds = [2, 1.5, 1.25, 1.1, 1.05];
const kinds = ['calls', 'bytes'] as const;
const attackersEach = 3;
const resources = ['orders', 'items', 'invoices', 'contacts', 'reports', 'tickets', 'notes', 'files'];

/** Days until somebody who takes `speed` times as much as the day before takes `goal` times as much as at first. */
export function daysToGoal(speed: number): number {
  return Math.ceil(Math.log(goal) / Math.log(speed));
}

type Person = {
  readonly name: string;
  readonly ramp?: { readonly kind: (typeof kinds)[number]; readonly speed: number };
};

/** A small company's API by the seed, with ramps in calls per day and in bytes per answer, each at five speeds. */
export function ramps(seed: number): { readonly events: readonly Event[]; readonly incidents: readonly Incident[] } {
  const attackers: Person[] = kinds.flatMap((kind) =>
    speeds.flatMap((speed) =>
      Array.from({ length: attackersEach }, (_, i) => ({ name: `${kind}-${speed}-${i}`, ramp: { kind, speed } })),
    ),
  );
  const everyone: Person[] = [...Array.from({ length: people }, (_, i) => ({ name: `person-${i}` })), ...attackers];
  const days = warmUpDays + daysToGoal(Math.min(...speeds));
  const events = everyone.flatMap((person, i) => daysOf(person, days, seed + i)).sort((a, b) => a.ts - b.ts);
  const incidents = attackers.map((person) => incidentOf(person, events));
  return { events, incidents };
}

function daysOf({ name, ramp }: Person, days: number, seed: number): Event[] {
  const random = seededRandom(seed);
  const opens = 7 + Math.floor(random.next() * 3);
  // Of eight resources each person uses some much more than others: the k-th one 1/k as often.
  const own = resources.map((resource) => ({ resource, place: random.next() })).sort((a, b) => a.place - b.place);
  const usual = callsPerDay * (0.5 + random.next());
  const events: Event[] = [];
  for (let day = 0; day < days; day++) {
    const factor = ramp === undefined || day < warmUpDays ? 1 : Math.min(goal, ramp.speed ** (day - warmUpDays + 1));
    const weekend = (day + 1) % 7 >= 5 ? 0.3 : 1;
    const calls = poisson(usual * weekend * (ramp?.kind === 'calls' ? factor : 1), random.next);
    for (let i = 0; i < calls; i++) {
      const pick = Math.min(own.length - 1, Math.floor((own.length + 1) ** random.next()) - 1);
      const hour = opens + 9 * random.next();
      events.push({
        ts: Math.round(start + day * dayMs + hour * 3_600_000),
        event_id: `${name}/${day}/${i}`,
        subject: name,
        client_ip: `240.1.${seed >> 8}.${seed & 255}`,
        method: random.next() < 0.85 ? 'GET' : 'PUT',
        path: `/${own[pick]!.resource}/${Math.floor(random.next() * 500)}`,
        status: random.next() < 0.02 ? 404 : 200,
        response_bytes: Math.round(2000 * Math.exp(normal(random.next)) * (ramp?.kind === 'bytes' ? factor : 1)),
      });
    }
  }
  return events;
}

/** By Knuth's product of uniforms; the means here are below 200. */
function poisson(mean: number, next: () => number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = next(); product > limit; product *= next()) count++;
  return count;
}

/** Box and Muller. */
function normal(next: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

function incidentOf({ name, ramp }: Person, events: readonly Event[]): Incident {
  const first = start + warmUpDays * dayMs;
  const own = events.filter((event) => event.subject === name && event.ts >= first);
  const until = first + daysToGoal(ramp!.speed) * dayMs;
  return {
    incident: name,
    recipe: `${ramp!.kind} ×${ramp!.speed} a day`,
    family: ramp!.kind,
    kind: 'attack',
    pace: 'slow',
    identities: [identityKey('user', null, name)],
    first_ts: first,
    last_ts: own.at(-1)!.ts,
    // Until it has what it wants: what it does then is another question.
    ids: own.filter(({ ts }) => ts < until).map(({ event_id }) => event_id),
    expected: [],
  };
}

/** One row per kind and speed. `multiple` is what the attacker had reached when it was found. */
export function rampTable(outcomes: readonly IncidentOutcome[]): Table {
  return {
    title: `Slow poisoning: a ramp to ${goal} times the usual (simulated, ${attackersEach} attackers each)`,
    columns: ['ramp', `days to ×${goal}`, 'found on the way', 'median day', 'at times the usual'],
    rows: kinds.flatMap((kind) =>
      speeds.map((speed) => {
        const own = outcomes.filter(({ incident }) => incident.recipe === `${kind} ×${speed} a day`);
        const dayOf = own.flatMap(({ found, delayMs }) => (found ? Math.floor(delayMs / dayMs) + 1 : []));
        const found = dayOf.filter((day) => day <= daysToGoal(speed));
        return [
          `${kind}, ×${speed} a day`,
          String(daysToGoal(speed)),
          `${found.length} of ${own.length}`,
          digits(median(found), 0),
          digits(median(found.map((day) => speed ** day)), 1),
        ];
      }),
    ),
  };
}

/** What slow poisoning costs, per kind: the fastest speed at which an attacker reached the goal unseen, and the days that it took. */
export function rampCostTable(outcomes: readonly IncidentOutcome[]): Table {
  const caught = ({ incident, found, delayMs }: IncidentOutcome, speed: number): boolean =>
    incident.recipe.includes(`×${speed} `) && found && Math.floor(delayMs / dayMs) < daysToGoal(speed);
  return {
    title: `What slow poisoning costs an attacker: ${goal} times the usual without a finding on the way (simulated)`,
    columns: ['ramp', 'fastest speed that got through', 'days', 'speeds at which all were found'],
    rows: kinds.map((kind) => {
      const own = outcomes.filter(({ incident }) => incident.family === kind);
      const foundAt = (speed: number): number => own.filter((outcome) => caught(outcome, speed)).length;
      const through = speeds.find((speed) => foundAt(speed) < attackersEach);
      const all = speeds.filter((speed) => foundAt(speed) === attackersEach).map((speed) => `×${speed}`);
      return [
        kind,
        through === undefined ? 'none' : `×${through} a day`,
        through === undefined ? '-' : String(daysToGoal(through)),
        all.length === 0 ? 'none' : all.join(', '),
      ];
    }),
  };
}
