import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { seededRandom } from '../../src/core/random.ts';
import {
  call,
  clerks,
  company,
  day,
  firstDay,
  hour,
  inTime,
  integer,
  type Line,
  lastDay,
  minute,
  person,
  pick,
  service,
} from './company.ts';

/**
 * What happens in each scenario, beside the company's ten days. `node dist/test/scenario/generate.js` writes the files anew; a test
 * holds that they are what this makes.
 */
const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

function stolenToken(): Line[] {
  const random = seededRandom(101);
  const victim = person('clerk-05');
  return times(40, (i) => ({
    ...victim.at(
      lastDay + 14 * hour + i * 20_000,
      pick(random, ['GET /exports/customers', 'GET /exports/orders', 'GET /payments/#']),
    ),
    status: 200,
    client_ip: '203.0.113.77',
    country: 'RO',
    user_agent: 'python-requests/2.32.3',
  }));
}

function bruteForce(): Line[] {
  const random = seededRandom(102);
  return times(150, (i) => ({
    ts: lastDay + 11 * hour + i * 3000,
    subject: pick(random, clerks),
    client_ip: '203.0.113.66',
    country: 'RO',
    user_agent: 'Go-http-client/2.0',
    ...call(random, 'POST /login'),
    status: 401,
    auth_result: 'failure',
  }));
}

function objectWalk(): Line[] {
  const insider = person('clerk-09');
  return times(120, (i) => ({
    ...insider.at(lastDay + 15 * hour + i * 8000, 'GET /orders/#'),
    path: `/orders/${2000 + i}`,
    status: i % 5 === 0 ? 200 : 404,
  }));
}

function requestFlood(): Line[] {
  const at = service('service-3', ['GET /inventory', 'POST /shipments']);
  return times(700, (i) => at(lastDay + 13.5 * hour + i * 300));
}

function newPrivileges(): Line[] {
  const random = seededRandom(105);
  const clerk = person('clerk-12');
  const wanted = [
    'GET /admin/users',
    'PUT /admin/users/#',
    'GET /admin/keys',
    'POST /admin/keys',
    'DELETE /admin/audit/#',
  ];
  return times(15, (i) => ({ ...clerk.at(lastDay + 14.2 * hour + i * 4 * minute, pick(random, wanted)), status: 200 }));
}

function travellingUser(): Line[] {
  const traveller = person('clerk-15');
  return times(24, (i) => ({
    ...traveller.at(lastDay + (i < 12 ? -day : 0) + 14.9 * hour + (i % 12) * 6 * minute, traveller.usual()),
    client_ip: `203.0.113.${20 + Math.floor(i / 12)}`,
    country: 'DE',
  }));
}

function nightlyJobMoves(): Line[] {
  const at = service('service-nightly', ['GET /orders', 'POST /backups']);
  return times(10, (d) => {
    const start = firstDay + d * day + (d === 9 ? 3 : 2) * hour;
    return times(30, (i) => at(start + i * 15_000));
  }).flat();
}

function firstDayAtWork(): Line[] {
  const newcomer = person('clerk-new');
  const start = lastDay + 9 * hour;
  return [
    { ...newcomer.at(start, 'POST /login'), status: 200 },
    ...times(30, (i) => newcomer.at(start + (i + 1) * 13 * minute, newcomer.usual())),
  ];
}

function releaseAddsRoute(): Line[] {
  const random = seededRandom(109);
  return clerks.flatMap((name) => {
    const who = person(name);
    return times(2 + integer(random, 5), () =>
      who.at(lastDay - day + (9 + random.next() * 8) * hour, 'GET /orders/#/timeline'),
    );
  });
}

function monthEndBatch(): Line[] {
  const at = service('service-billing', ['POST /invoices', 'GET /orders', 'GET /customers/#']);
  const ends = [0, 1, 2, 3, 4, 5].map((month) => Date.UTC(2026, month, 10, 1));
  const daily: Line[] = [];
  for (let ts = ends[0]! - 3 * day; ts < ends[5]! + 12 * hour; ts += 12 * hour) daily.push(at(ts));
  return [...daily, ...ends.flatMap((start) => times(90, (i) => at(start + i * 6000)))];
}

