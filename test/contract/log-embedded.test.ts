import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import { describeLogContract } from './log.contract.ts';

const path = mkdtempSync(join(tmpdir(), 'gait-log-'));

describeLogContract('embedded log', {
  start: async () => {},
  stop: async () => rmSync(path, { recursive: true, force: true }),
  open: () => openEmbeddedLog({ path }),
  beside: async (first) => first,
  partitions: 1,
  skip: false,
});
