import type { Config } from '../../config/config.ts';
import type { Route } from '../route.ts';
import type { Sessions } from '../session.ts';

const who = {
  type: 'object',
  required: ['caller', 'roles', 'needs_key'],
  properties: {
    caller: { type: 'string', description: 'The name of the key; `local` where none is asked for' },
    roles: { type: 'array', items: { type: 'string' } },
    needs_key: { type: 'boolean', description: 'Whether API keys are configured' },
  },
};

/** A person at a browser gives a key once and gets a session for it; scripts and machines send the key each time and need none of this. */
export function sessionRoutes(sessions: Sessions, keys: Config['http']['keys']): readonly Route[] {
  const about = (caller: string): object => {
    const roles = keys.find(({ name }) => name === caller)?.roles ?? ['admin'];
    return { caller, roles, needs_key: keys.length > 0 };
  };
  return [
    {
      method: 'GET',
      url: '/v1/session',
      summary: 'Whose key or session this is, and what it may do',
      access: ['analyst'],
      replies: { 200: { description: 'The caller', schema: who } },
      handle: async ({ caller }) => ({ status: 200, body: about(caller) }),
    },
    {
      method: 'POST',
      url: '/v1/session',
      summary: 'A session of 12 hours for a browser, in a cookie; show the key as in any other request',
      access: ['analyst'],
      replies: { 200: { description: 'The caller; the cookie is HttpOnly and SameSite=Strict', schema: who } },
      handle: async ({ caller, headers }) => {
        const cookie = sessions.open(caller, headers['x-forwarded-proto'] === 'https');
        return { status: 200, body: about(caller), headers: keys.length > 0 ? { 'set-cookie': cookie } : {} };
      },
    },
    {
      method: 'DELETE',
      url: '/v1/session',
      summary: 'Ends the session of this browser',
      access: ['analyst'],
      replies: { 200: { description: 'The cookie is taken back' } },
      handle: async () => ({ status: 200, body: {}, headers: { 'set-cookie': sessions.close } }),
    },
  ];
}
