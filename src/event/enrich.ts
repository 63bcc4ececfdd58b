import { emptyAddress, readAddress, type Span } from './address.ts';
import type { AddressRanges } from './address-ranges.ts';
import type { TrafficEvent } from './traffic-event.ts';

/** Fills in what the address says and the gateway did not. */
export type Enrich = (event: TrafficEvent) => void;

/** Reused for every event. No address is longer; a longer text is cut and then no address, or was one with something behind it. */
const address = emptyAddress();
const buffer = Buffer.alloc(45);
const span: Span = { bytes: buffer, from: 0, to: 0 };

/** Two letters of ISO 3166-1 as a number that a range can hold, and back. 0 for anything else. */
export function packCountry(first: number, second: number): number {
  const a = first & 0xdf;
  const b = second & 0xdf;
  return a >= 65 && a <= 90 && b >= 65 && b <= 90 ? (a << 8) | b : 0;
}

/** Strings that are made once: an event's country costs no memory. */
const countryNames = new Map<number, string>();

function countryName(packed: number): string {
  let name = countryNames.get(packed);
  if (name === undefined) {
    name = String.fromCharCode(packed >>> 8, packed & 255);
    countryNames.set(packed, name);
  }
  return name;
}

/** A field that the gateway set wins: it saw the connection, and may have the better database. */
export function createEnrich(asn: AddressRanges | null, country: AddressRanges | null): Enrich {
  return (event) => {
    const ip = event.client_ip;
    const wantsAsn = asn !== null && event.asn === null;
    const wantsCountry = country !== null && event.country === null;
    if (ip === null || !(wantsAsn || wantsCountry)) return;
    span.to = buffer.write(ip, 'latin1');
    if (!readAddress(span, address)) return;
    if (wantsAsn) event.asn = asn.find(address) || null;
    if (wantsCountry) {
      const packed = country.find(address);
      if (packed !== 0) event.country = countryName(packed);
    }
  };
}
