import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyEvent } from '../../../src/event/traffic-event.ts';
import { resolveIdentity } from '../../../src/identity/resolve.ts';
import type { WireEvent } from '../../../src/simulate/world.ts';
import { play } from './played.ts';

/** What each attack must be, whoever plays it and however well it hides. */
const played = play(21, { attacks: '{ count: 2, stealth: [0, 1] }', lookAlikes: '{ count: 2 }' });
const hourMs = 3_600_000;
const distinct = <T>(items: readonly T[]) => new Set(items).size;
const lastPart = ({ path }: WireEvent) => path!.split('?')[0]!.split('/').at(-1)!;
const refusedOnes = (events: readonly WireEvent[]) => events.filter(({ status }) => status === 401);
const owners = (events: readonly WireEvent[]) => new Set(events.map(({ subject }) => subject));
/** What the same person did of their own accord. */
const lifeOf = (subject: string | null | undefined) => played.ordinary.filter((event) => event.subject === subject);

function each(recipe: string, check: (events: readonly WireEvent[]) => void): void {
  const incidents = played.of(recipe);
  assert.ok(incidents.length > 0, recipe);
  for (const events of incidents) check(events);
}

test('enumeration reads ascending numbers, a fast one by the hundred', () => {
  for (const recipe of ['enumeration-fast', 'enumeration-slow', 'enumeration-distributed']) {
    each(recipe, (events) => {
      // A token that has just run out is refused whatever it asks for.
      const reads = events.filter(({ status }) => status !== 401);
      const numbers = reads.flatMap(({ path }) => /\/(\d+)(?=\/|$)/.exec(path!)?.[1] ?? []).map(Number);
      assert.ok(numbers.length > 0.8 * reads.filter(({ method }) => method === 'GET').length, recipe);
      for (let i = 1; i < numbers.length; i++) assert.ok(numbers[i]! > numbers[i - 1]!, recipe);
      if (recipe === 'enumeration-fast') assert.ok(numbers.length > 80);
    });
  }
  each('enumeration-distributed', (events) => assert.ok(distinct([...owners(events)]) >= 3));
  each('enumeration-slow', (events) => assert.ok(events.at(-1)!.ts! - events[0]!.ts! > 20 * hourMs));
});

test('who knows the ids misses hardly any, and touches nothing of their own', () => {
  each('enumeration-known-ids', (events) => {
    assert.ok(events.filter(({ status }) => status === 404).length < 0.1 * events.length);
    const own = played.world.personas.find(({ name }) => name === events[0]!.subject)!;
    const touched = new Set(events.map(lastPart));
    for (const route of own.api.routes)
      if (route.pool?.ownership === 'identity' && own.role === 'customer')
        for (const id of route.pool.of(own)) assert.ok(!touched.has(id), `${route.name} ${id}`);
  });
});

test('probing is refused mostly; creep is never refused and its tokens say more and more', () => {
  each('function-probing', (events) => {
    const refusals = events.filter(({ status }) => status === 403);
    assert.ok(
      refusals.length > 0.6 * events.length && distinct(events.map(({ route, method }) => `${method} ${route}`)) > 5,
    );
  });
  each('privilege-creep', (events) => {
    assert.ok(events.every(({ status }) => status === 200));
    const life = new Set(
      lifeOf(events[0]!.subject)
        .filter(({ status }) => status! < 400)
        .map(({ route, method }) => `${method} ${route}`),
    );
    assert.ok(events.every(({ route, method }) => !life.has(`${method} ${route}`)));
  });
});

test('a compromised service calls hosts that it never called', () => {
  each('service-new-segments', (events) => {
    const service = events[0]!.mtls_subject;
    const hosts = new Set(played.ordinary.filter((event) => event.mtls_subject === service).map(({ host }) => host));
    assert.ok(events.every(({ host, mtls_subject }) => !hosts.has(host) && mtls_subject === service));
  });
});

test('stuffing tries many names from one address, a botnet from each of many a few', () => {
  each('stuffing', (events) => {
    const tries = refusedOnes(events);
    assert.equal(distinct(tries.map(({ client_ip }) => client_ip)), 1);
    assert.ok(distinct(tries.map(({ subject }) => subject)) > 0.5 * tries.length);
  });
  for (const recipe of ['stuffing-botnet', 'spraying-botnet']) {
    each(recipe, (events) => {
      const tries = refusedOnes(events);
      assert.ok(distinct(tries.map(({ client_ip }) => client_ip)) >= 5, recipe);
    });
  }
});

test('forged tokens never resolve to the person they name', () => {
  each('forged-tokens', (events) => {
    const identities = new Set(
      events.map((event) => resolveIdentity(Object.assign(emptyEvent(), JSON.parse(JSON.stringify(event))))!.identity),
    );
    assert.equal(identities.size, 1);
    assert.match([...identities][0]!, /^address:/);
    assert.ok(lifeOf(events[0]!.subject).length > 0 || events[0]!.subject !== undefined);
  });
});

test("a replayed token is the victim's own, within its life, and differs in network or program as announced", () => {
  for (const [recipe, network, client] of [
    ['token-replay-network', true, true],
    ['token-replay-client', false, true],
    ['token-concurrent', true, false],
  ] as const) {
    each(recipe, (events) => {
      const { token_id, token_exp } = events[0]!;
      const owner = played.ordinary.filter((event) => event.token_id === token_id);
      assert.ok(owner.length > 0, recipe);
      assert.ok(
        events.every((event) => event.token_id === token_id && event.ts! / 1000 <= token_exp! + 1),
        recipe,
      );
      assert.equal(events[0]!.client_ip !== owner[0]!.client_ip, network, recipe);
      assert.equal(events[0]!.user_agent !== owner[0]!.user_agent, client, recipe);
    });
  }
  each('token-after-expiry', (events) => assert.ok(events.every(({ ts, token_exp }) => ts! / 1000 > token_exp!)));
});

