import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEntry } from '../../src/core/audit.ts';
import { createCases } from '../../src/role/cases.ts';
import type { IncidentRow } from '../../src/store/queries-incidents.ts';

test('every note is an entry of the audit, and closing says how many findings there were', async () => {
  const entries: Omit<AuditEntry, 'audit_id' | 'at'>[] = [];
  const head = async (id: string) => (id === 'inc_1' ? ({ finding_count: 3 } as IncidentRow) : undefined);
  const note = createCases(async (entry) => void entries.push(entry), { head });
  const said = { who: 'carla', from: '127.0.0.1' };
  assert.equal(
    await note(
      'inc_1',
      [
        { kind: 'comment', text: 'a "b"' },
        { kind: 'close', text: 'done' },
      ],
      said,
    ),
    'noted',
  );
  assert.deepEqual(entries, [
    { ...said, action: 'case.comment', about: 'inc_1', detail: '{"text":"a \\"b\\""}' },
    { ...said, action: 'case.close', about: 'inc_1', detail: '{"text":"done","findings":3}' },
  ]);
  assert.equal(await note('inc_2', [{ kind: 'comment', text: 'x' }], said), 'unknown');
  assert.equal(entries.length, 2);
});
