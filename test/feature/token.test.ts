import assert from 'node:assert/strict';
import { test } from 'node:test';
import { token } from '../../src/feature/token.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Bench, call, day, hour, minute, monday } from './moment.ts';
import { whole } from './whole.ts';

const laptop = { user_agent: 'Mozilla/5.0 (X11; Linux) Firefox/140.0', ja4: 't13d1715h2_a', asn: 3320, country: 'DE' };
const phone = { user_agent: 'Shop/4.2 (iPhone; iOS 18.1)', ja4: 't13d2014h2_b', asn: 3320, country: 'DE' };
const thief = { user_agent: 'python-requests/2.32', ja4: 't13d0311h1_c', asn: 9009, country: 'NL' };
type Where = Partial<ResolvedEvent['event']>;

const use = (ts: number, where: Where, session = 's1') => call({ ts, session_id: session, subject: 'u', ...where });

/** Two hundred users, ten days, one session a day, phones that change between wifi and the mobile network. */
function populated(): Bench {
  const bench = new Bench(whole(token));
  for (let d = 0; d < 10; d++) {
    for (let who = 1; who <= 200; who++)
      for (let i = 0; i < 8; i++) {
        const mobile = who % 2 === 0;
        const where = mobile ? { ...phone, asn: i % 2 === 0 ? 3320 : 6805 } : laptop;
        bench.learn(use(monday + d * day + who * minute + i * 5 * minute, where, `s${d}`), { who });
      }
    bench.endFrame(monday + (d + 1) * day);
  }
  return bench;
}
const world = populated();
const now = monday + 10 * day;
let next = 1000;
/** A user like the others, with ten days behind; each test has its own. */
function user(where: (i: number) => Where = () => laptop): number {
  const who = next++;
  for (let d = 0; d < 10; d++)
    for (let i = 0; i < 8; i++) world.learn(use(monday + d * day + i * 20 * minute, where(i), `s${d}`), { who });
  return who;
}
const play = (who: number, calls: readonly ResolvedEvent[]) => world.live(calls, who).map(({ statistic }) => statistic);

test('one session in two programs and networks at once is odd, and odder than a move', () => {
  const who = user();
  const [first, theft] = world.live([use(now, laptop), use(now + minute, thief)], who);
  assert.equal(first!.statistic, 0);
  assert.ok(theft!.deviations.token_moved! > 8);
  const [back, both] = world.live([use(now + 2 * minute, laptop), use(now + 3 * minute, thief)], who);
  assert.equal(back!.statistic, 0, 'the victim does nothing odd');
  assert.ok(
    both!.deviations.two_contexts! > theft!.deviations.token_moved!,
    `${both!.deviations.two_contexts!} and ${theft!.deviations.token_moved!}`,
  );
  assert.ok(both!.statistic >= both!.deviations.two_contexts! - 1e-3);
});

test('a phone between wifi and the mobile network, an update of the browser, another address are nothing', () => {
  const onTheMove = user((i) => ({ ...phone, asn: i % 2 === 0 ? 3320 : 6805 }));
  const moves = play(
    onTheMove,
    [0, 1, 2, 3].map((i) => use(now + i * minute, { ...phone, asn: i % 2 === 0 ? 3320 : 6805 })),
  );
  assert.ok(Math.max(...moves) < 2, String(moves));
  const updated = { ...laptop, user_agent: 'Mozilla/5.0 (X11; Linux) Firefox/141.0', client_ip: '198.51.100.7' };
  assert.deepEqual(
    play(user(), [use(now, laptop), use(now + minute, updated), use(now + 2 * minute, laptop)]),
    [0, 0, 0],
  );
});

test('the more often two contexts take turns within minutes, the odder', () => {
  const who = user();
  const vpn = { ...laptop, asn: 9009 };
  const seen = world.live(
    Array.from({ length: 24 }, (_, i) => use(now + i * minute, i % 2 === 0 ? laptop : vpn)),
    who,
  );
  const [first, third, last] = [1, 5, 23].map((i) => seen[i]!.statistic);
  assert.ok(first! < third! && third! + 1 < last!, String([first, third, last]));
  const slowly = world.live(
    Array.from({ length: 24 }, (_, i) => use(now + i * 11 * minute, i % 2 === 0 ? laptop : vpn)),
    user(),
  );
  assert.ok(slowly.at(-1)!.statistic < last! - 1);
});

