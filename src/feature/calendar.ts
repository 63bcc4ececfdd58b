import { at } from '../baseline/row-layout.ts';
import type { Family, Moment } from './family.ts';

/** Events that the peers' hours weigh against the identity's own. */
const peerStrength = 24;
const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

function bytesOf(moment: Moment): Uint8Array {
  return new Uint8Array(moment.slab.u32.buffer, (moment.row + at.calendar) * 4, 32);
}

type Clockwork = { start: number; length: number; value: number };

/**
 * ln of how much less this identity is awake now than its peers are: log ratio of two smoothed circular histograms,
 * each hour sharing half its weight with its neighbours. Nats.
 */
function ratio(own: Uint8Array, peers: Float64Array, bin: Clockwork): number {
  let ownTotal = 0;
  let peersTotal = 0;
  for (let i = 0; i < bin.length; i++) {
    ownTotal += own[bin.start + i]!;
    peersTotal += peers[i]!;
  }
  const before = (bin.value + bin.length - 1) % bin.length;
  const after = (bin.value + 1) % bin.length;
  const near = (all: ArrayLike<number>, start: number): number =>
    0.5 * all[start + bin.value]! + 0.25 * (all[start + before]! + all[start + after]!);
  const elsewhere = (near(peers, 0) + 1) / (peersTotal + bin.length);
  const here = (near(own, bin.start) + peerStrength * elsewhere) / (ownTotal + peerStrength);
  return Math.log(elsewhere / here);
}

/** Hour of the day and day of the week in the caller's time zone. D16. */
export const calendar: Family = {
  name: 'calendar',
  features: ['hour', 'weekday'],
  extract: (moment, out, offset) => {
    const own = bytesOf(moment);
    const peers = moment.population.sums(moment.group);
    const { hour, weekday } = moment.observation;
    out[offset] = ratio(own, peers.hours, { start: 0, length: 24, value: hour });
    out[offset + 1] = ratio(own, peers.weekdays, { start: 24, length: 7, value: weekday });
    return out[offset]! + out[offset + 1]!;
  },
  learn: (moment, weight) => {
    if (weight < 0.5) return;
    const own = bytesOf(moment);
    const { hour, weekday } = moment.observation;
    if (++own[hour]! === 255) for (let i = 0; i < 24; i++) own[i]! >>>= 1;
    if (++own[24 + weekday]! === 255) for (let i = 24; i < 31; i++) own[i]! >>>= 1;
  },
  describe: (moment, feature) => {
    const own = bytesOf(moment);
    const { hour, weekday } = moment.observation;
    const [start, length, value] = feature === 0 ? [0, 24, hour] : [24, 7, weekday];
    let total = 0;
    for (let i = 0; i < length; i++) total += own[start + i]!;
    const seen = own[start + value]!;
    const name =
      feature === 0 ? `${String(hour).padStart(2, '0')}:00 to ${String(hour).padStart(2, '0')}:59` : dayNames[weekday]!;
    const text = `active at ${name}, its own time: ${seen} of its last ${total} events fell there`;
    return {
      observed: name,
      expected: 'its usual times',
      low: null,
      high: null,
      level: 'self',
      sampleSize: total,
      text,
    };
  },
};
