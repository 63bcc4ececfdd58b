import { at } from '../baseline/row-layout.ts';
import type { RowSlab } from '../baseline/row-slab.ts';
import { type Family, type Moment, skipsHabit } from './family.ts';

/** Events that the peers' hours weigh against the identity's own. */
const peerStrength = 24;
const dayNames = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Where the identity's hours begin in the slab's bytes; its weekdays follow them. */
function hoursAt(moment: Moment): number {
  return (moment.row + at.calendar) * 4;
}
const weekdaysBehind = 24;
const asked = { start: 0, value: 0 };
const daySeconds = 86_400;

/**
 * ln of how much less this identity is awake now than its peers are: log ratio of two smoothed circular histograms,
 * each hour sharing half its weight with its neighbours. Nats.
 */
function ratio({ u8: bytes }: RowSlab, peers: Float64Array, of: { start: number; value: number }): number {
  const { start, value } = of;
  const { length } = peers;
  let ownTotal = 0;
  let peersTotal = 0;
  for (let i = 0; i < length; i++) {
    ownTotal += bytes[start + i]!;
    peersTotal += peers[i]!;
  }
  const before = value === 0 ? length - 1 : value - 1;
  const after = value === length - 1 ? 0 : value + 1;
  const nearPeers = 0.5 * peers[value]! + 0.25 * (peers[before]! + peers[after]!);
  const nearOwn = 0.5 * bytes[start + value]! + 0.25 * (bytes[start + before]! + bytes[start + after]!);
  const elsewhere = (nearPeers + 1) / (peersTotal + length);
  const here = (nearOwn + peerStrength * elsewhere) / (ownTotal + peerStrength);
  return Math.log(elsewhere / here);
}

/** Counts the value; when a count is full, all of them are halved. */
function count(bytes: Uint8Array, of: { start: number; length: number; value: number }): void {
  if (++bytes[of.start + of.value]! === 255) for (let i = of.start; i < of.start + of.length; i++) bytes[i]! >>>= 1;
}

/**
 * Hour of the day and day of the week in the caller's time zone. D16. An identity's first day says nothing about its hours and its first
 * week nothing about its weekdays: they have not come round yet.
 */
export const calendar: Family = {
  name: 'calendar',
  features: ['hour', 'weekday'],
  extract: (moment, out, offset) => {
    const { slab, row, observation } = moment;
    const peers = moment.population.sums(moment.group);
    const known = observation.ts / 1000 - slab.u32[row + at.firstSeen]!;
    asked.start = hoursAt(moment);
    asked.value = observation.hour;
    out[offset] = known < daySeconds ? 0 : ratio(slab, peers.hours, asked);
    asked.start += weekdaysBehind;
    asked.value = observation.weekday;
    out[offset + 1] = known < 7 * daySeconds ? 0 : ratio(slab, peers.weekdays, asked);
    return out[offset]! + out[offset + 1]!;
  },
  learn: (moment, weight) => {
    if (weight < 0.5) return;
    const { hour, weekday } = moment.observation;
    moment.population.addTime(moment.group, hour, weekday);
    if (skipsHabit(moment, weight)) return;
    const start = hoursAt(moment);
    count(moment.slab.u8, { start, length: 24, value: hour });
    count(moment.slab.u8, { start: start + weekdaysBehind, length: 7, value: weekday });
  },
  describe: (moment, feature) => {
    const bytes = moment.slab.u8;
    const { hour, weekday } = moment.observation;
    const start = hoursAt(moment) + (feature === 0 ? 0 : weekdaysBehind);
    const [length, value] = feature === 0 ? [24, hour] : [7, weekday];
    let total = 0;
    for (let i = 0; i < length; i++) total += bytes[start + i]!;
    const seen = bytes[start + value]!;
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
