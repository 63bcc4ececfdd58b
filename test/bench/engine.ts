import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, parseConfig } from '../../src/config/config.ts';
import { Secret } from '../../src/config/secret.ts';
import type { ResolvedEvent } from '../../src/identity/resolved-event.ts';
import { Shard } from '../../src/pipeline.ts';
import { assembleIngest, assembleModel, readPolicy, shardOptions } from '../../src/role/assemble.ts';
import type { Model } from '../../src/score/model.ts';
import { Traffic } from './traffic.ts';

export const startMs = Date.UTC(2026, 2, 3, 8);
/** Events between two looks at what came out, as `replay` does it. */
const eventsPerDrain = 512;
const chunk = 20_000;
const packageRoot = join(import.meta.dirname, '../../..');

export function configOf(yaml: string): Config {
  const outcome = parseConfig({ name: 'bench', text: () => yaml }, {});
  if (outcome.kind === 'invalid') throw new Error(outcome.problems.join('; '));
  return outcome.config;
}

/** The shipped model, or why there is none. */
export async function shippedModel(): Promise<Model | string> {
  const config = configOf('detect: {model: deviation-v1}');
  const folder = join('models', 'deviation-v1');
  if (!existsSync(join(packageRoot, folder, 'manifest.json'))) return `${folder} is not there`;
  return (await assembleModel(config)) ?? 'no model is configured';
}

/** The inner program without log and store: bytes in, verdicts out. */
export class Engine {
  readonly shard: Shard;
  readonly #ingest;
  #offset = 0;
  verdicts = 0;
  findings = 0;

  constructor(model: Model | null, identities: number) {
    const config = configOf(`detect: {identitiesMax: ${identities * 2}}`);
    this.#ingest = assembleIngest({ config, key: new Secret('bench') }, () => ({ format: 'canonical' }));
    this.shard = new Shard(shardOptions({ config, policy: readPolicy(config), model }, { shard: 0, shards: 1 }));
  }

  resolve(record: Buffer): ResolvedEvent {
    const position = { topic: 'api-traffic', partition: 0, offset: this.#offset++, index: 0 };
    const event = this.#ingest.ingest(record, position, startMs + 30 * 86_400_000).events[0];
    if (event === undefined) throw new Error('an event of the bench was refused');
    return event;
  }

  judge(records: readonly Buffer[]): void {
    for (let i = 0; i < records.length; i++) {
      this.shard.accept(this.resolve(records[i]!));
      if (i % eventsPerDrain === eventsPerDrain - 1) this.#drain();
    }
    this.#drain();
  }

  #drain(): void {
    const { verdicts, findings } = this.shard.drain();
    this.verdicts += verdicts.length;
    this.findings += findings.length;
  }
}

/** Traffic in which each of the identities has been seen once, fed to `judge` in untimed chunks. */
export function introduceAll(identities: number, judge: (records: readonly Buffer[]) => void): Traffic {
  const traffic = new Traffic({ identities, eventsPerSecond: 2000, startMs });
  for (let first = 0; first < identities; first += chunk) {
    judge(traffic.introduce(first, Math.min(chunk, identities - first)));
  }
  return traffic;
}
