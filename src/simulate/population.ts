import { createNetworks, createOffice, createZones } from './networks.ts';
import { createPersona } from './personas.ts';
import type { Recipe } from './recipe.ts';
import type { Api, ApiName, Persona, Tenant, World } from './world.ts';

/** Share of an API's identities that are services. */
const serviceShare: Readonly<Record<ApiName, number>> = { shop: 0.02, bank: 0.02, saas: 0.12, partner: 0.75, mesh: 1 };

/** People and services of an API by role, as weights. */
const people: Readonly<Record<ApiName, Readonly<Record<string, number>>>> = {
  shop: { customer: 955, support: 30, merchandiser: 10, admin: 5 },
  bank: { customer: 940, advisor: 40, auditor: 10, admin: 10 },
  saas: { member: 800, manager: 120, auditor: 30, admin: 50 },
  partner: { operator: 1 },
  mesh: {},
};
const services: Readonly<Record<ApiName, Readonly<Record<string, number>>>> = {
  shop: { merchandiser: 1 },
  bank: { auditor: 1 },
  saas: { integration: 1 },
  partner: { partner: 5, reseller: 3, logistics: 2 },
  mesh: {
    web: 4,
    checkout: 3,
    catalogue: 2,
    search: 2,
    orders: 2,
    payments: 2,
    users: 2,
    shipping: 2,
    notify: 2,
    fraud: 1,
    reports: 1,
    batch: 1,
  },
};

type Base = Pick<World, 'dice' | 'apis' | 'networks' | 'tenants'>;

export function createGround(recipe: Recipe, dice: World['dice']): Pick<World, 'networks' | 'zones' | 'tenants'> {
  const zones = createZones();
  const networks = createNetworks(zones);
  const offices = networks.filter((each) => each.kind === 'home' && !each.name.endsWith('-v6'));
  const tenant = (name: string, country?: string): Tenant => {
    const own = dice.fork(`tenant/${name}`);
    const near = own.pick(country === undefined ? offices : offices.filter((each) => each.country === country));
    const office = createOffice(`office-${name}`, near, own);
    return { name, country: near.country, office, zone: near.zone };
  };
  const numbered = (prefix: string, count: number): Tenant[] =>
    Array.from({ length: count }, (_, i) => tenant(`${prefix}${String(i + 1).padStart(2, '0')}`));
  const tenants = [
    tenant('shop', 'DE'),
    tenant('bank', 'DE'),
    tenant('platform', 'DE'),
    ...numbered('saas-', recipe.tenants),
    ...numbered('partner-', Math.ceil(recipe.tenants / 2)),
  ];
  return { networks, zones, tenants };
}

/** Everybody who is there from the beginning. Quotas, not chance, decide how many of each: a small world has all roles too. */
export function createPersonas(
  world: Base,
  recipe: Recipe,
  span: { readonly startMs: number; readonly endMs: number },
): Persona[] {
  const personas: Persona[] = [];
  for (const api of world.apis) {
    const count = Math.round(recipe.identities * recipe.apis[api.name]);
    const machines = Math.round(count * serviceShare[api.name]);
    for (const [isHuman, roles] of [
      [true, quotas(people[api.name], count - machines)],
      [false, quotas(services[api.name], machines)],
    ] as const) {
      for (const role of roles) {
        const index = personas.length;
        const options = { index, api, tenant: tenantOf(world, api, index), role, isHuman, activity: recipe.activity };
        personas.push(createPersona(world, { ...options, startsMs: span.startMs, endsMs: span.endMs }));
      }
    }
  }
  return personas;
}

/** One of each role, then by weight. */
function quotas(weights: Readonly<Record<string, number>>, count: number): string[] {
  const names = Object.keys(weights);
  const total = Object.values(weights).reduce((a, b) => a + b, 0);
  const roles = names.slice(0, count);
  for (const name of names) {
    const share = Math.round((weights[name]! / total) * count) - 1;
    for (let i = 0; i < share && roles.length < count; i++) roles.push(name);
  }
  while (roles.length < count) roles.push(names[0]!);
  return roles;
}

/** Tenants' sizes follow Zipf's law. */
function tenantOf({ tenants, dice }: Base, api: Api, index: number): Tenant {
  const prefix = api.name === 'mesh' ? 'platform' : api.name;
  const own = tenants.filter((tenant) => tenant.name === prefix || tenant.name.startsWith(`${prefix}-`));
  return own[dice.fork(`tenant-of/${index}`).zipf(own.length)]!;
}
