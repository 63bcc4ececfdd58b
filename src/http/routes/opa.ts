import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { randomId } from '../../core/random.ts';
import type { Held } from '../../policy/decision-table.ts';
import type { HeldDecisions } from '../parts.ts';
import type { Headers, Reply, Route } from '../route.ts';

/**
 * The decisions in force as a bundle of the Open Policy Agent: `data.gait.decisions[key]`, key being the identity's, or `session:tenant:id`,
 * or `token:tenant:jti`. A snapshot first, then what changed (delta bundles), by long polling. A policy compares `expires_at` itself.
 */
const root = 'gait';
/** Waiting costs a connection, of which the server has a limited number. */
const waitMsMax = 60_000;
const compress = promisify(gzip);

export function opaRoute({ table, now, nextChange, handed }: HeldDecisions): Route {
  // A process that starts anew counts its changes anew.
  const run = randomId('').slice(1, 9);
  const tag = (): string => `"${run}.${table.changes}"`;
  type Made = { readonly tag: string; readonly ids: readonly string[]; readonly body: Promise<Buffer> };
  let snapshot: Made | undefined;

  const changedSince = (etag: string): ReadonlySet<string> | undefined => {
    const [, known, changes] = /^(?:W\/)?"([0-9a-f]+)\.(\d+)"$/.exec(etag) ?? [];
    return known === run ? table.changedSince(Number(changes)) : undefined;
  };
  const whole = (): Made => {
    if (snapshot?.tag === tag()) return snapshot;
    const at = now();
    const strongest = new Map([...table.inForce(at)].map(({ key }) => [key, table.at(key, at)]));
    const decisions = Object.fromEntries([...strongest].map(([key, held]) => [key, documentOf(held)]));
    snapshot = {
      tag: tag(),
      ids: idsOf(strongest.values()),
      body: bundle(tag(), 'data.json', { [root]: { decisions } }),
    };
    return snapshot;
  };
  const patch = (keys: ReadonlySet<string>): Made => {
    const strongest = [...keys].map((key) => [key, table.at(key, now())] as const);
    const data = strongest.map(([key, held]) => ({
      op: 'upsert',
      path: `/${root}/decisions/${step(key)}`,
      value: documentOf(held),
    }));
    return { tag: tag(), ids: idsOf(strongest.map(([, held]) => held)), body: bundle(tag(), 'patch.json', { data }) };
  };

  return {
    method: 'GET',
    url: '/v1/opa/bundle.tar.gz',
    summary: 'The decisions in force as a bundle for the Open Policy Agent: snapshot, then deltas by long polling',
    access: ['enforce'],
    replies: {
      200: { description: 'A bundle; ETag names its state' },
      304: { description: 'Nothing has changed since If-None-Match' },
    },
    handle: async ({ headers, caller }) => {
      const etag = String(headers['if-none-match'] ?? '')
        .split(',', 1)[0]!
        .trim();
      const { wait, takesDelta } = preferOf(headers);
      if (changedSince(etag)?.size === 0 && wait > 0) await nextChange(wait);
      const changed = changedSince(etag);
      if (changed?.size === 0) return reply(304, tag(), Buffer.alloc(0));
      const made = changed !== undefined && takesDelta ? patch(changed) : whole();
      handed(made.ids, caller);
      return reply(200, made.tag, await made.body);
    },
  };
}

function idsOf(held: Iterable<Held | undefined>): readonly string[] {
  return [...held].flatMap((each) => (each === undefined ? [] : [each.id]));
}

function reply(status: number, etag: string, body: Buffer): Reply {
  // The type says that long polling is understood.
  return { status, body, type: 'application/vnd.openpolicyagent.bundles', headers: { etag } };
}

/** `Prefer: modes=snapshot,delta;wait=30`, the time in seconds. */
function preferOf(headers: Headers): { readonly wait: number; readonly takesDelta: boolean } {
  const prefer = String(headers.prefer ?? '');
  const seconds = Number(/(?:^|;)\s*wait=(\d{1,6})/.exec(prefer)?.[1] ?? 0);
  return { wait: Math.min(seconds * 1000, waitMsMax), takesDelta: /modes=[^;]*\bdelta\b/.test(prefer) };
}

/** Null where nothing is in force any more: a patch that removed what a client never had would be refused as a whole. */
function documentOf(held: Held | undefined): object | null {
  if (held === undefined) return null;
  return {
    decision_id: held.id,
    identity: held.identity,
    action: held.action,
    risk_level: held.level,
    made_at: held.madeAt,
    expires_at: held.expiresAt,
    issued_before: held.issuedBefore,
    acr_values: held.acrValues?.split(' ') ?? [],
    max_age: held.maxAgeSeconds,
  };
}

/** One step of a JSON pointer (RFC 6901), percent-encoded as OPA wants paths of patches. */
function step(key: string): string {
  return encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function bundle(revision: string, name: string, content: object): Promise<Buffer> {
  const manifest = { revision, roots: [root] };
  return compress(Buffer.concat([tarred('/.manifest', manifest), tarred(`/${name}`, content), Buffer.alloc(1024)]));
}

/** One file of a tar archive (POSIX ustar): a header of 512 bytes, then the content in blocks of as many. */
function tarred(name: string, content: object): Buffer {
  const data = Buffer.from(JSON.stringify(content));
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        0', 148);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}
