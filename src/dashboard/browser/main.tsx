import { ApiError, ask, whenLocked } from './api.ts';
import { listenToKeys } from './keys.ts';
import { connect } from './live.ts';
import { DecisionsPage } from './pages/decisions.tsx';
import { DetectionsPage } from './pages/detections.tsx';
import { FindingPage } from './pages/finding.tsx';
import { FindingsPage } from './pages/findings.tsx';
import { IdentitiesPage } from './pages/identities.tsx';
import { IdentityPage } from './pages/identity.tsx';
import { IncidentPage } from './pages/incident.tsx';
import { IncidentsPage } from './pages/incidents.tsx';
import { IngestPage } from './pages/ingest.tsx';
import { OverviewPage } from './pages/overview.tsx';
import { SettingsPage } from './pages/settings.tsx';
import { Waiting } from './pieces.tsx';
import { render, useEffect, useErrorBoundary, useState } from './preact.ts';
import { followLinks, type Place, usePlace } from './router.ts';
import type { Session } from './rows.ts';
import { SessionProvider } from './session.ts';
import { LogIn, NotFound, Shell } from './shell.tsx';

/** The dashboard in the browser: who reads, where he is, and the page for it. */
function App() {
  const [session, setSession] = useState<Session | 'locked' | undefined>();
  const [trouble, setTrouble] = useState<ApiError | undefined>();
  useEffect(() => {
    whenLocked(() => setSession('locked'));
    ask<Session>('/v1/session').then(setSession, (error: ApiError) => error.status !== 401 && setTrouble(error));
  }, []);
  const isIn = session !== undefined && session !== 'locked';
  useEffect(() => {
    if (isIn) connect();
  }, [isIn]);
  if (session === 'locked') return <LogIn onDone={setSession} />;
  if (session === undefined) return trouble ? <Waiting error={trouble} what="page" /> : null;
  return (
    <SessionProvider value={session}>
      <Shell>
        <Current />
      </Shell>
    </SessionProvider>
  );
}

function Current() {
  const place = usePlace();
  // A page that fails shows so, and the way to the others stays.
  const [error, reset] = useErrorBoundary();
  const path = place && `${place.name} ${place.id}`;
  useEffect(() => reset(), [path]);
  useEffect(() => {
    document.title = place === undefined ? 'Gait' : `${place.name[0]?.toUpperCase()}${place.name.slice(1)} · Gait`;
  }, [place?.name]);
  if (error !== undefined)
    return <Waiting error={new ApiError(500, `This page failed: ${String(error)}`)} what="page" />;
  return place === undefined ? <NotFound /> : <Page key={path} place={place} />;
}

function Page({ place }: { readonly place: Place }) {
  switch (place.name) {
    case 'overview':
      return <OverviewPage />;
    case 'incidents':
      return <IncidentsPage place={place} />;
    case 'incident':
      return <IncidentPage place={place} />;
    case 'findings':
      return <FindingsPage place={place} />;
    case 'finding':
      return <FindingPage place={place} />;
    case 'identities':
      return <IdentitiesPage place={place} />;
    case 'identity':
      return <IdentityPage place={place} />;
    case 'decisions':
      return <DecisionsPage place={place} />;
    case 'detections':
      return <DetectionsPage />;
    case 'ingest':
      return <IngestPage />;
    case 'settings':
      return <SettingsPage />;
  }
}

followLinks();
listenToKeys();
render(<App />, document.querySelector('#app')!);
