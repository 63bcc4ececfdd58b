import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from '../config/zod.ts';
import { describeError, GaitError } from '../core/errors.ts';
import { featureCount, featureHash, featureNames } from '../feature/registry.ts';

/**
 * What training left behind: models/<name>-v<N>/. In: a folder. Out: its files, checked against the manifest. Never true: a model for
 * other features, or with a file that is not the one that was trained.
 */
const numbers = z.array(z.number()).length(featureCount);

const manifestSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(['network', 'pca']),
  /** Share in an event's surprise. What earned it is in docs/evaluation.md. */
  weight: z.number().min(0).max(1),
  features: z.array(z.string()),
  featureHash: z.string(),
  scaling: z.strictObject({ deviation: numbers, residual: numbers }),
  seed: z.int(),
  /** SHA-256 of the recipe but for its verdicts. */
  recipeHash: z.string(),
  trainedOn: z.strictObject({ events: z.int(), vectors: z.int() }),
  metrics: z.record(z.string(), z.number()),
  /** Of every other file in the folder that is not Markdown. */
  sha256: z.record(z.string(), z.string()),
});
export type Manifest = z.infer<typeof manifestSchema>;

const referenceSchema = z.strictObject({
  /** Relative to max(1, score). */
  tolerance: z.number(),
  vectors: z.array(numbers),
  scores: z.array(z.number()),
});
export type Reference = z.infer<typeof referenceSchema>;

export type ModelFolder = {
  readonly manifest: Manifest;
  readonly reference: Reference;
  /** By name; each has the manifest's SHA-256. */
  readonly files: ReadonlyMap<string, Buffer>;
};

const fileBytesMax = 256 * 1024;

/** Fails with MODEL_INVALID: unreadable, tampered with, or trained for other features than this program extracts. */
export function readModelFolder(dir: string): ModelFolder {
  const manifest = parseFile(manifestSchema, dir, 'manifest.json');
  if (manifest.featureHash !== featureHash || hashOf(manifest.features.join('\n')) !== featureHash) {
    throw refuse(
      dir,
      `it was trained for other features (${difference(manifest.features)}); train it again: gait train`,
    );
  }
  const files = readListed(dir, manifest.sha256);
  if (!files.has('model.json') || !files.has('reference.json'))
    throw refuse(dir, 'manifest.json does not list all files');
  return { manifest, reference: parseFile(referenceSchema, dir, 'reference.json'), files };
}

/** The files that a manifest lists, each with its SHA-256. */
export function readListed(dir: string, sha256: Readonly<Record<string, string>>): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const [name, expected] of Object.entries(sha256)) {
    if (!/^[a-z0-9-]+\.(json|bin)$/.test(name)) throw refuse(dir, 'a file name in manifest.json is not allowed');
    const bytes = read(dir, name);
    if (hashOf(bytes) !== expected) throw refuse(dir, `${name} is not the file that was trained (SHA-256 differs)`);
    files.set(name, bytes);
  }
  return files;
}

export function refuse(dir: string, why: string, cause?: unknown): GaitError {
  return new GaitError('MODEL_INVALID', `model ${dir}: ${why}`, { cause });
}

export function hashOf(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function read(dir: string, name: string): Buffer {
  try {
    const bytes = readFileSync(join(dir, name));
    if (bytes.length > fileBytesMax) throw refuse(dir, `${name} is larger than ${fileBytesMax / 1024} KiB`);
    return bytes;
  } catch (cause) {
    throw cause instanceof GaitError ? cause : refuse(dir, `${name} cannot be read`, cause);
  }
}

/** A JSON file of the folder; throws MODEL_INVALID, naming the file, when it cannot be read or is another's. */
export function parseFile<T>(schema: z.ZodType<T>, dir: string, name: string): T {
  try {
    return schema.parse(JSON.parse(read(dir, name).toString('utf8')));
  } catch (cause) {
    throw cause instanceof GaitError ? cause : refuse(dir, `${name} is not valid: ${describeError(cause)}`, cause);
  }
}

function difference(theirs: readonly string[]): string {
  const missing = featureNames.filter((name) => !theirs.includes(name));
  const gone = theirs.filter((name) => !featureNames.includes(name));
  if (missing.length + gone.length === 0) return 'in another order';
  return [...missing.map((name) => `+${name}`), ...gone.map((name) => `-${name}`)].slice(0, 5).join(' ');
}