function passwordResets(): Line[] {
  const random = seededRandom(111);
  return clerks.flatMap((name) => {
    const who = person(name);
    const start = lastDay + 8.6 * hour + random.next() * hour;
    const failures = times(1 + integer(random, 3), (i) => ({
      ...who.at(start + i * 9000, 'POST /login'),
      status: 401,
      auth_result: 'failure',
    }));
    const reset = ['POST /password-reset', 'PUT /password', 'POST /login'];
    return [...failures, ...reset.map((what, i) => ({ ...who.at(start + (i + 1) * minute, what), status: 200 }))];
  });
}

/** Somebody whose calls carry a token of eight hours, made by the log-in of the morning. */
function tokenHolder(name: string): { readonly at: (ts: number, what: string) => Line; readonly days: Line[] } {
  const who = person(name);
  const at = (ts: number, what: string): Line => {
    const login = Math.floor((firstDay + Math.floor((ts - firstDay) / day) * day + 8.5 * hour) / 1000);
    const token = { token_id: `${name}-${login}`, auth_time: login, token_iat: login, token_exp: login + 8 * 3600 };
    return { ...who.at(ts, what), ...token, client_ip: '198.51.100.2', asn: 64496 };
  };
  const workdays = [0, 1, 2, 3, 4, 7, 8, 9];
  const ordinary = workdays.flatMap((d) =>
    times(16, (i) =>
      at(firstDay + d * day + 8.6 * hour + i * 28 * minute + who.random.next() * 9 * minute, who.usual()),
    ),
  );
  return { at, days: ordinary };
}

function tokenReplay(): Line[] {
  const random = seededRandom(112);
  const holder = tokenHolder('clerk-40');
  const replayed = times(25, (i) => ({
    ...holder.at(lastDay + 14 * hour + i * 40_000, pick(random, ['GET /orders', 'GET /orders/#', 'GET /customers/#'])),
    status: 200,
    client_ip: '203.0.113.91',
    asn: 64511,
    country: 'RO',
    user_agent: 'python-requests/2.32.3',
  }));
  return [...holder.days, ...replayed];
}

function stuffingBotnet(): Line[] {
  const random = seededRandom(113);
  return times(60, (bot) =>
    times(4, (i) => ({
      ts: Math.floor(lastDay + 12 * hour + i * 6 * minute + random.next() * 6 * minute),
      subject: random.next() < 0.2 ? pick(random, clerks) : `guest-${integer(random, 100_000)}`,
      client_ip: `203.0.113.${100 + bot}`,
      country: pick(random, ['BR', 'VN', 'RO', 'US']),
      user_agent: pick(random, ['okhttp/4.12.0', 'Go-http-client/2.0']),
      ...call(random, 'POST /login'),
      status: 401,
      auth_result: 'failure',
    })),
  ).flat();
}

function destructiveBurst(): Line[] {
  const admin = person('admin-2');
  return times(90, (i) => ({
    ...admin.at(lastDay + 15.5 * hour + i * 2500, 'DELETE /customers/#'),
    path: `/customers/${1000 + i * 4}`,
    status: 204,
    response_bytes: 0,
  }));
}

function quietScraper(): Line[] {
  const scraper = person('clerk-07');
  return times(480, (i) => ({
    ...scraper.at(lastDay + 9 * hour + i * minute, 'GET /customers/#'),
    path: `/customers/${1000 + ((i * 7) % 400)}`,
    status: 200,
  }));
}

function newDevice(): Line[] {
  const owner = person('clerk-20');
  return times(20, (i) => ({
    ...owner.at(lastDay + (i < 10 ? -day : 0) + 9 * hour + (i % 10) * 45 * minute, owner.usual()),
    client_ip: `192.0.2.${240 + (i % 3)}`,
    asn: 64500,
    user_agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148 Safari/605.1',
  }));
}

function vpnChange(): Line[] {
  const random = seededRandom(117);
  return clerks.flatMap((name) => {
    const who = person(name);
    return times(3 + integer(random, 5), () => ({
      ...who.at(lastDay + (9 + random.next() * 8) * hour, who.usual()),
      client_ip: `203.0.113.${200 + integer(random, 2)}`,
      country: 'NL',
    }));
  });
}

function outage(): Line[] {
  const random = seededRandom(118);
  return clerks.flatMap((name) => {
    const who = person(name);
    const start = lastDay + 10 * hour + random.next() * 8 * minute;
    return times(12 + integer(random, 12), (i) => ({ ...who.at(start + i * 20_000, 'GET /orders'), status: 503 }));
  });
}

