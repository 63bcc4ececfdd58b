import type { Audit } from '../core/audit.ts';
import { describeError } from '../core/errors.ts';
import { visible } from '../core/visible.ts';
import type { SqlAnswered, SqlDoor, SqlQuestion, SqlRefused } from '../http/parts.ts';

type Analyst = (question: SqlQuestion) => Promise<SqlAnswered | SqlRefused>;

/** What the audit keeps of a question, in characters: enough for any written by hand. */
const sqlLengthMax = 4000;
const valuesLengthMax = 1000;

/** Analysts' SQL: who asked what, and how it ended, is in the audit before the rows leave. */
export function createSqlDoor(analyst: Analyst, audit: Audit): SqlDoor['ask'] {
  return async (question, { caller: who, from }) => {
    const sql = visible(question.sql, sqlLengthMax);
    const parameters = visible(JSON.stringify(question.parameters), valuesLengthMax);
    const note = (end: object): Promise<void> =>
      audit({ who, from, action: 'sql.ask', about: '', detail: JSON.stringify({ sql, parameters, ...end }) });
    let got: SqlAnswered | SqlRefused;
    try {
      got = await analyst(question);
    } catch (error) {
      await note({ ended: 'failed', why: visible(describeError(error), valuesLengthMax) });
      throw error;
    }
    if (got.kind === 'refused') await note({ ended: 'refused', code: got.code, name: got.name });
    else await note({ ended: 'answered', rows_read: got.rowsRead, bytes_read: got.bytesRead });
    return got;
  };
}
