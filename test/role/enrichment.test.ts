import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/config.ts';
import { emptyEvent } from '../../src/event/traffic-event.ts';
import { type Enrichment, openEnrichment } from '../../src/role/enrichment.ts';

const folder = mkdtempSync(join(tmpdir(), 'gait-enrichment-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

type Settings = Partial<Config['enrich']>;
const parts = (enrich: Settings, dataDir = join(folder, `data-${made++}`)) => ({
  dataDir,
  enrich: { asn: 'off', country: 'off', ...enrich } as Config['enrich'],
});

function file(text: string, name = `${made++}.csv`): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function asked({ enrich }: Enrichment, client_ip: string): unknown[] {
  const event = Object.assign(emptyEvent(), { client_ip });
  enrich(event);
  return [event.asn, event.country];
}

test('the operator’s own files answer, several of them one after the other', () => {
  const asn = [file('192.0.2.0/24,64500\n'), file('asn\n2001:db8::/32,64501\n')];
  const opened = openEnrichment(parts({ asn, country: file('192.0.2.0,192.0.2.255,NL\n') }));
  assert.deepEqual(asked(opened, '192.0.2.1'), [64500, 'NL']);
  assert.deepEqual(asked(opened, '2001:db8::1'), [64501, null]);
  assert.match(opened.state.asn, /^3 rows of .*, 1 passed over$/);
});

test('off is off, and says so', () => {
  const opened = openEnrichment(parts({}));
  assert.deepEqual(asked(opened, '8.8.8.8'), [null, null]);
  assert.deepEqual(opened.state, { asn: 'off', country: 'off' });
});

test('the bundled databases know well-known addresses, or say that they are not installed', () => {
  const opened = openEnrichment(parts({ asn: 'bundled', country: 'bundled' }));
  if (opened.state.asn.startsWith('off')) {
    assert.ok(!process.env.CI, 'continuous integration installs them');
    assert.match(opened.state.asn, /not installed/);
    assert.deepEqual(asked(opened, '8.8.8.8'), [null, null]);
    return;
  }
  assert.deepEqual(asked(opened, '8.8.8.8'), [15169, 'US']);
  assert.equal(asked(opened, '2001:4860:4860::8888')[0], 15169);
  for (const address of ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1'])
    assert.deepEqual(asked(opened, address), [null, null]);
});

test('what was read once is not read again, and answers the same; a file that changed is', () => {
  const path = file('192.0.2.0/24,64500\n2001:db8::/32,64501\n198.51.100.0/24,64502\n');
  const settings = parts({ asn: path });
  const first = openEnrichment(settings);
  const again = openEnrichment(settings);
  for (const ip of ['192.0.2.1', '2001:db8::1', '198.51.100.9', '203.0.113.1', '::1']) {
    assert.deepEqual(asked(again, ip), asked(first, ip), ip);
  }
  assert.deepEqual(again.state, first.state);
  writeFileSync(path, '192.0.2.0/24,64999,and of another size\n');
  assert.deepEqual(asked(openEnrichment(settings), '192.0.2.1'), [64999, null]);
});

test('a copy that is cut, foreign or of another version is made anew', () => {
  const settings = parts({ asn: file('192.0.2.0/24,64500\n') });
  openEnrichment(settings);
  const kept = join(settings.dataDir, 'addresses', 'asn.bin');
  const whole = readFileSync(kept);
  const spoilt = [whole.subarray(0, whole.length - 4), Buffer.from('{}\n'), Buffer.alloc(0), Buffer.from('nothing')];
  spoilt.push(Buffer.from(whole.toString('latin1').replace('"version":1', '"version":9'), 'latin1'));
  for (const bytes of spoilt) {
    writeFileSync(kept, bytes);
    assert.deepEqual(asked(openEnrichment(settings), '192.0.2.1'), [64500, null]);
    assert.deepEqual(readFileSync(kept), whole);
  }
  assert.deepEqual(readdirSync(join(settings.dataDir, 'addresses')), ['asn.bin']);
});

test('a folder that cannot be written costs nothing but time', () => {
  const dataDir = join(file('a file, so nothing can be made below it'), 'data');
  assert.deepEqual(asked(openEnrichment(parts({ asn: file('192.0.2.0/24,64500\n') }, dataDir)), '192.0.2.1'), [
    64500,
    null,
  ]);
});

test('a file that is not there, or holds no range, stops the start and is named', () => {
  assert.throws(() => openEnrichment(parts({ asn: join(folder, 'none.csv') })), /none\.csv/);
  const empty = file('a,b,c\n', 'empty.csv');
  assert.throws(() => openEnrichment(parts({ country: empty })), /empty\.csv: no row is an address range/);
});

test('the configuration names its files at their line, and refuses one that is not there', () => {
  const text = 'enrich:\n  asn: off\n  country: [nowhere.csv]\n';
  const outcome = parseConfig({ name: 'gait.yaml', text: () => text }, {});
  assert.equal(outcome.kind, 'invalid');
  assert.match(outcome.kind === 'invalid' ? outcome.problems.join() : '', /gait\.yaml:3.*nowhere\.csv/);
  const plain = parseConfig(undefined, {});
  assert.deepEqual(plain.kind === 'ok' && plain.config.enrich, { asn: 'bundled', country: 'bundled' });
});
