import { createRedactor } from '../event/redact.ts';
import { identityKey } from '../identity/identity-key.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import { app, desktop, library, phone, sidecar } from './devices.ts';
import type { Dice } from './dice.ts';
import { isLocal } from './networks.ts';
import { type WeekShape, weekOf } from './week.ts';
import type { Api, Credential, Device, Habits, Network, Persona, Place, Rhythm, Tenant, World } from './world.ts';

/** The key under which simulated API keys are digested in labels. Whoever reads the events must use it (`GAIT_HMAC_KEY`) to get the same identities. */
export const simulatedHmacKey = 'gait-simulated-traffic';
const redactor = createRedactor({ hmacKey: simulatedHmacKey });

export type PersonaOptions = {
  readonly index: number;
  readonly api: Api;
  readonly tenant: Tenant;
  readonly role: string;
  readonly isHuman: boolean;
  /** Scales how often it comes. */
  readonly activity: number;
  readonly startsMs: number;
  readonly endsMs: number;
};

type Base = Pick<World, 'networks' | 'dice'>;

/** A person or a service with an own life; the index fixes it, whatever else is in the world. */
export function createPersona(world: Base, options: PersonaOptions): Persona {
  const dice = world.dice.fork(`persona/${options.index}`);
  const { api, tenant, role, isHuman } = options;
  const credential = isHuman
    ? ({ kind: 'user', subject: `u-${dice.hex(10)}` } as const)
    : serviceCredential(api, role, dice);
  const places = isHuman ? personPlaces(world, options, dice) : servicePlaces(world, options, dice);
  // Who comes through a VPN or from a desktop in the cloud lives elsewhere.
  const home = isHuman ? places.find(({ network }) => isLocal(network)) : places[0];
  const zone = (home ?? places[0]!).network.zone;
  const common = {
    index: options.index,
    name: nameOf(credential),
    api,
    tenant,
    credential,
    identity: identityOf(credential, tenant),
    dice,
    zone,
    role,
    places,
    startsMs: options.startsMs,
    endsMs: options.endsMs,
    session: null,
  };
  return isHuman
    ? { ...common, kind: 'human', ...personLife(options, dice) }
    : { ...common, kind: 'service', ...serviceLife(options, dice) };
}

function isCustomer({ api, role }: Pick<PersonaOptions, 'api' | 'role'>): boolean {
  return role === 'customer' && api.name !== 'saas';
}

function serviceCredential(api: Api, role: string, dice: Dice): Credential {
  if (api.name === 'mesh') {
    const subject = `spiffe://platform/ns/${dice.pick(['eu', 'us', 'ap'])}-${dice.int(90) + 10}/sa/${role}`;
    return { kind: 'mtls', subject, service: role };
  }
  if (dice.chance(0.4)) return { kind: 'oauth-client', clientId: `svc-${role}-${dice.hex(6)}` };
  return { kind: 'api-key', key: `ak${dice.hex(24)}`, consumer: `${role}-${dice.hex(6)}` };
}

function nameOf(credential: Credential): string {
  switch (credential.kind) {
    case 'user':
      return credential.subject;
    case 'oauth-client':
      return credential.clientId;
    case 'api-key':
      return credential.consumer;
    case 'mtls':
      return credential.subject;
  }
}

function identityOf(credential: Credential, tenant: Tenant): IdentityKey {
  switch (credential.kind) {
    case 'user':
      return identityKey('user', tenant.name, credential.subject);
    case 'oauth-client':
      return identityKey('client', tenant.name, credential.clientId);
    case 'api-key':
      return identityKey('api-key', tenant.name, digestOf(credential.key));
    case 'mtls':
      return identityKey('mtls', tenant.name, credential.subject);
  }
}

/** An API key as gait keeps it. */
export function digestOf(key: string): string {
  return redactor.digest(key);
}

function personPlaces(world: Base, options: PersonaOptions, dice: Dice): Place[] {
  const { tenant } = options;
  const country = isCustomer(options) ? customerCountry(options.api, tenant, dice) : tenant.country;
  const local = world.networks.filter((each) => each.country === country);
  const home = place(dice.pick(local.filter((each) => each.kind === 'home')), dice);
  // A phone is where its home is: the same city if there is a provider, else the country's.
  const mobiles = local.filter((each) => each.kind === 'mobile');
  const mobile = place(
    dice.pick(
      mobiles
        .filter((each) => each.city === home.network.city)
        .concat(mobiles)
        .slice(0, 2),
    ),
    dice,
  );
  if (isCustomer(options)) {
    if (dice.chance(0.05))
      return [place(dice.pick(world.networks.filter((each) => each.kind === 'vpn')), dice), home, mobile];
    return dice.chance(0.5) ? [home, mobile] : [mobile, home];
  }
  const office = place(tenant.office, dice);
  // A desktop in the cloud: not everybody who comes from a data centre is a machine.
  if (dice.chance(0.03))
    return [place(dice.pick(world.networks.filter((each) => each.kind === 'datacenter')), dice), office];
  if (dice.chance(0.2)) return [home, office];
  return dice.chance(0.3) ? [office, home, mobile] : [office, home];
}

