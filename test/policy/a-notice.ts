import type { IdentityKey } from '../../src/identity/resolved-event.ts';
import type { Notice, NoticeOf } from '../../src/policy/notice.ts';
import { start } from './a-finding.ts';

type Fields<Kind extends Notice['notice']> = Omit<
  NoticeOf<Kind>,
  'notice' | 'notice_id' | 'identity' | 'by' | 'reason'
>;

let notices = 0;

/** A notice about user:acme:alice by the key `desk`; at the start and about no session, unless told otherwise. */
export function aNotice<Kind extends Notice['notice']>(
  notice: Kind,
  fields: Omit<Fields<Kind>, 'session_id' | 'at'> & Partial<Notice>,
): Notice {
  const base = {
    notice_id: `ntc_${String(++notices).padStart(8, '0')}`,
    identity: 'user:acme:alice' as IdentityKey,
    session_id: null,
    at: start,
    by: 'desk',
    reason: 'Asked by phone.',
  };
  return { ...base, notice, ...fields } as Notice;
}

export const lockOut = { action: 'revoke-identity', mode: 'enforce', ttl_ms: 3_600_000 } as const;
