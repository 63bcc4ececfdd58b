import { Dice } from './dice.ts';
import type { Network, NetworkKind, Place, World, Zone } from './world.ts';

/**
 * Places of the simulated world. Providers, their numbers and one block of addresses each are real, so that a geo or network database says the same as
 * the events; who sits behind an address is made up.
 */
type City = {
  readonly country: string;
  readonly city: string;
  readonly at: readonly [number, number];
  readonly zone: string;
};

const cities: readonly City[] = [
  { country: 'DE', city: 'Berlin', at: [52.52, 13.41], zone: 'Europe/Berlin' },
  { country: 'FR', city: 'Paris', at: [48.86, 2.35], zone: 'Europe/Berlin' },
  { country: 'ES', city: 'Madrid', at: [40.42, -3.7], zone: 'Europe/Berlin' },
  { country: 'PL', city: 'Warsaw', at: [52.23, 21.01], zone: 'Europe/Berlin' },
  { country: 'GB', city: 'London', at: [51.51, -0.13], zone: 'Europe/London' },
  { country: 'US', city: 'New York', at: [40.71, -74.01], zone: 'America/New_York' },
  { country: 'US', city: 'Los Angeles', at: [34.05, -118.24], zone: 'America/Los_Angeles' },
  { country: 'IN', city: 'Mumbai', at: [19.08, 72.88], zone: 'Asia/Kolkata' },
  { country: 'JP', city: 'Tokyo', at: [35.68, 139.69], zone: 'Asia/Tokyo' },
  { country: 'BR', city: 'São Paulo', at: [-23.55, -46.63], zone: 'America/Sao_Paulo' },
];

/** Offsets of late April, minutes. Daylight saving is an incident of its own. */
const zoneOffsets: Readonly<Record<string, number>> = {
  'Europe/Berlin': 120,
  'Europe/London': 60,
  'America/New_York': -240,
  'America/Los_Angeles': -420,
  'Asia/Kolkata': 330,
  'Asia/Tokyo': 540,
  'America/Sao_Paulo': -180,
};

/** `kind asn prefix city provider`; a prefix is one or two numbers of IPv4, or the start of an IPv6 address. */
const providers: readonly string[] = [
  'home 3320 84.160 Berlin DTAG',
  'home 3320 2003:c1 Berlin DTAG-v6',
  'home 3209 88.66 Berlin Vodafone',
  'home 8881 94.134 Berlin 1und1',
  'mobile 6805 89.12 Berlin O2',
  'mobile 3320 80.187 Berlin Telekom-mobile',
  'home 3215 90.22 Paris Orange',
  'home 12322 82.66 Paris Free',
  'mobile 15557 77.136 Paris SFR',
  'home 3352 83.44 Madrid Telefonica',
  'mobile 12430 31.4 Madrid Vodafone-ES',
  'home 5617 83.24 Warsaw Orange-PL',
  'mobile 8374 37.47 Warsaw Plus',
  'home 2856 86.152 London BT',
  'home 5089 82.35 London Virgin',
  'mobile 12576 31.94 London EE',
  'home 701 71.190 NewYork Verizon',
  'home 7922 73.44 NewYork Comcast',
  'mobile 21928 172.58 NewYork T-Mobile',
  'mobile 21928 2607:fb90 NewYork T-Mobile-v6',
  'home 7018 99.20 LosAngeles ATT',
  'home 20001 76.90 LosAngeles Spectrum',
  'mobile 6167 174.192 LosAngeles Verizon-wireless',
  'home 24560 122.170 Mumbai Airtel',
  'mobile 55836 49.36 Mumbai Jio',
  'home 4713 153.156 Tokyo OCN',
  'mobile 2516 106.154 Tokyo KDDI',
  'home 27699 177.68 SaoPaulo Vivo',
  'home 28573 177.32 SaoPaulo Claro',
  'mobile 26615 187.26 SaoPaulo TIM',
  'datacenter 16509 18.184 Berlin AWS-Frankfurt',
  'datacenter 16509 34.240 London AWS-Dublin',
  'datacenter 14618 54.160 NewYork AWS-Virginia',
  'datacenter 8075 20.50 Berlin Azure',
  'datacenter 396982 34.107 Berlin GCP',
  'datacenter 24940 116.203 Berlin Hetzner',
  'datacenter 16276 51.75 Paris OVH',
  'datacenter 14061 167.99 NewYork DigitalOcean',
  'vpn 9009 146.70 London M247',
  'vpn 212238 185.220 NewYork Datacamp',
  'vpn 62044 165.225 Berlin Zscaler',
  'vpn 62044 147.161 LosAngeles Zscaler-US',
  'internal 0 10.24 Berlin cluster-a',
  'internal 0 10.25 Berlin cluster-b',
  'internal 0 10.26 NewYork cluster-c',
];

