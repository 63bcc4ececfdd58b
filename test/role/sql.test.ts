import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditEntry } from '../../src/core/audit.ts';
import { GaitError } from '../../src/core/errors.ts';
import type { SqlAnswered, SqlRefused } from '../../src/http/parts.ts';
import { createSqlDoor } from '../../src/role/sql.ts';

const carla = { caller: 'carla', from: '127.0.0.1' };
const answered: SqlAnswered = { kind: 'answered', body: Buffer.from('1\n'), format: 'CSV', rowsRead: 7, bytesRead: 56 };
const refused: SqlRefused = { kind: 'refused', code: 497, name: 'ACCESS_DENIED', message: 'only views may be asked' };

/** What is in the audit when the answer has come, and the question. */
async function audited(sql: string, got: () => Promise<SqlAnswered | SqlRefused>) {
  const entries: Omit<AuditEntry, 'audit_id' | 'at'>[] = [];
  const ask = createSqlDoor(got, async (entry) => void entries.push(entry));
  const answer = await ask({ sql, parameters: { who: "o'hara" }, format: undefined }, carla).catch((error) => error);
  assert.equal(entries.length, 1);
  const { detail, ...entry } = entries[0]!;
  assert.deepEqual(entry, { who: 'carla', from: '127.0.0.1', action: 'sql.ask', about: '' });
  assert.match(detail, /^[^\n\r]*$/);
  return { answer, detail: JSON.parse(detail) as Record<string, unknown> };
}

test('who asked which SQL, and how it ended, is in the audit before the answer leaves', async () => {
  const asked = { sql: 'SELECT 1', parameters: `{"who":"o'hara"}` };
  const { answer, detail } = await audited('SELECT 1', async () => answered);
  assert.equal(answer, answered);
  assert.deepEqual(detail, { ...asked, ended: 'answered', rows_read: 7, bytes_read: 56 });
  const denied = await audited('SELECT 1', async () => refused);
  assert.equal(denied.answer, refused);
  assert.deepEqual(denied.detail, { ...asked, ended: 'refused', code: 497, name: 'ACCESS_DENIED' });
  const away = new GaitError('STORE_UNAVAILABLE', 'the store is away');
  const failed = await audited('SELECT 1', () => Promise.reject(away));
  assert.equal(failed.answer, away);
  assert.deepEqual(failed.detail, { ...asked, ended: 'failed', why: 'the store is away' });
});

test('a text that is meant for whoever reads the audit is spelled out, and cut', async () => {
  const { detail } = await audited(
    `SELECT '\u001b[2J\u202e"}\n{"who":"admin'${' '.repeat(9000)}`,
    async () => answered,
  );
  const sql = String(detail.sql);
  assert.match(sql, /^SELECT '\\u\{1b\}\[2J\\u\{202e\}"\}\\u\{a\}\{"who":"admin'/);
  assert.ok(sql.length < 4100);
});

test('without an entry there is no answer', async () => {
  const ask = createSqlDoor(
    async () => answered,
    () => Promise.reject(new GaitError('LOG_UNAVAILABLE', 'the log is closed')),
  );
  await assert.rejects(ask({ sql: 'SELECT 1', parameters: {}, format: undefined }, carla), /the log is closed/);
});
