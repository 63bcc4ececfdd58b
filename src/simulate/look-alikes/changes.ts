import { updated } from '../devices.ts';
import { hourMs } from '../week.ts';
import type { Actor, Api, Device, IncidentRecipe, Persona, Stage } from '../world.ts';
import { atNight, watch } from './watching.ts';

const lookAlike = { family: 'world', kind: 'look-alike', pace: 'slow', expected: [] } as const;

/** An API whose gateway reports templates, so that a new route is seen as one. */
const released = ['shop', 'bank', 'saas'] as const;

const release: IncidentRecipe = {
  ...lookAlike,
  name: 'release',
  about: 'A release brings routes that nobody called before, and other sizes for a quarter of the old ones.',
  hours: 48,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const api = world.api(dice.pick(released));
    // At the beginning of time: nobody may have seen them.
    const routes = withhold(api, stage);
    yield stage.startMs;
    for (const route of api.routes)
      if (dice.chance(0.25)) route.bytes = Math.round(route.bytes * dice.logNormal(1.3, 0.5));
    const templates = new Set(routes.map((route) => route.template));
    watch(stage, { hours: 48, fits: (event) => event.host === api.host && templates.has(event.route ?? '') });
  },
};

/** Takes a few routes out of the world until the incident: parts of what most people do here. */
function withhold(api: Api, { dice, startMs }: Stage): Api['routes'] {
  const popular = api.tasks.filter((task) => task.roles.includes(api.roles[0]!) && task.weight >= 1);
  const used = new Set(popular.flatMap((task) => task.steps.map((step) => step.route)));
  const candidates = [...used].filter((route) => route.action === 'detail' && route.sinceMs < 0);
  const chosen = dice.sample(candidates, 2);
  for (const route of chosen) route.sinceMs = startMs;
  return chosen;
}

const mobileUpdate: IncidentRecipe = {
  ...lookAlike,
  name: 'mobile-update',
  about: "A new version of an API's app, with another TLS library, reaches everybody's phones within two days.",
  hours: 60,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const api = world.api(dice.pick(released));
    yield stage.startMs;
    const owners = world.personas.filter(
      (each) => each.api === api && each.devices.some((device) => device.kind === 'app'),
    );
    watch(stage, { hours: 60, personas: owners, fits: (event) => event.device_id !== undefined });
    for (const owner of dice.sample(owners, owners.length)) {
      owner.devices = owner.devices.map((device) => (device.kind === 'app' ? nextMajor(device) : device));
      yield world.now + dice.exponential((40 * hourMs) / owners.length);
    }
  },
};

function nextMajor(device: Device): Device {
  const userAgent = device.userAgent.replace(/\/(\d+)\.\d+/, (_all, major: string) => `/${Number(major) + 1}.0`);
  return {
    ...updated(device),
    userAgent,
    ja4: device.ja4.replace(/^t13d(\d\d)/, (_all, count: string) => `t13d${Number(count) + 1}`),
  };
}

const daylightSaving: IncidentRecipe = {
  ...lookAlike,
  name: 'daylight-saving',
  about: 'The clocks of a zone go forward: people, and jobs that keep local time, come an hour earlier than before.',
  hours: 36,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const lived = world.zones.filter((zone) => world.personas.some((persona) => persona.zone === zone));
    const zone = dice.pick(lived);
    yield atNight(stage.startMs + 24 * hourMs);
    zone.offsetMinutes += 60;
    watch(stage, { hours: 24, personas: world.personas.filter((persona) => persona.zone === zone) });
  },
};

const vpnChange: IncidentRecipe = {
  ...lookAlike,
  name: 'vpn-change',
  about: 'A company sends its staff through a VPN: all of them come from another network from one morning on.',
  hours: 96,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const networks = world.networks.filter((network) => network.kind === 'vpn');
    const egress = dice.pick(networks);
    const staff = staffOf(stage);
    yield atNight(stage.startMs);
    for (const persona of staff) {
      persona.places = persona.places.map((place, i) =>
        i === 0 ? { network: egress, ip: egress.address(dice) } : place,
      );
    }
    watch(stage, { hours: 96, personas: staff });
  },
};

/** People of one tenant whose usual place is its office. */
function staffOf({ world, dice }: Stage): Persona[] {
  const office = (persona: Persona): boolean =>
    persona.kind === 'human' && persona.places[0]!.network === persona.tenant.office;
  const staff = world.personas.filter(office);
  const companies = world.tenants.map((tenant) => staff.filter((persona) => persona.tenant === tenant));
  const large = companies.filter((people) => people.length >= 3);
  return large.length === 0 ? [] : dice.pick(large);
}

const providerChange: IncidentRecipe = {
  ...lookAlike,
  name: 'provider-change',
  about: 'A provider moves a part of its customers to other addresses, with another network number.',
  hours: 48,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const homes = world.networks.filter((each) => each.kind === 'home');
    const pairs = homes.flatMap((from) =>
      homes.filter((to) => to.asn !== from.asn && to.city === from.city).map((to) => ({ from, to })),
    );
    const { from, to } = dice.pick(pairs);
    yield atNight(stage.startMs);
    const moved = world.personas.filter(
      (each) => each.places.some((place) => place.network === from) && dice.chance(0.5),
    );
    for (const persona of moved) {
      persona.places = persona.places.map((place) =>
        place.network === from ? { network: to, ip: to.address(dice) } : place,
      );
    }
    watch(stage, { hours: 48, personas: moved, fits: (event) => event.asn === undefined || event.asn === to.asn });
  },
};

const nightlyJobMoved: IncidentRecipe = {
  ...lookAlike,
  name: 'nightly-job-moved',
  about: 'A job that runs every day at the same time is moved to another hour.',
  hours: 72,
  run: function* (stage): Actor {
    const { world, dice } = stage;
    const service = stage.claim((persona) => persona.rhythm.kind === 'daily', { sparse: true });
    if (service?.rhythm.kind !== 'daily') return;
    yield atNight(stage.startMs);
    const minuteOfDay = (service.rhythm.minuteOfDay + 60 * (3 + dice.int(18))) % 1440;
    service.rhythm = { ...service.rhythm, minuteOfDay };
    // The run that was planned under the old rhythm still comes.
    yield world.now + 24 * hourMs;
    watch(stage, { hours: 60, personas: [service] });
  },
};

/** Things become different, and stay so. */
export const changes: readonly IncidentRecipe[] = [
  release,
  mobileUpdate,
  daylightSaving,
  vpnChange,
  providerChange,
  nightlyJobMoved,
];