function newDependency(): Line[] {
  const at = service('service-4', ['GET /shipments/#', 'POST /shipments', 'PUT /shipments/#', 'POST /labels']);
  return times(160, (i) => ({ ...at(lastDay + 9 * hour + i * 3 * minute), status: 200 }));
}

function newSegments(): Line[] {
  const random = seededRandom(119);
  const at = service('service-4', [
    'GET /admin/users',
    'GET /payments/#',
    'GET /exports/customers',
    'POST /admin/keys',
  ]);
  return times(60, (i) => {
    const status = random.next() < 0.4 ? 403 : 200;
    return { ...at(lastDay + 13 * hour + i * 15_000), status };
  });
}

function backDoorAccount(): Line[] {
  const random = seededRandom(120);
  const thief = { status: 200, client_ip: '203.0.113.44', country: 'RO', user_agent: 'python-requests/2.32.3' };
  const admin = person('admin-4');
  const start = lastDay + 14 * hour;
  const name = 'j.marin';
  const looking = ['GET /admin/users', 'GET /admin/audit', 'GET /exports/customers', 'GET /payments/#'];
  return [
    ...times(30, (i) => ({ ...admin.at(start + i * 15_000, pick(random, looking)), ...thief })),
    ...['POST /admin/users', 'PUT /admin/roles', 'POST /admin/keys'].map((what, i) => ({
      ...admin.at(start + (32 + i) * 15_000, what),
      ...{ ...thief, object_ids: [name] },
    })),
    ...times(8, (i) => ({
      ...person(name).at(start + 20 * minute + i * 40_000, i === 0 ? 'POST /login' : 'GET /orders'),
      status: 200,
    })),
  ];
}

/** Accounts and machines that are made and then call, some every day. */
function newAccounts(): Line[] {
  const admin = person('admin-5');
  const deploy = service('service-deploy', ['POST /machines']);
  return times(10, (d) => {
    const morning = firstDay + d * day + 9 * hour;
    const people = times(d % 7 < 5 ? 3 : 0, (i) => {
      const name = `joiner-${d}-${i}`;
      const joiner = person(name);
      const start = morning + i * 20 * minute;
      const made = { ...admin.at(start, 'POST /admin/users'), status: 200, object_ids: [name] };
      return [
        made,
        ...times(6, (k) => joiner.at(start + (k + 1) * 8 * minute, k === 0 ? 'POST /login' : joiner.usual())),
      ];
    });
    // On the last day all machines are made anew.
    const machines = times(d === 9 ? 60 : 4, (i) => {
      const name = `machine-${d}-${i}`;
      const machine = service(name, ['GET /inventory', 'POST /shipments']);
      const start = morning + 4 * hour + i * (d === 9 ? 2000 : hour);
      const made = { ...deploy(start), status: 200, object_ids: [name] };
      return [made, ...times(10, (k) => machine(start + (k + 1) * 5 * minute))];
    });
    return [...people, ...machines].flat();
  }).flat();
}

export const scenarios: Readonly<Record<string, () => Line[]>> = {
  'stolen-token': stolenToken,
  'brute-force': bruteForce,
  'object-walk': objectWalk,
  'request-flood': requestFlood,
  'new-privileges': newPrivileges,
  'token-replay': tokenReplay,
  'stuffing-botnet': stuffingBotnet,
  'destructive-burst': destructiveBurst,
  'quiet-scraper': quietScraper,
  'new-segments': newSegments,
  'back-door-account': backDoorAccount,
  'innocent-new-dependency': newDependency,
  'innocent-new-accounts': newAccounts,
  'innocent-ordinary-days': () => [],
  'innocent-traveller': travellingUser,
  'innocent-nightly-job-moves': nightlyJobMoves,
  'innocent-first-day': firstDayAtWork,
  'innocent-release': releaseAddsRoute,
  'innocent-month-end': monthEndBatch,
  'innocent-password-resets': passwordResets,
  'innocent-new-device': newDevice,
  'innocent-vpn-change': vpnChange,
  'innocent-outage': outage,
};

export const textOf = (lines: readonly Line[]): string =>
  inTime(lines)
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
export const folder = join(import.meta.dirname, '../../../test/scenario');

if (process.argv[1] === import.meta.filename) {
  writeFileSync(join(folder, 'company.ndjson.gz'), gzipSync(textOf(company()), { level: 9 }));
  for (const [name, make] of Object.entries(scenarios)) {
    writeFileSync(join(folder, name, 'events.ndjson'), textOf(make()));
  }
}
