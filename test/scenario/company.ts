import { type Random, seededRandom } from '../../src/core/random.ts';

/** A line of traffic in canonical form; `ts` in ms. */
export type Line = { readonly ts: number; readonly [field: string]: unknown };

export const minute = 60_000;
export const hour = 60 * minute;
export const day = 24 * hour;
/** The Monday on which the company's recording begins, midnight in its time zone, which is two hours before UTC's. */
export const firstDay = Date.UTC(2026, 5, 1) - 2 * hour;
export const days = 10;
/** Wednesday of the second week: when things happen. */
export const lastDay = firstDay + 9 * day;

export const clerks = Array.from({ length: 36 }, (_, i) => `clerk-${String(i + 1).padStart(2, '0')}`);
const admins = Array.from({ length: 5 }, (_, i) => `admin-${i + 1}`);
const services = Array.from({ length: 7 }, (_, i) => `service-${i + 1}`);

const browsers = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/137.0.0.0 Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1.15',
  'Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0',
];
const clerkCalls = [
  'GET /orders',
  'GET /orders/#',
  'POST /orders',
  'GET /customers/#',
  'PUT /customers/#',
  'GET /reports/daily',
];
const adminCalls = [...clerkCalls, 'GET /admin/users', 'PUT /admin/users/#', 'GET /admin/audit'];

export const integer = (random: Random, below: number): number => Math.floor(random.next() * below);
export const pick = <T>(random: Random, all: readonly T[]): T => all[integer(random, all.length)]!;

/** `GET /orders/#` as a call, the number sign an id. */
export function call(random: Random, what: string): Record<string, unknown> {
  const [method, path] = what.split(' ') as [string, string];
  return { method, path: path.replace('#', String(1000 + integer(random, 400))), host: 'api.acme.example' };
}

/** A person's own ways: which calls and how often, which browser, which office, which home. */
export function person(name: string): {
  readonly at: (ts: number, what: string) => Line;
  readonly usual: () => string;
  readonly random: Random;
} {
  const isAdmin = name.startsWith('admin');
  const random = seededRandom([...name].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7));
  const calls = (isAdmin ? adminCalls : clerkCalls).filter(() => random.next() < 0.8);
  const habits =
    calls.length === 0 ? clerkCalls : calls.flatMap((each) => Array<string>(1 + integer(random, 4)).fill(each));
  const user_agent = pick(random, browsers);
  const office = `198.51.100.${1 + integer(random, 3)}`;
  const home = `192.0.2.${10 + integer(random, 200)}`;
  const homeShare = random.next() * 0.5;
  let today = -1;
  let client_ip = office;
  return {
    random,
    usual: () => pick(random, habits),
    at: (ts, what) => {
      const now = Math.floor((ts - firstDay) / day);
      if (now !== today) client_ip = random.next() < homeShare ? home : office;
      today = now;
      const status = random.next() < 0.015 ? 404 : random.next() < 0.004 ? 500 : random.next() < 0.004 ? 403 : 200;
      return {
        ts: Math.floor(ts),
        subject: name,
        roles: [isAdmin ? 'admin' : 'clerk'],
        client_ip,
        country: 'FR',
        user_agent,
        tz: '+0200',
        ...call(random, what),
        status,
        response_bytes: Math.floor(300 * Math.exp(random.next() * 2)),
      };
    },
  };
}

/** Nine to five in spells of work, now and then a mistyped password first. */
function workday(who: ReturnType<typeof person>, midnight: number): Line[] {
  const { random } = who;
  const lines: Line[] = [];
  if (random.next() < 0.15) return lines;
  let ts = midnight + 8.5 * hour + random.next() * hour;
  if (random.next() < 0.06) lines.push({ ...who.at(ts - minute, 'POST /login'), status: 401 });
  lines.push({ ...who.at(ts, 'POST /login'), status: 200 });
  const end = midnight + (16 + random.next() * 2) * hour;
  while (ts < end) {
    const spell = 1 + integer(random, 4);
    for (let i = 0; i < spell; i++) {
      ts += 5000 + random.next() * 40_000;
      lines.push(who.at(ts, who.usual()));
    }
    ts += (0.5 + random.next() * 2) * hour;
  }
  return lines;
}

export function service(name: string, what: readonly string[]): (ts: number) => Line {
  const random = seededRandom([...name].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 11));
  return (ts) => ({
    ts: Math.floor(ts),
    client_id: name,
    actor_kind: 'service',
    client_ip: `10.1.${name.length}.${name.charCodeAt(name.length - 1)}`,
    user_agent: 'acme-worker/2.4',
    ...call(random, pick(random, what)),
    status: random.next() < 0.01 ? 503 : 200,
    response_bytes: 200 + integer(random, 100),
  });
}

/** Ten days of a small company: what every scenario happens in. */
export function company(): Line[] {
  const people = [...clerks, ...admins].map(person);
  const lines: Line[] = [];
  for (let d = 0; d < days; d++) {
    const midnight = firstDay + d * day;
    if (d % 7 < 5) for (const who of people) lines.push(...workday(who, midnight));
  }
  const random = seededRandom(17);
  services.forEach((name, i) => {
    const at = service(name, i % 2 === 0 ? ['GET /inventory', 'POST /shipments'] : ['GET /orders', 'PUT /orders/#']);
    for (let ts = firstDay; ts < firstDay + days * day; ts += (1 + (i % 3)) * hour)
      lines.push(at(ts + random.next() * 5 * minute));
  });
  return inTime(lines);
}

export function inTime(lines: readonly Line[]): Line[] {
  return [...lines].sort((a, b) => a.ts - b.ts);
}
