import { seededRandom } from '../../src/core/random.ts';
import { Traffic } from '../bench/traffic.ts';

/** Ordinary traffic of 2,000 callers with a few of them turned against the API: enough for findings of several kinds, and for decisions. */
export type AttackedTraffic = { readonly records: readonly Buffer[]; readonly attackers: readonly string[] };

const identities = 2000;
/** Event time of a run is about half an hour, whatever the number of events. */
const spanSeconds = 1800;
const callsPerAttack = 150;
const attackerCount = 6;
/** A Monday in the past, so that no part of the run depends on the day of the test. */
const startMs = Date.UTC(2025, 2, 3, 9);

export function attackedTraffic(options: { readonly events: number; readonly seed: number }): AttackedTraffic {
  const { events, seed } = options;
  const random = seededRandom(seed);
  const attacks = attackerCount * callsPerAttack;
  const traffic = new Traffic({ identities, eventsPerSecond: events / spanSeconds, startMs, seed });
  const attackers = Array.from({ length: attackerCount }, (_, i) => `u-${(i * 331 + (seed % 300)) % identities}`);
  const ordinary = traffic.take(events - attacks);
  const timed = ordinary.map((bytes): readonly [number, Buffer] => [tsOf(bytes), bytes]);
  attackers.forEach((subject, i) => {
    const beganAt = startMs + 1000 * Math.floor(spanSeconds * (0.3 + 0.1 * i));
    for (let call = 0; call < callsPerAttack; call++) {
      const ts = beganAt + call * 200 + Math.floor(random.next() * 150);
      const status = random.next() < 0.7 ? 403 : 200;
      const path = `/v1/internal/area-${Math.floor(random.next() * 500)}/export`;
      const from = { client_ip: `203.0.113.${10 + i}`, country: 'KP', user_agent: `attack-tool/${i}` };
      const what = { method: 'DELETE', host: 'admin.shop.example', path, status, duration_ms: 12 };
      const event = { ts, event_id: `attack-${i}-${call}`, subject, client_id: 'api', ...from, ...what };
      timed.push([ts, Buffer.from(JSON.stringify(event))]);
    }
  });
  timed.sort(([a], [b]) => a - b);
  return { records: timed.map(([, bytes]) => bytes), attackers };
}

/** Who is counted for each event: the caller, but its address when the call was refused as unauthenticated. */
export function expectedCounts(records: readonly Buffer[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const record of records) {
    const { subject, status, client_ip } = JSON.parse(record.toString()) as Record<string, string | number>;
    const identity = status === 401 ? `address:-:${client_ip}` : `user:-:${subject}`;
    counts.set(identity, (counts.get(identity) ?? 0) + 1);
  }
  return counts;
}

function tsOf(record: Buffer): number {
  return (JSON.parse(record.toString()) as { ts: number }).ts;
}
