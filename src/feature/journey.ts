import { activeAt } from '../baseline/active-layout.ts';
import { dimensionIndex } from '../baseline/row-layout.ts';
import type { Moment } from './family.ts';
import { circleOf, isNew, isService } from './known.ts';
import { describeTravel, networkShare, placeOf, type Travel, travel } from './travel.ts';

/**
 * The way from where the identity was last. Only an arrival on a network that is new to it counts: who switches between networks that are
 * his own (a VPN, the office) has not travelled. For the same reason such a place is not kept until the network is known: a thief's
 * calls leave the victim where he was.
 */
const network = dimensionIndex('network');
const country = dimensionIndex('country');
const nowhere: Travel = Object.freeze({ nats: 0, km: 0, hours: 0 });
/** Words from the place's first. */
const word = { lat: 0, lon: 1, seconds: 2, network: 3, radiusAndCountry: 4 } as const;

export function journeyOf(moment: Moment): Travel {
  const { active, activeRow, observation, resolved } = moment;
  const at = activeRow + activeAt.place;
  if (active.u32[at + word.seconds] === 0 || !isNew(moment, network) || isService(circleOf(moment))) return nowhere;
  const now = placeOf(resolved.event);
  if (now === null) return nowhere;
  const previous = {
    lat: active.f32[at + word.lat]!,
    lon: active.f32[at + word.lon]!,
    radiusKm: active.u32[at + word.radiusAndCountry]! >>> 16,
    ts: active.u32[at + word.seconds]! * 1000,
  };
  return travel(previous, now, {
    before: networkShare(moment, active.u32[at + word.network]!),
    now: networkShare(moment, observation.values[network]!),
  });
}

export function learnPlace(moment: Moment): void {
  const { active, activeRow, observation, resolved } = moment;
  const at = activeRow + activeAt.place;
  const { values, ts } = observation;
  if (active.u32[at + word.seconds] !== 0 && isNew(moment, network)) return;
  const { latitude } = resolved.event;
  const tag = values[country]! >>> 16;
  const isSame =
    active.u32[at + word.network] === values[network] &&
    (active.u32[at + word.radiusAndCountry]! & 0xffff) === tag &&
    (latitude === null || Math.fround(latitude) === active.f32[at + word.lat]);
  if (!isSame) {
    const place = placeOf(resolved.event);
    if (place === null) return;
    active.f32[at + word.lat] = place.lat;
    active.f32[at + word.lon] = place.lon;
    active.u32[at + word.network] = values[network]!;
    active.u32[at + word.radiusAndCountry] = ((Math.min(0xffff, Math.ceil(place.radiusKm)) << 16) | tag) >>> 0;
  }
  active.u32[at + word.seconds] = Math.max(active.u32[at + word.seconds]!, Math.floor(ts / 1000));
}

export function describeJourney(moment: Moment): ReturnType<typeof describeTravel> {
  return describeTravel(journeyOf(moment));
}