test('another device with a session of its own is nothing, nor is a move with a new log-in', () => {
  assert.deepEqual(
    play(user(), [use(now, laptop, 'a'), use(now + minute, phone, 'b'), use(now + 2 * minute, laptop, 'a')]),
    [0, 0, 0],
  );
  const at = (i: number, where: Where, auth_time: number) => use(now + i * minute, { ...where, auth_time });
  const seconds = now / 1000;
  assert.deepEqual(play(user(), [at(0, laptop, seconds - 60), at(5, thief, seconds + 240)]), [0, 0]);
  assert.ok(play(user(), [at(0, laptop, seconds - 60), at(5, thief, seconds - 60)])[1]! > 8);
});

test('a VPN switched on in a session says less than a thief', () => {
  const vpn = play(user(), [use(now, laptop), use(now + minute, { ...laptop, asn: 9009, country: 'NL' })])[1]!;
  const theft = play(user(), [use(now, laptop), use(now + minute, thief)])[1]!;
  assert.ok(theft > vpn + 2, `${theft} and ${vpn}`);
});

test('what is common in the world is not odd: tokens that gateways hand on to another program', () => {
  const bench = new Bench(whole(token));
  const handOn = { ...thief, user_agent: 'okhttp/4.12' };
  for (let who = 1; who <= 300; who++)
    for (let i = 0; i < 8; i++)
      bench.learn(use(monday + who * 1000 + i * minute, i % 2 === 0 ? laptop : handOn), { who });
  bench.endFrame(monday + day);
  const seen = bench.live(
    [0, 1, 2, 3].map((i) => use(monday + day + i * minute, i % 2 === 0 ? laptop : handOn, 'x')),
    7,
  );
  assert.ok(Math.max(...seen.map(({ statistic }) => statistic)) < 3);
});

test('a key that is used from several pods of known networks is nothing; from elsewhere it is foreign', () => {
  const pod = (asn: number) => ({
    subject: null,
    api_key: 'k',
    actor_kind: 'service' as const,
    user_agent: 'go/1.22',
    asn,
  });
  const key = (ts: number, where: Where) => ({ ...call({ ts, ...where }), identity_kind: 'api-key' as const });
  const bench = new Bench(whole(token));
  for (let who = 1; who <= 60; who++)
    for (let i = 0; i < 80; i++)
      bench.learn(key(monday + Math.floor(i / 20) * day + (i % 20) * minute + who * 1000, pod(100 + (i % 2))), { who });
  bench.endFrame(monday + 4 * day);
  const later = monday + 4 * day;
  const usual = bench.live(
    [0, 1, 2, 3].map((i) => key(later + i * minute, pod(100 + (i % 2)))),
    7,
  );
  assert.ok(Math.max(...usual.map(({ statistic }) => statistic)) < 2);
  const stolen = bench.judge(key(later + hour, { ...pod(9009), user_agent: 'curl/8.5' }), 7);
  assert.ok(stolen.deviations.foreign_key! > 6);
});

test('a token that is accepted after its expiry is odd, one that is refused or within the leeway is not', () => {
  const exp = (token_exp: number, status = 200) => use(now + minute, { ...laptop, token_exp, status });
  const seconds = now / 1000;
  assert.ok(world.judge(exp(seconds - 3600), user()).deviations.past_expiry! > 5);
  assert.equal(world.judge(exp(seconds - 3600, 403), user()).statistic, 0);
  assert.equal(world.judge(exp(seconds - 120), user()).statistic, 0);
  assert.equal(world.judge(exp(seconds + 3600), user()).statistic, 0);
});

test('what a refused caller sends in somebody’s name is no use of the token', () => {
  const who = user();
  world.learn(use(now, laptop), { who });
  const forged = { ...use(now + minute, { ...thief, status: 401 }), claimed_identity: use(now, laptop).identity };
  assert.equal(world.judge(forged, who).statistic, 0);
});

test('words name what changed and how rare that is', () => {
  const who = user();
  world.learn(use(now, laptop), { who });
  const theft = use(now + minute, thief);
  const { text } = token.describe(world.moment(theft, who), 1, theft);
  assert.match(
    text,
    /session moved without a new log-in: another new network AS9009, country NL, new program python-requests/,
  );
  assert.match(text, /on less than 0.01 % of \d+ days|on 0\.\d+ % of \d+ days/);
  const old = use(now + hour, { ...laptop, token_exp: now / 1000 });
  assert.match(token.describe(world.moment(old, who), 3, old).text, /accepted 60 minutes after it expired/);
});
