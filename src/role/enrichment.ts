import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { isPrivate } from '../event/address.ts';
import { AddressRanges } from '../event/address-ranges.ts';
import { createEnrich, type Enrich } from '../event/enrich.ts';
import { RangeCsv, type RangeKind } from '../event/range-csv.ts';
import { readMmdb } from '../event/range-mmdb.ts';
import { type ReadRanges, readOnce } from './range-file.ts';

export type Enrichment = {
  readonly enrich: Enrich;
  /** For the start log: what stands behind each field, or why nothing does. */
  readonly state: Readonly<Record<RangeKind, string>>;
};

const pieceBytes = 1 << 20;

/**
 * Reads the databases that tell an address's network and country. A file of the operator's that cannot be read stops the start; the bundled
 * ones are optional dependencies, and without them there is no enrichment. Synchronous: it happens once, before the first event.
 */
export function openEnrichment({ enrich: settings, dataDir }: Pick<Config, 'enrich' | 'dataDir'>): Enrichment {
  const asn = openRanges('asn', settings.asn, dataDir);
  const country = openRanges('country', settings.country, dataDir);
  return { enrich: createEnrich(asn.ranges, country.ranges), state: { asn: asn.state, country: country.state } };
}

type Opened = { readonly ranges: AddressRanges | null; readonly state: string };

function openRanges(kind: RangeKind, setting: Config['enrich'][RangeKind], dataDir: string): Opened {
  if (setting === 'off') return { ranges: null, state: 'off' };
  const files = setting === 'bundled' ? bundledFiles(kind) : [setting].flat();
  if (files === null) return { ranges: null, state: 'off: the optional package is not installed' };
  const name = setting === 'bundled' ? 'the bundled packages' : files.join(', ');
  return readOnce(join(dataDir, 'addresses', `${kind}.bin`), files, () => readRanges(kind, files, name));
}

function readRanges(kind: RangeKind, files: readonly string[], name: string): ReadRanges {
  const ranges = new AddressRanges();
  let rows = 0;
  let passedOver = 0;
  for (const file of files) {
    const read = readFile(file, kind, ranges);
    rows += read.rows;
    passedOver += read.passedOver;
  }
  if (ranges.size === 0) throw new GaitError('INPUT_UNREADABLE', `${name}: no row is an address range`);
  ranges.trim();
  return { ranges, state: `${rows} rows of ${name}, ${passedOver} passed over` };
}

/** Where the packages' files are; null when npm left the optional package out. */
function bundledFiles(kind: RangeKind): readonly string[] | null {
  try {
    const urls =
      kind === 'asn'
        ? [
            import.meta.resolve('@ip-location-db/asn/asn-ipv4-num.csv'),
            import.meta.resolve('@ip-location-db/asn/asn-ipv6.csv'),
          ]
        : [
            import.meta.resolve('@ip-location-db/geo-whois-asn-country/geo-whois-asn-country-ipv4-num.csv'),
            import.meta.resolve('@ip-location-db/geo-whois-asn-country/geo-whois-asn-country-ipv6.csv'),
          ];
    return urls.map((url) => fileURLToPath(url));
  } catch {
    return null;
  }
}

/** By the ending of its name: `.mmdb` is MaxMind's format, anything else is CSV. */
function readFile(path: string, kind: RangeKind, ranges: AddressRanges): { rows: number; passedOver: number } {
  try {
    return path.endsWith('.mmdb') ? readMmdb(readFileSync(path), kind, ranges) : readCsv(path, kind, ranges);
  } catch (cause) {
    throw new GaitError('INPUT_UNREADABLE', `${path}: ${describeError(cause)}`, { cause });
  }
}

function readCsv(path: string, kind: RangeKind, ranges: AddressRanges): RangeCsv {
  // The bundled packages put private networks into Australia, where the registry is. An operator's own file may know better where they are.
  const csv = new RangeCsv(ranges, kind, path.includes('@ip-location-db') ? isPrivate : undefined);
  const file = openSync(path, 'r');
  try {
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) csv.push(piece.subarray(0, read));
    csv.end();
  } finally {
    closeSync(file);
  }
  return csv;
}
