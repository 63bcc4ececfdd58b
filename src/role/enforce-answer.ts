import type { EnforcementAnswer } from '../http/parts.ts';
import type { Held } from '../policy/decision-table.ts';
import type { Verdict } from '../policy/enforce.ts';
import type { AskedCall } from './enforce-call.ts';

/**
 * What the gateway is told. Every answer carries every one of these names, `-` for nothing, so that a gateway which copies them into its
 * log or onto the call overwrites whatever the caller sent under the same name.
 */
export function answerOf(verdict: Verdict, call: AskedCall | null): EnforcementAnswer {
  const { kind, held } = verdict;
  const scheme = call?.scheme ?? 'Bearer';
  const headers = headersOf(kind, held, call);
  switch (verdict.kind) {
    case 'allow':
      return { status: 200, headers, decisionId: null, riskLevel: held?.level ?? null, error: null };
    case 'throttled':
      headers['retry-after'] = String(verdict.retryAfterSeconds);
      return refusal(429, verdict.held, {
        headers,
        error: { code: 'throttled', message: 'too many calls for the moment' },
      });
    case 'challenge':
      headers['www-authenticate'] = challenge(verdict.held, scheme);
      return refusal(401, verdict.held, {
        headers,
        error: { code: 'step-up', message: 'a fresh authentication is needed' },
      });
    case 'revoked': {
      if (!isOfTokens(verdict.held)) {
        return refusal(403, verdict.held, { headers, error: { code: 'revoked', message: 'this caller is refused' } });
      }
      const message = 'this session was ended';
      // RFC 6750, 3.1: a revoked token is an invalid one, and its bearer may get another.
      headers['www-authenticate'] = `${scheme} error="invalid_token", error_description="${message}"`;
      return refusal(401, verdict.held, { headers, error: { code: 'revoked', message } });
    }
  }
}

/** While the decisions are still being read. */
export function unreadyAnswer(mode: 'open' | 'closed'): EnforcementAnswer {
  const headers = headersOf(`not-ready-${mode}`, undefined, null);
  const nothing = { decisionId: null, riskLevel: null };
  if (mode === 'open') return { status: 200, headers, ...nothing, error: null };
  const error = { code: 'not-ready', message: 'decisions are still being read' };
  return { status: 503, headers: { ...headers, 'retry-after': '1' }, ...nothing, error };
}

function refusal(
  status: EnforcementAnswer['status'],
  held: Held,
  { headers, error }: Pick<EnforcementAnswer, 'headers' | 'error'>,
): EnforcementAnswer {
  return { status, headers, decisionId: held.id, riskLevel: held.level, error };
}

/**
 * A decision is named only where it refuses: in the log its name marks a call that is not to be scored. The rest is who was read out of the
 * call's credentials, for gateways that cannot read a token themselves (nginx without njs): they log these, and ingest then knows the caller by
 * the same name. Never a secret: keys and session cookies are digests. One literal, since objects put together out of others outlive
 * their answer by several collections, each of which stops all answers for tens of milliseconds.
 */
function headersOf(verdict: string, held: Held | undefined, call: AskedCall | null): Record<string, string> {
  const event = call?.event;
  return {
    'x-gait-verdict': verdict,
    'x-gait-decision': verdict !== 'allow' && held !== undefined ? held.id : '-',
    'x-gait-risk': held?.level ?? '-',
    'x-gait-subject': plain(event?.subject),
    'x-gait-session': plain(event?.session_id),
    'x-gait-token': plain(event?.token_id),
    'x-gait-client': plain(event?.client_id),
    'x-gait-key-id': plain(event?.api_key),
  };
}

/** RFC 9470, section 3. What is quoted comes from the policy file, which allows neither quotes nor backslashes in it. */
function challenge({ acrValues, maxAgeSeconds }: Held, scheme: string): string {
  const acr = acrValues === null ? '' : `, acr_values="${acrValues}"`;
  const maxAge = maxAgeSeconds === null && acrValues !== null ? '' : `, max_age=${maxAgeSeconds ?? 0}`;
  const description = 'error_description="A fresh or stronger authentication is required"';
  return `${scheme} error="insufficient_user_authentication", ${description}${acr}${maxAge}`;
}

/** Users and sessions have tokens that can be replaced; keys, certificates and addresses have not. */
function isOfTokens({ identity, action }: Held): boolean {
  return action === 'revoke-session' || identity.startsWith('user:') || identity.startsWith('session:');
}

/** A name that is no plain ASCII is left out. */
function plain(text: string | null | undefined): string {
  return text != null && text.length <= 256 && /^[\x21-\x7e]+$/.test(text) ? text : '-';
}
