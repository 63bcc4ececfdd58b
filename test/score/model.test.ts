import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { GaitError } from '../../src/core/errors.ts';
import { featureCount, featureHash } from '../../src/feature/registry.ts';
import { loadModel } from '../../src/score/model.ts';
import { hashOf, type Manifest, type Reference } from '../../src/score/model-folder.ts';

const models = fileURLToPath(new URL('../../../models/', import.meta.url));
const names = ['deviation-v1', 'pca-v1'];
const scratch = mkdtempSync(join(tmpdir(), 'gait-model-'));
after(() => rmSync(scratch, { recursive: true }));

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}

/** A copy of a released model, spoiled. */
function spoiled(name: string, spoil: (dir: string) => void): string {
  const dir = mkdtempSync(join(scratch, `${name}-`));
  cpSync(join(models, name), dir, { recursive: true });
  spoil(dir);
  return dir;
}

function changeManifest(dir: string, change: (manifest: Manifest) => unknown): void {
  const path = join(dir, 'manifest.json');
  writeFileSync(path, JSON.stringify(change(readJson<Manifest>(path))));
}

function changeFile(dir: string, file: string, change: (bytes: Buffer) => Buffer): void {
  writeFileSync(join(dir, file), change(readFileSync(join(dir, file))));
}

/** As one who changes a file and knows that the manifest has its hash. */
function rehash(dir: string, file: string): void {
  const sha256 = hashOf(readFileSync(join(dir, file)));
  changeManifest(dir, (manifest) => ({ ...manifest, sha256: { ...manifest.sha256, [file]: sha256 } }));
}

async function refused(dir: string, why: RegExp): Promise<void> {
  await assert.rejects(loadModel({ dir, backend: 'wasm' }), (error) => {
    assert.ok(error instanceof GaitError);
    assert.equal(error.code, 'MODEL_INVALID');
    assert.match(error.message, why);
    return true;
  });
}

for (const name of names) {
  test(`${name} scores its reference vectors to 1e-5`, async () => {
    const model = await loadModel({ dir: join(models, name), backend: 'wasm' });
    const { vectors, scores, tolerance } = readJson<Reference>(join(models, name, 'reference.json'));
    assert.equal(vectors.length, 32);
    assert.equal(tolerance, 1e-5);
    const actual = model.score(Float32Array.from(vectors.flat()), vectors.length);
    for (const [i, expected] of scores.entries()) {
      assert.ok(Math.abs(actual[i]! - expected) <= tolerance * Math.max(1, expected), `vector ${i}`);
    }
  });

  test(`${name} is refused when one bit of its parameters was changed`, async () => {
    const file = name === 'pca-v1' ? 'model.json' : 'weights.bin';
    const flip = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte)));
    await refused(
      spoiled(name, (dir) => changeFile(dir, file, flip)),
      /SHA-256 differs/,
    );
  });

  test(`${name} is refused when it was trained for other features, and the refusal names them`, async () => {
    const rename = (manifest: Manifest): Manifest => {
      const features = ['rate.other', ...manifest.features.slice(1)];
      return { ...manifest, features, featureHash: hashOf(features.join('\n')) };
    };
    await refused(
      spoiled(name, (dir) => changeManifest(dir, rename)),
      /other features .*-rate\.other.*gait train/,
    );
    await refused(
      spoiled(name, (dir) => changeManifest(dir, (manifest) => ({ ...rename(manifest), featureHash }))),
      /other features/,
    );
  });
}

test('weights that fit their hash but not their reference scores are refused', async () => {
  const dir = spoiled('deviation-v1', (dir) => {
    changeFile(dir, 'weights.bin', (bytes) => {
      bytes.writeFloatLE(bytes.readFloatLE(0) + 0.5, 0);
      return bytes;
    });
    rehash(dir, 'weights.bin');
  });
  await refused(dir, /reference vector \d+ scores/);
});

test('a folder that is missing, empty of meaning or too large is refused with its name', async () => {
  await refused(join(scratch, 'nowhere'), /nowhere: manifest\.json cannot be read/);
  await refused(
    spoiled('pca-v1', (dir) => writeFileSync(join(dir, 'manifest.json'), '{}')),
    /manifest\.json is not valid/,
  );
  const grown = spoiled('pca-v1', (dir) => {
    changeFile(dir, 'model.json', (bytes) => Buffer.concat([bytes, Buffer.alloc(256 * 1024, ' ')]));
    rehash(dir, 'model.json');
  });
  await refused(grown, /larger than 256 KiB/);
});

test('a manifest cannot name a file outside its folder', async () => {
  const outside = (manifest: Manifest): Manifest => ({
    ...manifest,
    sha256: { ...manifest.sha256, '../secret.json': '' },
  });
  await refused(
    spoiled('pca-v1', (dir) => changeManifest(dir, outside)),
    /file name in manifest\.json is not allowed/,
  );
});

test('a thousand batches leave no tensor behind', async () => {
  const tf = createRequire(import.meta.url)('@tensorflow/tfjs-core') as {
    memory: () => { numTensors: number; numBytes: number };
  };
  const model = await loadModel({ dir: join(models, 'deviation-v1'), backend: 'wasm' });
  const before = tf.memory();
  const vectors = new Float32Array(40 * featureCount);
  for (let i = 0; i < 1000; i++) model.score(vectors, 1 + (i % 40));
  assert.deepEqual(tf.memory(), before);
});

test('`auto` runs without the native library, which is nobody’s dependency', async () => {
  const model = await loadModel({ dir: join(models, 'deviation-v1'), backend: 'auto' });
  assert.ok(model.backend === 'wasm' || model.backend === 'node');
});
