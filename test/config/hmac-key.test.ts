import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { loadHmacKey } from '../../src/config/hmac-key.ts';

const folder = mkdtempSync(join(tmpdir(), 'gait-hmac-'));
after(() => rmSync(folder, { recursive: true }));

function configIn(dataDir: string, hmacKey = ''): Config {
  const outcome = parseConfig(undefined, { GAIT_DATA_DIR: dataDir, GAIT_HMAC_KEY: hmacKey });
  return outcome.kind === 'ok' ? outcome.config : assert.fail(outcome.problems.join());
}

test('the key is made once, for its owner alone, and the same ever after', () => {
  const config = configIn(join(folder, 'a', 'b'));
  const key = loadHmacKey(config).reveal();
  assert.match(key, /^[0-9a-f]{64}$/);
  assert.equal(loadHmacKey(config).reveal(), key);
  assert.deepEqual(readdirSync(config.dataDir), ['hmac.key']);
  assert.equal(statSync(join(config.dataDir, 'hmac.key')).mode & 0o777, 0o600);
});

test('a configured key is used and none is written', () => {
  const config = configIn(join(folder, 'configured'), 'a-key-of-enough-length');
  assert.equal(loadHmacKey(config).reveal(), 'a-key-of-enough-length');
  assert.throws(() => readdirSync(config.dataDir));
});

test('a key file that was cut short stops the start instead of renaming every identity', () => {
  const path = join(folder, 'hmac.key');
  writeFileSync(path, 'abc');
  assert.throws(() => loadHmacKey(configIn(folder)), { code: 'STATE_INVALID' });
  assert.equal(readFileSync(path, 'utf8'), 'abc');
});
