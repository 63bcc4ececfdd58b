import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/config.ts';
import { shippedModels } from '../config/config-schema.ts';
import { readFieldMap } from '../config/field-map.ts';
import { type PolicyConfig, parsePolicyFile } from '../config/policy-file.ts';
import type { Secret } from '../config/secret.ts';
import { parseYaml } from '../config/yaml.ts';
import { GaitError } from '../core/errors.ts';
import { derivedId } from '../core/hash.ts';
import { type FormatName, formatChoices } from '../core/words.ts';
import { createDecoder, defaultDecoderLimits } from '../event/decode/decoder.ts';
import { type FieldMap, mapNames } from '../event/decode/map.ts';
import type { Enrich } from '../event/enrich.ts';
import type { OpenApiDocument } from '../event/open-api-routes.ts';
import { createRedactor, type Redactor } from '../event/redact.ts';
import { createRouteTemplater } from '../event/route-template.ts';
import type { Suppression } from '../finding/suppression.ts';
import { createIngest, type Ingest } from '../identity/ingest.ts';
import type { IdentityChain } from '../identity/resolve.ts';
import { type ColdFile, openColdRows } from '../log/cold-rows.ts';
import type { ShardOptions } from '../pipeline.ts';
import { createPolicy } from '../policy/decide.ts';
import { equalFusion, readFusion } from '../score/fusion-folder.ts';
import { loadModel, type Model } from '../score/model.ts';

/**
 * Role: what a process does with the log: ingest, detect, store, deliver. In: the configuration and opened parts. Out: consumptions
 * that run until they are closed. Never true: a role that knows how the log or the store is made.
 *
 * This file makes the inner parts that roles and `replay` share out of the configuration.
 */
const packageRoot = new URL('../../../', import.meta.url);
const fromPackage = (path: string): string => fileURLToPath(new URL(path, packageRoot));

export const samplePath = fromPackage('pipelines/sample/cloudtrail-attack.jsonl.gz');

export const extAuthzPath = fromPackage('pipelines/enforce/ext-authz.proto');

export type SourceFormat = {
  readonly format: string;
  readonly map?: FieldMap | undefined;
  readonly identityChain?: IdentityChain | undefined;
  readonly tenant?: string | undefined;
};

export type IngestParts = {
  readonly config: Config;
  readonly key: Secret;
  /** Without it, addresses stay addresses. */
  readonly enrich?: Enrich | undefined;
};

/** One for ingest and for enforcement points, so that both know a caller by the same key. */
export function redactorOf({ ingest }: Config, key: Secret): Redactor {
  const { queryNames, sessionCookies } = ingest;
  return createRedactor({ hmacKey: key.reveal(), listedQueryNames: queryNames, sessionCookies });
}

/** The ingest of a process: one decoder per topic or file, formats as configured for it. */
export function assembleIngest(
  { config, key, enrich }: IngestParts,
  formatOf: (source: string) => SourceFormat,
): Ingest {
  const redactor = redactorOf(config, key);
  const openApi = config.ingest.openApi.map(
    (path) => parseYaml(readFileSync(path, 'utf8'), path).value as OpenApiDocument,
  );
  const limits = { ...defaultDecoderLimits, recordBytesMax: config.ingest.recordBytesMax };
  return createIngest({
    enrich,
    redactor,
    templater: createRouteTemplater({ openApi, routesPerHostMax: config.ingest.routesPerHostMax }),
    sourceFor: (source) => {
      const { format, map, identityChain, tenant } = formatOf(source);
      const name = map === undefined ? checkFormat(format) : 'map';
      const decoder = createDecoder({
        format: name,
        redactor,
        limits,
        ...(map === undefined ? {} : { map }),
      });
      const { identityChain: chain, homeIssuer } = config.ingest;
      return { decoder, chain: identityChain ?? chain, tenant, homeIssuer };
    },
  });
}

/** The map of a file, for a topic or a replay. */
export function readMap(path: string): FieldMap {
  return readFieldMap(path, mapNames);
}

/** By topic. Maps are read now, so that a mistake stops the start and not the first record. */
export function sourceFormats({ sources }: Config): ReadonlyMap<string, SourceFormat> {
  return new Map(
    sources.map(({ map, ...source }) => [source.topic, map === undefined ? source : { ...source, map: readMap(map) }]),
  );
}

/** A name from a configuration or a path; throws CONFIG_INVALID with those that are known. */
export function checkFormat(name: string): 'auto' | FormatName {
  if (formatChoices.includes(name)) return name as 'auto' | FormatName;
  throw new GaitError('CONFIG_INVALID', `${name} is no format; known are ${formatChoices.join(', ')}`);
}

/** The operator's rules, or those that come with the program; throws CONFIG_INVALID with every mistake and its place. */
export function readPolicy(config: Config): PolicyConfig {
  const path = config.detect.policyFile ?? fromPackage('pipelines/detect/default.yaml');
  return parsePolicyFile(readFileSync(path, 'utf8'), path);
}

/** null: none is wanted. Throws MODEL_INVALID when a file of it is not the one that was trained. */
export async function assembleModel(config: Config): Promise<Model | null> {
  const { model, backend } = config.detect;
  if (model === 'none') return null;
  return loadModel({ dir: modelFolder(config, model === 'pca' ? 'pca-v1' : model), backend });
}

/** Of a model that comes with the program, or of the operator's own (`gait train --from-store`). */
function modelFolder({ dataDir }: Config, name: string): string {
  return shippedModels.includes(name) ? fromPackage(`models/${name}`) : join(dataDir, 'models', name);
}

export type ShardParts = { readonly config: Config; readonly policy: PolicyConfig; readonly model: Model | null };

/** Weights of the detectors, as configured. */
export function assembleFusion(config: Config): readonly number[] {
  const { fusion } = config.detect;
  return fusion === 'equal' ? equalFusion : readFusion(modelFolder(config, fusion));
}

/** Those of the policy file, named after what they say. */
export function fileSuppressions({ suppressions }: PolicyConfig): readonly Suppression[] {
  return suppressions.map(({ identity, peerGroup, route, network, ...rest }) => ({
    suppression_id: derivedId('sup', ['file', JSON.stringify({ identity, peerGroup, route, network, ...rest })]),
    verdict_id: null,
    identity: identity ?? null,
    peer_group: peerGroup ?? null,
    route: route ?? null,
    network: network ?? null,
    cause: null,
    ...rest,
  }));
}

export function shardOptions(
  parts: ShardParts,
  shard: { readonly shard: number; readonly shards: number },
): ShardOptions & { readonly cold: ColdFile } {
  const { config, policy, model } = parts;
  const cold = openColdRows(join(config.dataDir, 'cold'), shard.shard);
  return {
    ...config.detect,
    fusion: assembleFusion(config),
    shard: shard.shard,
    model,
    policy: createPolicy(policy, shard),
    suppressions: fileSuppressions(policy),
    cold,
  };
}
