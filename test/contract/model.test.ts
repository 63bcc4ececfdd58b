import { fileURLToPath } from 'node:url';
import { loadModel } from '../../src/score/model.ts';
import { describeModelContract } from './model.contract.ts';

for (const name of ['deviation-v1', 'pca-v1']) {
  const dir = fileURLToPath(new URL(`../../../models/${name}`, import.meta.url));
  describeModelContract(name, () => loadModel({ dir, backend: 'wasm' }));
}
