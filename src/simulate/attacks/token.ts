import { call } from '../call.ts';
import { hourMs } from '../week.ts';
import type { Actor, IncidentRecipe, Session, Stage } from '../world.ts';
import {
  claimLively,
  hasToken,
  intrude,
  isService,
  loot,
  pause,
  scaled,
  secondMs,
  strangeDevice,
  strangePlace,
  untilSignedIn,
} from './means.ts';

/** Credentials in the wrong hands (OWASP API2, D13, D25): tokens, keys and consents, and the challenge that is ignored. */
const family = 'token';

/** A live token of the victim's in a second program, a second network, or both, until it runs out. */
function* replay(stage: Stage, strange: { readonly network: boolean; readonly client: boolean }): Actor {
  const victim = claimLively(stage, hasToken);
  if (victim === undefined) return;
  const session = yield* untilSignedIn(stage, victim);
  if (session === undefined) return;
  const { world, dice } = stage;
  // With care a browser's program, without a script's; in either case not the victim's.
  const kind = dice.chance(stage.stealth) ? 'browser' : 'program';
  const device = strange.client ? strangeDevice({ ...stage, stealth: 0 }, victim, kind) : session.device;
  const place = strange.network ? strangePlace(stage, victim) : session.place;
  const stolen: Session = { ...session, place, device, dice };
  yield world.now + dice.logNormal(40 * secondMs, 0.6);
  const plan = loot(stage, stolen);
  for (let left = scaled(stage, 40); left > 0 && world.now < stolen.token!.expiresMs; left--) {
    stage.emit(call(stolen, plan.next().value));
    yield pause(stage, 2_500);
  }
}

export const tokenReplayNetwork: IncidentRecipe = {
  name: 'token-replay-network',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['token.', 'context.', 'patterns.'],
  about: "A stolen token is used from another network with another program, beside its owner's calls.",
  hours: 72,
  run: (stage) => replay(stage, { network: true, client: true }),
};

export const tokenReplayClient: IncidentRecipe = {
  name: 'token-replay-client',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['token.', 'context.', 'patterns.'],
  about: "Malware on the victim's own machine or network uses the token with a program of its own.",
  hours: 72,
  run: (stage) => replay(stage, { network: false, client: true }),
};

export const tokenConcurrent: IncidentRecipe = {
  name: 'token-concurrent',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['token.', 'context.', 'patterns.'],
  about:
    'A phishing proxy repeats the browser exactly; only the network gives it away, and that there are two at once.',
  hours: 72,
  run: (stage) => replay(stage, { network: true, client: false }),
};

export const tokenExpired: IncidentRecipe = {
  name: 'token-after-expiry',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['token.', 'context.', 'patterns.'],
  about: 'A token found in a log is accepted by a gateway that does not look at the clock, hours after it ran out.',
  hours: 72,
  run: function* (stage): Actor {
    const victim = claimLively(stage, hasToken);
    if (victim === undefined) return;
    yield stage.startMs;
    const session = victim.session?.token ? victim.session : yield* untilSignedIn(stage, victim);
    if (!session?.token) return;
    const { world, dice } = stage;
    const place = strangePlace(stage, victim);
    const old: Session = { ...session, place, device: strangeDevice(stage, victim, 'program'), dice };
    yield Math.max(world.now, session.token.expiresMs + dice.between(0.5, 6) * hourMs);
    const plan = loot(stage, old);
    for (let left = scaled(stage, 30); left > 0; left--) {
      stage.emit(call(old, plan.next().value));
      yield pause(stage, 2_500);
    }
  },
};

export const apiKeyLeak: IncidentRecipe = {
  name: 'api-key-leak',
  family,
  kind: 'attack',
  pace: 'fast',
  expected: ['context.', 'patterns.', 'token.', 'reach.', 'volume.', 'egress.'],
  about: 'A key from a public repository is used by somebody else, from a rented machine, while its owner goes on.',
  hours: 6,
  run: function* (stage): Actor {
    const owner = stage.claim((one) => isService(one) && one.credential.kind === 'api-key');
    if (owner === undefined) return;
    yield stage.startMs;
    const place = strangePlace(stage, owner);
    const session = intrude(stage, owner, { place, device: strangeDevice(stage, owner, 'program') });
    const plan = loot(stage, session);
    for (let left = scaled(stage, 90); left > 0; left--) {
      stage.emit(call(session, plan.next().value));
      yield pause(stage, 4_000);
    }
  },
};
