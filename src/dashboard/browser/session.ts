import { createContext, useContext } from './preact.ts';
import type { Session } from './rows.ts';

/** Who reads. */
const SessionContext = createContext<Session>({ caller: '', roles: [], needs_key: false });
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  return useContext(SessionContext);
}

/** Whether the reader may decide; the server asks for the role again. */
export function useIsAdmin(): boolean {
  return useSession().roles.includes('admin');
}
