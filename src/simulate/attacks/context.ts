import { call } from '../call.ts';
import { watch } from '../look-alikes/watching.ts';
import { renew, walk } from '../session.ts';
import { hourMs } from '../week.ts';
import type { Actor, IncidentRecipe, Persona, Stage } from '../world.ts';
import {
  arrive,
  claimLively,
  hasToken,
  intrude,
  isHuman,
  isService,
  mayCall,
  minuteMs,
  routesOf,
  scaled,
  secondMs,
  spread,
  strangeDevice,
  strangePlace,
} from './means.ts';

/** Innocent changes of where somebody is and what they use: what stolen credentials must be told from (D11, D12, D13). */
const family = 'token';

export const newDevice: IncidentRecipe = {
  name: 'new-device',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about: 'A user buys another phone or computer, signs in afresh and uses it from then on at the usual places.',
  hours: 72,
  run: function* (stage): Actor {
    const person = claimLively(stage, isHuman);
    if (person === undefined) return;
    yield stage.startMs;
    person.devices = [
      strangeDevice({ ...stage, stealth: 0 }, person, person.devices[0]!.kind),
      ...person.devices.slice(1),
    ];
    watch(stage, { hours: 72, personas: [person] });
  },
};

export const ownScript: IncidentRecipe = {
  name: 'own-script',
  family,
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about: 'A user tries the API with a script of their own, with a log-in of its own, at the usual desk.',
  hours: 4,
  run: function* (stage): Actor {
    const person = stage.claim(isHuman);
    if (person === undefined) return;
    const [at = stage.startMs] = spread(stage, { hours: 4, count: 1, of: person });
    yield at;
    const { world, dice } = stage;
    const session = intrude(stage, person, {
      place: person.places[0]!,
      device: strangeDevice(stage, person, 'program'),
    });
    yield* arrive(stage, session, stage.emit);
    const routes = routesOf(stage, person, (route) => mayCall(person)(route) && route.method === 'GET').slice(0, 12);
    for (let left = scaled(stage, 25); left > 0 && routes.length > 0; left--) {
      yield* renew(world, session, stage.emit);
      stage.emit(call(session, { route: routes[dice.zipf(routes.length)]! }));
      yield world.now + dice.logNormal(20 * secondMs, 1);
    }
  },
};

export const wifiToMobile: IncidentRecipe = {
  name: 'between-networks',
  family,
  kind: 'look-alike',
  pace: 'fast',
  expected: [],
  about:
    'One session on the train: the same phone goes from the home line to the mobile network and back within minutes.',
  hours: 6,
  run: function* (stage): Actor {
    const person = stage.claim((one) => hasToken(one) && otherLine(stage, one) !== undefined);
    if (person === undefined) return;
    const [at = stage.startMs] = spread(stage, { hours: 6, count: 1, of: person });
    yield at;
    const { world, dice } = stage;
    const line = person.places[0]!;
    const mobile = otherLine(stage, person);
    if (mobile === undefined) return;
    const session = intrude(stage, person, { place: line });
    yield* arrive(stage, session, stage.emit);
    const steps = walk(world, session);
    for (let left = scaled(stage, 35); left > 0; left--) {
      if (dice.chance(0.15))
        session.place = session.place.network === mobile ? line : { network: mobile, ip: mobile.address(dice) };
      yield* renew(world, session, stage.emit);
      stage.emit(call(session, steps.next().value));
      yield world.now + dice.logNormal(person.habits.thinkMs, 0.8);
    }
    yield world.now + minuteMs;
  },
};

/** The line that a phone falls back to: mobile if there is another one, else a home's. */
function otherLine({ world }: Stage, { places }: Persona) {
  const { name, country } = places[0]!.network;
  const near = world.networks.filter((each) => each.country === country && each.name !== name);
  return near.find(({ kind }) => kind === 'mobile') ?? near.find(({ kind }) => kind === 'home');
}

export const keyMoves: IncidentRecipe = {
  name: 'integration-moves',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about:
    'A partner moves its integration to another provider: the same program, schedule and calls from a new network, for good.',
  hours: 72,
  run: function* (stage): Actor {
    const service = stage.claim((one) => isService(one) && one.credential.kind === 'api-key');
    if (service === undefined) return;
    yield stage.startMs;
    service.places = [strangePlace({ ...stage, stealth: 0 }, service)];
    watch(stage, { hours: 72, personas: [service] });
  },
};

export const traveller: IncidentRecipe = {
  name: 'traveller',
  family,
  kind: 'look-alike',
  pace: 'slow',
  expected: [],
  about:
    'A user flies to another country for some days: the usual machine, signed in afresh, on lines of that country.',
  hours: 96,
  run: function* (stage): Actor {
    const person = claimLively(stage, isHuman);
    if (person === undefined) return;
    yield stage.startMs;
    const { world, dice } = stage;
    const { places } = person;
    const { country } = places[0]!.network;
    const abroad = dice.pick(world.networks.filter((each) => each.country !== country && each.kind === 'home'));
    const phone = world.networks.find((each) => each.kind === 'mobile' && each.country === abroad.country) ?? abroad;
    yield* flight(stage, person);
    person.places = [abroad, phone].map((network) => ({ network, ip: network.address(dice) }));
    const hours = dice.between(3, 6) * 24;
    watch(stage, { hours, personas: [person] });
    yield world.now + hours * hourMs;
    yield* flight(stage, person);
    person.places = places;
  },
};

/** Nobody calls from a plane: waits until the last token was issued long enough ago for any distance. */
function* flight({ world, dice }: Stage, person: Persona): Actor {
  const hours = dice.between(9, 14);
  while ((person.session?.token?.issuedMs ?? 0) > world.now - hours * hourMs) yield world.now + hourMs;
}
