import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, EpochMs } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import { makeFolder } from '../core/folder.ts';
import { type Claims, createSigner, makeSigningKey, type PublicJwk, type Signer } from '../core/jose.ts';
import { randomId } from '../core/random.ts';

export type SigningKeysOptions = {
  readonly dataDir: string;
  /** The operator's own, as PEM of PKCS#8: the first signs, all are published, and no file is written. */
  readonly configured: readonly string[];
  /** A key of the file signs for so long, and stays published for as long again, for the tokens that it signed. */
  readonly lifeMs: number;
  readonly clock: Clock;
};

export type SigningKeys = {
  readonly sign: (claims: Claims, typ: string) => Promise<string>;
  /** The JSON Web Key Set (RFC 7517) of all keys whose tokens may still be under way. */
  readonly publish: () => Promise<{ readonly keys: readonly PublicJwk[] }>;
};

type StoredKey = { readonly pem: string; readonly made_at: EpochMs };
type HeldKey = { readonly signer: Signer; readonly madeAt: EpochMs };

/** A key is published this long before it signs, so that no receiver that keeps key sets meets a token of a key it cannot know. */
const announceMs = 15 * 60_000;

/**
 * The keys that sign security event tokens, in `<dataDir>/ssf-keys.json` with mode 0600. The successor is made, and published, before its
 * predecessor's life ends. Processes that share a log must share the keys: through the folder, or through the configuration.
 * Fails with STATE_INVALID when the file cannot be read, made, or understood.
 */
export async function openSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { dataDir, configured, lifeMs, clock } = options;
  if (configured.length > 0) {
    const signers = await Promise.all(configured.map(createSigner));
    const keys = signers.map(({ jwk }) => jwk);
    return { sign: (claims, typ) => signers[0]!.sign(claims, typ), publish: () => Promise.resolve({ keys }) };
  }
  const path = join(dataDir, 'ssf-keys.json');
  let held: readonly HeldKey[] = [];
  const refresh = async (): Promise<void> => {
    const now = clock.now();
    const newest = held.at(-1);
    if (newest !== undefined && now < newest.madeAt + lifeMs - announceMs) return;
    const stored = (await readKeys(path)).filter(({ made_at }) => now < made_at + 2 * lifeMs);
    const last = stored.at(-1);
    if (last === undefined || now >= last.made_at + lifeMs - announceMs) {
      stored.push({ pem: await makeSigningKey(), made_at: now });
      await writeKeys(dataDir, path, stored);
    }
    held = await Promise.all(
      stored.map(async ({ pem, made_at }) => ({ signer: await createSigner(pem), madeAt: made_at })),
    );
  };
  // One at a time: two calls that both found no key would otherwise make two.
  let turn: Promise<void> = Promise.resolve();
  const current = async (): Promise<readonly HeldKey[]> => {
    turn = turn.catch(() => {}).then(refresh);
    await turn;
    return held;
  };
  await current();
  return {
    sign: async (claims, typ) => {
      const keys = await current();
      const known = keys.filter(({ madeAt }) => madeAt + announceMs <= clock.now());
      return (known.at(-1) ?? keys[0]!).signer.sign(claims, typ);
    },
    publish: async () => {
      const published = (await current()).filter(({ madeAt }) => clock.now() < madeAt + 2 * lifeMs);
      return { keys: published.map(({ signer }) => signer.jwk) };
    },
  };
}

async function readKeys(path: string): Promise<StoredKey[]> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as StoredKey[];
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    // Without its cause: the text of a JSON error quotes the file, which is a private key.
    throw new GaitError('STATE_INVALID', `${path} cannot be read as signing keys`);
  }
}

/** Whole under another name first: whoever reads meanwhile sees the old keys or the new ones. */
async function writeKeys(folder: string, path: string, keys: readonly StoredKey[]): Promise<void> {
  const draft = `${path}.${randomId('draft')}`;
  try {
    makeFolder(folder, 0o700);
    await writeFile(draft, JSON.stringify(keys), { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } catch (cause) {
    throw new GaitError('STATE_INVALID', `the signing keys ${path} cannot be written`, { cause });
  }
}
