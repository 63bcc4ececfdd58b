import { seededRandom } from '../../src/core/random.ts';

/** The made-up world of synthesize.ts: APIs with their functions and roles, places, client programs. All of it is fixed. */
export type ApiFunction = {
  readonly area: number;
  readonly operation: string | null;
  readonly method: string | null;
  readonly route: string | null;
  readonly weight: number;
  /** Mean logarithm of the answer's bytes. */
  readonly size: number;
};

export type Api = {
  readonly name: string;
  readonly functions: readonly ApiFunction[];
  /** Weight per area. */
  readonly roles: readonly { readonly name: string; readonly areas: readonly number[] }[];
  /** What its gateway reports: a field that no event carries must not unsettle the model. */
  readonly says: Readonly<Record<Reportable, boolean>>;
};
type Reportable = 'address' | 'application' | 'country' | 'program' | 'zone' | 'sizes' | 'status' | 'roles';

export type Place = {
  readonly country: string;
  readonly zoneHours: number;
  /** First two numbers of its addresses, or three when it is somebody's own. */
  readonly networks: readonly string[];
};

/** The third value is how often it is used among the functions of an area. */
const verbs = [
  ['GET', '', 4, 8.5],
  ['GET', '/{id}', 6, 7],
  ['GET', '/{id}/history', 1, 8],
  ['POST', '', 1.2, 5],
  ['PUT', '/{id}', 1, 5],
  ['DELETE', '/{id}', 0.2, 3.5],
] as const;
const actions = ['List', 'Describe', 'Get', 'Create', 'Update', 'Delete'] as const;
const extensions = ['.java', '.md', '.xml', '.py', '.html', '.json'] as const;

type Style = 'routes' | 'operations' | 'files';

function api(name: string, of: { areas: readonly string[]; style: Style; says: readonly Reportable[] }): Api {
  const random = seededRandom(name.length * 7919 + of.areas.length);
  const functions = of.areas.flatMap((area, a) =>
    verbs.map(([method, tail, weight, size], v): ApiFunction => {
      if (of.style === 'operations')
        return { area: a, operation: `${area}:${actions[v]}${area}`, method: null, route: null, weight, size };
      const route = of.style === 'files' ? `/${area}/part-${v}/{file}${extensions[(a + v) % 6]}` : `/${area}${tail}`;
      return { area: a, operation: null, method, route, weight, size };
    }),
  );
  const roles = ['reader', 'editor', 'operator'].map((role) => ({
    name: role,
    areas: of.areas.map(() => Math.exp(3 * (random.next() - 0.5))),
  }));
  const all = ['address', 'application', 'country', 'program', 'zone', 'sizes', 'status', 'roles'] as const;
  const says = Object.fromEntries(all.map((what) => [what, of.says.includes(what)])) as Api['says'];
  return { name, functions, roles, says };
}

export const apis: readonly Api[] = [
  api('shop', {
    areas: ['products', 'cart', 'orders', 'account', 'reviews', 'search'],
    style: 'routes',
    says: ['address', 'application', 'country', 'program', 'zone', 'sizes', 'status', 'roles'],
  }),
  api('bank', {
    areas: ['accounts', 'payments', 'cards', 'statements', 'limits'],
    style: 'routes',
    says: ['address', 'program', 'sizes', 'status', 'roles'],
  }),
  api('cloud', {
    areas: ['storage', 'compute', 'identity', 'queue', 'logs'],
    style: 'operations',
    says: ['address', 'country', 'program', 'status'],
  }),
  api('files', {
    areas: ['core', 'docs', 'web', 'build', 'tools', 'tests', 'data'],
    style: 'files',
    says: ['zone'],
  }),
];

export const places: readonly Place[] = [
  { country: 'DE', zoneHours: 1, networks: ['203.0', '198.51'] },
  { country: 'DE', zoneHours: 1, networks: ['203.1'] },
  { country: 'FR', zoneHours: 1, networks: ['203.2', '198.52'] },
  { country: 'GB', zoneHours: 0, networks: ['203.3', '198.53'] },
  { country: 'US', zoneHours: -5, networks: ['203.4', '198.54', '198.55'] },
  { country: 'US', zoneHours: -8, networks: ['203.5', '198.56'] },
  { country: 'IN', zoneHours: 5, networks: ['203.6', '198.57'] },
  { country: 'JP', zoneHours: 9, networks: ['203.7'] },
  { country: 'BR', zoneHours: -3, networks: ['203.8', '198.58'] },
];

export const programs = [
  'Mozilla/5.0 (Windows NT 10.0) Chrome/131.0',
  'Mozilla/5.0 (Macintosh) Safari/18.1',
  'Mozilla/5.0 (X11; Linux) Firefox/133.0',
  'Mozilla/5.0 (iPhone) Mobile Safari/18.1',
  'Mozilla/5.0 (Linux; Android 15) Chrome/131.0 Mobile',
  'curl/8.11',
] as const;

/** Services share a handful of libraries. */
export function serviceProgram(i: number): string {
  return ['python-requests/2.32', 'Go-http-client/2.0', 'okhttp/4.12', 'axios/1.7'][i % 4]!;
}
