import { hash32 } from '../core/hash.ts';
import type { Dice } from './dice.ts';
import type { ApiName, Device } from './world.ts';

/** A program by its User-Agent, `#` being the version that moves on, and the version of the simulated present. */
type Program = {
  readonly kind: Device['kind'];
  readonly agent: string;
  readonly version: number;
  readonly weight: number;
};

const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)';
const mac = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)';
const webkit = 'AppleWebKit/537.36 (KHTML, like Gecko)';

const desktops: readonly Program[] = [
  { kind: 'browser', agent: `${windows} ${webkit} Chrome/#.0.0.0 Safari/537.36`, version: 146, weight: 9 },
  { kind: 'browser', agent: `${mac} ${webkit} Chrome/#.0.0.0 Safari/537.36`, version: 146, weight: 3 },
  { kind: 'browser', agent: `${windows} ${webkit} Chrome/#.0.0.0 Safari/537.36 Edg/#.0.0.0`, version: 146, weight: 3 },
  {
    kind: 'browser',
    agent: `${windows.replace(')', '; rv:#.0)')} Gecko/20100101 Firefox/#.0`,
    version: 150,
    weight: 2,
  },
  {
    kind: 'browser',
    agent: `${mac} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/#.1 Safari/605.1.15`,
    version: 19,
    weight: 3,
  },
  {
    kind: 'browser',
    agent: `Mozilla/5.0 (X11; Linux x86_64; rv:#.0) Gecko/20100101 Firefox/#.0`,
    version: 150,
    weight: 1,
  },
];

const phones: readonly Program[] = [
  {
    kind: 'browser',
    agent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/#.4 Mobile/15E148 Safari/604.1',
    version: 18,
    weight: 5,
  },
  {
    kind: 'browser',
    agent: `Mozilla/5.0 (Linux; Android 10; K) ${webkit} Chrome/#.0.0.0 Mobile Safari/537.36`,
    version: 146,
    weight: 6,
  },
  {
    kind: 'browser',
    agent: `Mozilla/5.0 (Linux; Android 15; SAMSUNG SM-S918B) ${webkit} SamsungBrowser/#.0 Chrome/136.0.0.0 Mobile Safari/537.36`,
    version: 28,
    weight: 2,
  },
];

const scripts: readonly Program[] = [
  { kind: 'program', agent: 'python-requests/2.#.3', version: 32, weight: 5 },
  { kind: 'program', agent: 'Go-http-client/2.0', version: 0, weight: 4 },
  { kind: 'program', agent: 'axios/1.#.0', version: 9, weight: 3 },
  { kind: 'program', agent: 'okhttp/4.#.0', version: 12, weight: 2 },
  { kind: 'program', agent: 'Apache-HttpClient/5.# (Java/21.0.2)', version: 4, weight: 2 },
  { kind: 'program', agent: 'GuzzleHttp/7', version: 0, weight: 1 },
  { kind: 'program', agent: 'curl/8.#.1', version: 7, weight: 1 },
];

/** gRPC libraries of sidecars. */
const sidecars: readonly Program[] = [
  { kind: 'program', agent: 'grpc-go/1.#.0', version: 71, weight: 3 },
  { kind: 'program', agent: 'grpc-java-netty/1.#.0', version: 70, weight: 2 },
  { kind: 'program', agent: 'grpc-node-js/1.#.1', version: 13, weight: 1 },
];

/** Names of the APIs' own apps. */
const appNames: Readonly<Partial<Record<ApiName, string>>> = {
  shop: 'ShopApp',
  bank: 'BankApp',
  saas: 'SaasApp',
};

export function desktop(dice: Dice): Device {
  return install(choose(desktops, dice), dice);
}

export function phone(dice: Dice): Device {
  return install(choose(phones, dice), dice);
}

/** The API's own app on a phone; a browser where there is none. It has a device id. */
export function app(api: ApiName, dice: Dice): Device {
  const name = appNames[api];
  if (name === undefined) return phone(dice);
  const system = dice.chance(0.45)
    ? 'iOS 18.4; iPhone15,2'
    : `Android 15; ${dice.pick(['SM-S918B', 'Pixel 9', 'M2101K6G'])}`;
  return install({ kind: 'app', agent: `${name}/8.# (${system})`, version: 21, weight: 1 }, dice);
}

export function library(dice: Dice): Device {
  return install(choose(scripts, dice), dice);
}

export function sidecar(dice: Dice): Device {
  return install(choose(sidecars, dice), dice);
}

function choose(programs: readonly Program[], dice: Dice): Program {
  return programs[dice.weighted(programs.map((program) => program.weight))]!;
}

/** Most run the newest version or the one before. */
function install({ kind, agent, version }: Program, dice: Dice): Device {
  const userAgent = agent.replaceAll('#', String(Math.max(0, version - Math.floor(dice.exponential(0.7)))));
  return { id: kind === 'app' ? `d${dice.hex(10)}` : null, kind, userAgent, ja4: fingerprint(userAgent) };
}

/** The same program, one version later. */
export function updated(device: Device): Device {
  const userAgent = device.userAgent.replace(
    /((?:Chrome|Edg|Firefox|rv:|Version|App\/8|SamsungBrowser|requests\/2|axios\/1|okhttp\/4|curl\/8|grpc-[a-z-]+\/1)[/.:]?)(\d+)/g,
    (_all, name: string, version: string) => `${name}${Number(version) + 1}`,
  );
  return { ...device, userAgent, ja4: fingerprint(userAgent) };
}

/** The TLS libraries behind the programs, in the order in which their names in a User-Agent decide. */
const libraries = ['iOS', 'iPhone', 'Android 15; ', 'Firefox', 'Chrome', 'Safari'];

/** JA4 has the shape `t13d1516h2_8daaf6152771_b0da82dd1658`. It names the TLS library, so versions of a program share it. */
function fingerprint(userAgent: string): string {
  const family = libraries.find((name) => userAgent.includes(name)) ?? userAgent.replace(/[/ ].*/, '');
  const hex = (salt: string): string =>
    hash32(salt + family)
      .toString(16)
      .padStart(8, '0') +
    hash32(family + salt)
      .toString(16)
      .slice(0, 4)
      .padStart(4, '0');
  return `t13d${10 + (hash32(family) % 9)}${10 + (hash32(`x${family}`) % 9)}h2_${hex('c')}_${hex('e')}`;
}
