import { join } from 'node:path';
import { loadModel, type Model } from '../../src/score/model.ts';

const dir = join(import.meta.dirname, '../../../models/deviation-v1');

/** With a weight, whatever the evaluation gave it: a model that is not listened to would prove nothing. */
export async function shippedModel(): Promise<Model> {
  return { ...(await loadModel({ dir, backend: 'wasm' })), weight: 0.5 };
}