function customerCountry(api: Api, tenant: Tenant, dice: Dice): string {
  if (api.name === 'bank' && dice.chance(0.9)) return tenant.country;
  return ['DE', 'FR', 'ES', 'PL', 'GB', 'US', 'IN', 'JP', 'BR'][dice.weighted([30, 11, 8, 6, 14, 16, 6, 4, 5])]!;
}

function place(network: Network, dice: Dice): Place {
  return { network, ip: network.address(dice) };
}

function servicePlaces(world: Base, { api, tenant }: PersonaOptions, dice: Dice): Place[] {
  const kind = api.name === 'mesh' ? 'internal' : 'datacenter';
  const network = dice.pick(world.networks.filter((each) => each.kind === kind));
  // One in five runs on a machine in the tenant's own office.
  const first = place(kind === 'datacenter' && dice.chance(0.2) ? tenant.office : network, dice);
  return dice.chance(0.3) ? [first, place(first.network, dice)] : [first];
}

function personLife(
  options: PersonaOptions,
  dice: Dice,
): Pick<Persona, 'rhythm' | 'habits' | 'devices' | 'sessionsPerDay'> {
  const { api, role } = options;
  const customer = isCustomer(options);
  const shape: WeekShape = customer ? 'customer' : role === 'support' ? 'shift' : 'office';
  // Heavy-tailed, so that most come a few times in two weeks and some several times a day.
  const [median, spread, most] = customer ? [0.2, 1.1, 8] : api.name === 'saas' ? [0.4, 1, 6] : [1.4, 0.4, 5];
  const calls = customer ? 8 : api.name === 'saas' ? 11 : api.name === 'partner' ? 14 : 30;
  return {
    rhythm: { kind: 'week' },
    sessionsPerDay: options.activity * Math.min(most, dice.logNormal(median, spread)),
    devices: devicesOf(options, dice),
    habits: {
      tasks: tastes(api, dice),
      callsPerSession: dice.logNormal(calls, 0.4),
      thinkMs: dice.logNormal(customer ? 9_000 : 12_000, 0.4),
      week: weekOf(shape, dice),
      curiosity: dice.logNormal(0.012, 0.8),
    },
  };
}

/** Everybody likes some tasks more than others, and never does a fifth of them. */
function tastes(api: Api, dice: Dice): number[] {
  return api.tasks.map((task) => task.weight * dice.logNormal(1, 0.9) * (dice.chance(0.2) ? 0.02 : 1));
}

function devicesOf(options: PersonaOptions, dice: Dice): Device[] {
  const { api } = options;
  // Some have a script of their own beside the browser.
  if (dice.chance(isCustomer(options) ? 0.004 : 0.03)) return [desktop(dice), library(dice)];
  if (!isCustomer(options)) return dice.chance(0.3) ? [desktop(dice), app(api.name, dice)] : [desktop(dice)];
  const likesApps = api.name === 'bank' ? 0.65 : 0.5;
  const first = dice.chance(likesApps) ? app(api.name, dice) : dice.chance(0.5) ? phone(dice) : desktop(dice);
  return dice.chance(0.35)
    ? [first, first.kind === 'browser' && dice.chance(0.5) ? phone(dice) : desktop(dice)]
    : [first];
}

function serviceLife(
  options: PersonaOptions,
  dice: Dice,
): Pick<Persona, 'rhythm' | 'habits' | 'devices' | 'sessionsPerDay'> {
  const { api } = options;
  const isMesh = api.name === 'mesh';
  const { rhythm, calls, sessionsPerDay } = isMesh
    ? { rhythm: { kind: 'week' } as const, calls: 5, sessionsPerDay: Math.min(40, dice.logNormal(6, 0.7)) }
    : job(dice);
  const habits: Habits = {
    tasks: tastes(api, dice),
    callsPerSession: calls,
    thinkMs: dice.logNormal(isMesh ? 40 : 400, 0.6),
    week: weekOf(isMesh || dice.chance(0.5) ? 'always' : 'office', dice),
    curiosity: isMesh ? 0 : 0.002,
  };
  return {
    rhythm,
    habits,
    sessionsPerDay: options.activity * sessionsPerDay,
    devices: [isMesh ? sidecar(dice) : library(dice)],
  };
}

/** What services do: ask every so often, work at night, or drip when something happens. */
function job(dice: Dice): { readonly rhythm: Rhythm; readonly calls: number; readonly sessionsPerDay: number } {
  const kind = dice.weighted([3, 3, 4]);
  if (kind === 0) {
    const minutes = dice.pick([60, 120, 180, 240, 360]);
    return {
      rhythm: { kind: 'every', minutes, jitterMs: dice.pick([2_000, 20_000, 90_000]) },
      calls: dice.logNormal(3, 0.4),
      sessionsPerDay: 1440 / minutes,
    };
  }
  if (kind === 1) {
    const minuteOfDay = 15 * dice.pick([4, 6, 8, 9, 10, 12, 14, 16, 20, 72, 80, 88]);
    return {
      rhythm: { kind: 'daily', minuteOfDay, weekdaysOnly: dice.chance(0.3), jitterMs: 60_000 },
      calls: dice.logNormal(50, 0.6),
      sessionsPerDay: 1,
    };
  }
  return { rhythm: { kind: 'week' }, calls: dice.logNormal(2.5, 0.4), sessionsPerDay: dice.logNormal(3, 0.8) };
}