test('a leaked key is used from elsewhere while its owner goes on', () => {
  each('api-key-leak', (events) => {
    const owner = played.ordinary.filter(({ api_key }) => api_key === events[0]!.api_key);
    assert.ok(owner.some(({ ts }) => ts! > events[0]!.ts!));
    assert.ok(owner.every(({ client_ip }) => client_ip !== events[0]!.client_ip));
  });
});

test('a rogue application and an honest one both come under an id that nobody knew, for several users', () => {
  for (const recipe of ['consent-abuse', 'new-integration']) {
    each(recipe, (events) => {
      assert.equal(distinct(events.map(({ client_id }) => client_id)), 1);
      const namedSo = played.events.filter(({ client_id }) => client_id === events[0]!.client_id);
      assert.equal(namedSo.length, events.length);
    });
  }
});

test('who ignores the challenge never has a fresher log-in; who passes it has', () => {
  const challenged = ({ error_code }: WireEvent) => error_code === 'insufficient_user_authentication';
  each('step-up-ignored', (events) => {
    assert.ok(events.some(challenged));
    assert.equal(distinct(events.map(({ auth_time }) => auth_time)), 1);
  });
  each('step-up-passed', (events) => {
    const at = events.findIndex(challenged);
    assert.ok(events.at(-1)!.auth_time! > events[at]!.auth_time!);
    assert.equal(events.at(-1)!.acr, 'mfa');
  });
});

test('a takeover by behaviour alone comes from the usual programs, whatever their versions', () => {
  const program = (userAgent: string | null | undefined) => userAgent?.replace(/\d+/g, '#');
  each('behaviour-swap', (events) => {
    const person = played.world.personas.find(({ name }) => events.some(({ subject }) => subject === name))!;
    const own = person.devices.map(({ userAgent }) => program(userAgent));
    const usual = new Set([...own, ...lifeOf(person.name).map(({ user_agent }) => program(user_agent))]);
    assert.deepEqual(
      events.map(({ user_agent }) => program(user_agent)).filter((one) => !usual.has(one)),
      [],
    );
  });
});

test('an account sleeps before it wakes, and so does somebody on holidays', () => {
  for (const recipe of ['dormant-return', 'holiday-return']) {
    each(recipe, (events) => {
      const before = lifeOf(events.find(({ status }) => status !== 401)!.subject).filter(
        ({ ts }) => ts! < events[0]!.ts!,
      );
      assert.ok(events[0]!.ts! - (before.at(-1)?.ts ?? 0) > 20 * hourMs, recipe);
    });
  }
});

test('a robot keeps its interval through the night', () => {
  each('robot-under-human', (events) => {
    assert.ok(events.at(-1)!.ts! - events[0]!.ts! > 10 * hourMs);
  });
});

test('poisoning grows from step to step', () => {
  each('slow-poisoning', (events) => {
    const middle = (events[0]!.ts! + events.at(-1)!.ts!) / 2;
    assert.ok(events.filter(({ ts }) => ts! > middle).length > 2 * events.filter(({ ts }) => ts! < middle).length);
  });
});

test('exfiltration carries more per call than the same calls do otherwise', () => {
  each('exfiltration-burst', (events) => {
    const [some] = events;
    const same = played.ordinary.filter(({ host, route, method, path }) =>
      events.some(
        (event) => event.host === host && event.method === method && (event.route ?? event.path) === (route ?? path),
      ),
    );
    const mean = (list: readonly WireEvent[]) =>
      list.reduce((sum, { response_bytes }) => sum + response_bytes!, 0) / list.length;
    assert.ok(some !== undefined && (same.length === 0 || mean(events) > 2 * mean(same)));
  });
});

test('what we refused ourselves is marked, is no part of the attack, and is all there is of the blocked client', () => {
  each('enforcement-echo', (events) => {
    assert.ok(events.every(({ enforced }) => enforced !== true));
    const blocked = lifeOf(events.at(-1)!.subject).filter(({ enforced }) => enforced === true);
    assert.ok(blocked.length > 0 && blocked.every(({ decision_id }) => decision_id?.startsWith('dec_')));
  });
  each('blocked-client-retries', (events) => assert.ok(events.every(({ enforced }) => enforced === true)));
});

test('destruction deletes or overwrites and does nothing else', () => {
  each('destructive-burst', (events) => {
    const done = events.filter(({ path }) => !path!.includes('/auth/'));
    assert.ok(done.every(({ method }) => method === 'DELETE' || method === 'PATCH'));
  });
});

test('a traveller is abroad for days and never in two countries within the time of a flight', () => {
  each('traveller', (events) => {
    const person = played.world.personas.find(({ name }) => name === events[0]!.subject)!;
    const home = person.places[0]!.network.country;
    const seen = played.events.filter(
      ({ subject, country, status }) => subject === person.name && country && status !== 401,
    );
    for (let i = 1; i < seen.length; i++) {
      const [before, after] = [seen[i - 1]!, seen[i]!];
      if (before.country === after.country || person.places.length < 1) continue;
      assert.ok(after.ts! - before.ts! > hourMs, `${before.country} to ${after.country}, home ${home}`);
    }
  });
});

test('nobody but the thief of an old token is let in with one that ran out', () => {
  const old = new Set(played.of('token-after-expiry').flat());
  const late = played.events.filter(
    (event) => event.token_exp && event.status !== 401 && event.ts! / 1000 > event.token_exp + 5 && !old.has(event),
  );
  // A call that began in time may be a moment late.
  assert.ok(late.length < played.events.length / 1000, `${late.length} of ${played.events.length}`);
});