/** How many addresses a network shows: CGNAT and egress put many people behind few. 0: as many as there are. */
const egress: Readonly<Record<NetworkKind, number>> = {
  home: 0,
  mobile: 300,
  office: 2,
  datacenter: 0,
  vpn: 24,
  internal: 40,
};

export function createZones(): Zone[] {
  return Object.entries(zoneOffsets).map(([name, offsetMinutes]) => ({ name, offsetMinutes }));
}

export function createNetworks(zones: readonly Zone[]): Network[] {
  return providers.map((line) => {
    const [kind = '', asn, prefix = '', place, name = ''] = line.split(' ');
    const city = cities.find((each) => each.city.replace(' ', '').replace('ã', 'a') === place)!;
    const zone = zones.find((each) => each.name === city.zone)!;
    return network(name, city, { kind: kind as NetworkKind, asn: Number(asn), prefix, zone });
  });
}

/** An office of a tenant's: a few addresses in the block of a provider of the country. */
export function createOffice(name: string, near: Network, dice: Dice): Network {
  const city = cities.find((each) => each.city === near.city)!;
  const prefix = near.address(dice).split('.').slice(0, 3).join('.');
  return network(name, city, { kind: 'office', asn: near.asn, prefix, zone: near.zone });
}

function network(
  name: string,
  city: City,
  of: Pick<Network, 'kind' | 'asn' | 'zone'> & { readonly prefix: string },
): Network {
  const { kind, asn, prefix } = of;
  const shown = egress[kind];
  return {
    name,
    kind,
    asn,
    country: city.country,
    city: city.city,
    latitude: city.at[0],
    longitude: city.at[1],
    zone: of.zone,
    address: (dice) => addressIn(prefix, shown === 0 ? dice : new Dice(`${name}/${dice.int(shown)}`)),
  };
}

function addressIn(prefix: string, dice: Dice): string {
  if (prefix.includes(':')) {
    return [...prefix.split(':'), ...Array.from({ length: 4 - prefix.split(':').length }, () => dice.hex(4))]
      .concat(['0', '0', '0', dice.hex(3)])
      .map((part) => Number.parseInt(part, 16).toString(16))
      .join(':');
  }
  const parts = prefix.split('.');
  while (parts.length < 3) parts.push(String(dice.int(256)));
  return [...parts, String(1 + dice.int(254))].join('.');
}

/** Whether somebody who comes from there is there: not so behind a VPN or on a machine in a data centre. */
export function isLocal({ kind }: Network): boolean {
  return kind === 'home' || kind === 'mobile' || kind === 'office';
}

/** Somewhere in a network of this kind, perhaps of one country (or of any but one). Throws when there is no such network. */
export function placeIn(
  world: Pick<World, 'networks'>,
  dice: Dice,
  where: { readonly kind: NetworkKind; readonly country?: string; readonly notCountry?: string },
): Place {
  const fitting = world.networks.filter(
    (each) =>
      each.kind === where.kind &&
      (where.country === undefined || each.country === where.country) &&
      each.country !== where.notCountry,
  );
  const chosen = dice.pick(fitting);
  return { network: chosen, ip: chosen.address(dice) };
}
