import { dimensionIndex } from '../baseline/row-layout.ts';
import type { TrafficEvent } from '../event/traffic-event.ts';
import { countryPlaces } from './country-places.ts';
import type { Moment } from './family.ts';

/** Somewhere within `radiusKm` of a point, at `ts` (ms). Four numbers, so that a row can keep the last one. */
export type Place = { readonly lat: number; readonly lon: number; readonly radiusKm: number; readonly ts: number };

/** The shares, 0 to 1, of identities that use the network of the place before and of the place now: see `networkShare`. */
export type Sharing = { readonly before: number; readonly now: number };

export type Travel = {
  /** Evidence that one body was not in both places; 0 when it may have been. */
  readonly nats: number;
  /** The least that lies between the places. */
  readonly km: number;
  readonly hours: number;
};

/** Airliners: with the least distance below, what Entra, CrowdSec and Panther ask for alike (D11). */
const kmhMax = 900;
const kmMin = 500;
/** Gateways' clocks and the order of events are not exact: what happened at once was a minute apart. */
const hoursMin = 1 / 60;
/** As much as one new value can say in other families. */
const natsMax = 8;
/** Coordinates that belong to an address mean a city at best. */
const coordinatesKm = 50;
const earthKm = 6371;
const network = dimensionIndex('network');
const none: Travel = Object.freeze({ nats: 0, km: 0, hours: 0 });

/** Null when the event does not say. Coordinates of 0, 0 are what databases write for "unknown", and lie in the sea. */
export function placeOf({ latitude, longitude, country, ts }: TrafficEvent): Place | null {
  if (latitude !== null && longitude !== null && (latitude !== 0 || longitude !== 0)) {
    return { lat: latitude, lon: longitude, radiusKm: coordinatesKm, ts };
  }
  const known = country === null ? undefined : countryPlaces.get(country);
  return known === undefined ? null : { lat: known.lat, lon: known.lon, radiusKm: known.radiusKm, ts };
}

/**
 * How shared a network is (its hash in the dimension `network`): among the identity's peers or among everyone, whichever is more. So an
 * office, a VPN's exit or a carrier's gateway counts, and while nobody is known every network counts as shared by half. The price: a jump away
 * from an office where nearly everybody sits is no evidence here; that the network is new, or the token in two hands, is for other families.
 */
export function networkShare({ population, group }: Moment, value: number): number {
  const shareOf = (of: number): number =>
    (population.valueIdentities(of, value) + 1) / (population.sums(of).firsts[network]! + 2);
  return Math.min(1, Math.max(shareOf(0), shareOf(group)));
}

/**
 * Impossible travel: faster than an airliner, between places that are far apart. A wrong place or a wrong time is wrong by a factor r with
 * a chance of about 1 / r (a heavy tail), so r times too fast is worth ln r nats. But it is never worth more than -ln(share): people
 * who turn a VPN on or off arrive at, or leave from, a network with the chance that its share of identities suggests.
 * 5,560 km in an hour between networks that one in a hundred uses: min(ln(5,560 / 900), -ln 0.01) = min(1.8, 4.6) = 1.8 nats.
 * Meant for people: a service has no body, and its caller should not ask.
 */
export function travel(previous: Place, now: Place, sharing: Sharing): Travel {
  if (previous.lat === now.lat && previous.lon === now.lon) return none;
  const km = Math.max(0, haversineKm(previous, now) - previous.radiusKm - now.radiusKm);
  if (km <= kmMin) return none;
  // An event from before the last one is as far from it in time as one after it.
  const hours = Math.max(hoursMin, Math.abs(now.ts - previous.ts) / 3_600_000);
  const unexplained = -Math.log(Math.max(sharing.before, sharing.now));
  const nats = Math.min(natsMax, Math.log(km / hours / kmhMax), unexplained);
  return { nats: Math.max(0, nats), km, hours };
}

/** Great-circle distance of the middles. */
function haversineKm(a: Place, b: Place): number {
  const radians = Math.PI / 180;
  const half = (degrees: number): number => Math.sin((degrees * radians) / 2) ** 2;
  const h = half(b.lat - a.lat) + Math.cos(a.lat * radians) * Math.cos(b.lat * radians) * half(b.lon - a.lon);
  return 2 * earthKm * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** The words of an explanation. */
export function describeTravel({ km, hours }: Travel): { observed: string; expected: string; text: string } {
  const distance = `${rounded(km)} km`;
  const time = hours < 2 ? `${Math.round(hours * 60)} min` : `${rounded(hours)} h`;
  return {
    observed: `${distance} in ${time}`,
    expected: `at most ${kmhMax} km/h`,
    text: `was at least ${distance} away ${time} before: ${rounded(km / hours)} km/h, and an airliner makes ${kmhMax}`,
  };
}

/** Two significant digits, with separators: the places are not known better. */
function rounded(number: number): string {
  return Number(number.toPrecision(2)).toLocaleString('en');
}
