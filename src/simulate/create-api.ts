import type { ApiSpec, ResourceSpec } from './apis/api-spec.ts';
import { Dice } from './dice.ts';
import { createPool } from './pools.ts';
import type { Action, Api, Pool, Route, Step, Task } from './world.ts';

type Shape = { readonly action: Action; readonly method: string; readonly tail: string };

const shapes: Readonly<Record<string, Shape>> = {
  list: { action: 'list', method: 'GET', tail: '' },
  search: { action: 'search', method: 'GET', tail: '/search' },
  read: { action: 'read', method: 'GET', tail: '/{id}' },
  create: { action: 'create', method: 'POST', tail: '' },
  update: { action: 'update', method: 'PATCH', tail: '/{id}' },
  delete: { action: 'delete', method: 'DELETE', tail: '/{id}' },
  export: { action: 'export', method: 'GET', tail: '/export' },
};

/** Size in objects, and duration in ms, by what is done. */
const costs: Readonly<Record<Action, { readonly objects: number; readonly durationMs: number }>> = {
  list: { objects: 0.6, durationMs: 60 },
  search: { objects: 0.6, durationMs: 95 },
  read: { objects: 1, durationMs: 25 },
  detail: { objects: 1.4, durationMs: 35 },
  create: { objects: 0.7, durationMs: 80 },
  update: { objects: 0.7, durationMs: 70 },
  act: { objects: 0.3, durationMs: 110 },
  delete: { objects: 0.1, durationMs: 50 },
  export: { objects: 300, durationMs: 1600 },
  'sign-in': { objects: 1, durationMs: 240 },
  renew: { objects: 1, durationMs: 45 },
  health: { objects: 1, durationMs: 5 },
};

const authRoutes = [
  { verb: 'login', action: 'sign-in', bytes: 1400 },
  { verb: 'mfa', action: 'act', bytes: 500 },
  { verb: 'renew', action: 'renew', bytes: 1300 },
  { verb: 'logout', action: 'act', bytes: 120 },
  { verb: 'reset', action: 'act', bytes: 200 },
] as const;

/** Routes, pools and tasks of an API out of its table. Sizes differ from world to world, by the seed. */
export function createApi(spec: ApiSpec, seed: string): Api {
  const dice = new Dice(`${seed}/api/${spec.name}`);
  const resources = Object.entries(spec.resources).flatMap(([name, resource]) =>
    routesOf(spec, name, { resource, seed, dice }),
  );
  const auth = authRoutes.map(({ verb, action, bytes }): Route => {
    const { durationMs } = costs[action];
    return {
      ...always,
      name: `auth.${verb}`,
      resource: 'auth',
      action,
      method: 'POST',
      host: spec.host,
      template: `${spec.prefix}/auth/${verb}`,
      pool: null,
      roles: spec.roles,
      scope: '-',
      bytes,
      durationMs,
      rows: 0,
      sensitive: [],
    };
  });
  const routes = [...resources, ...auth];
  const byName = new Map(routes.map((route) => [route.name, route]));
  const route = (name: string): Route => {
    const found = byName.get(name);
    if (found === undefined) throw new RangeError(`${spec.name} has no route ${name}`);
    return found;
  };
  const scopes = new Map(
    spec.roles.map((role) => [
      role,
      [...new Set(resources.filter((each) => each.roles.includes(role)).map((each) => each.scope))].sort(),
    ]),
  );
  return {
    name: spec.name,
    host: spec.host,
    routes,
    tasks: spec.tasks.map((line) => taskOf(line, route)),
    route,
    roles: spec.roles,
    scopesOf: (role) => scopes.get(role) ?? [],
    tokenSeconds: spec.tokenMinutes * 60,
    says: spec.says,
    errorShare: 0.002 + 0.003 * dice.next(),
  };
}

const always = { sinceMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY };

function routesOf(
  spec: ApiSpec,
  name: string,
  by: { readonly resource: ResourceSpec; readonly seed: string; readonly dice: Dice },
): Route[] {
  const { resource, dice } = by;
  const { ids, of = 'shared' } = resource;
  const pool: Pool | null =
    ids === undefined
      ? null
      : createPool({ name: `${spec.name}-${name}`, ids, ownership: of, seed: by.seed, staff: spec.staff });
  // One service, one host: that is what a segment of the mesh is.
  const host = spec.name === 'mesh' ? `${name}.${spec.host}` : spec.host;
  return resource.verbs.split(' ').map((word): Route => {
    const [, verb = '', mark, named] = /^([a-z-]+)([?!]?)(?:@(.+))?$/.exec(word) ?? [];
    const shape = shapes[verb] ?? partOf(verb, mark === '?');
    const roles = (named ?? resource.roles)?.split(',') ?? spec.roles;
    const cost = costs[shape.action];
    const rows =
      shape.action === 'list' || shape.action === 'search' ? (resource.rows ?? 0) : shape.action === 'export' ? 300 : 0;
    return {
      ...always,
      name: `${name}.${verb}`,
      resource: name,
      action: shape.action,
      method: shape.method,
      host,
      template: `${spec.prefix}/${name}${pool === null ? shape.tail.replace('/{id}', '') : shape.tail}`,
      pool,
      roles,
      scope: `${spec.name}:${roles.length < spec.roles.length ? 'admin' : shape.method === 'GET' ? 'read' : 'write'}`,
      bytes: Math.round(
        dice.logNormal(resource.bytes * cost.objects * Math.max(1, shape.action === 'export' ? 1 : rows), 0.3),
      ),
      durationMs: dice.logNormal(cost.durationMs, 0.3),
      rows,
      sensitive: ['list', 'search', 'read', 'detail', 'export'].includes(shape.action)
        ? (resource.sensitive ?? [])
        : [],
    };
  });
}

function partOf(verb: string, isRead: boolean): Shape {
  return { action: isRead ? 'detail' : 'act', method: isRead ? 'GET' : 'POST', tail: `/{id}/${verb}` };
}

const times: Readonly<Record<string, Step['times']>> = { '': 'once', '?': 'maybe', '+': 'some', '*': 'many' };

function taskOf(line: string, route: (name: string) => Route): Task {
  const [head = '', steps = ''] = line.split(': ');
  const [name = '', weight, roles = ''] = head.split(' ');
  return {
    name,
    weight: Number(weight),
    roles: roles.split(','),
    steps: steps.split(' ').map((word) => {
      const [, path = '', mark = ''] = /^([a-z.-]+)([?+*]?)$/.exec(word) ?? [];
      return { route: route(path), times: times[mark]! };
    }),
  };
}
