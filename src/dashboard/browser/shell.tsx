import type { PageName } from '../pages.ts';
import { ask } from './api.ts';
import { goTo, useKeys } from './keys.ts';
import { useLiveState } from './live.ts';
import { type ComponentChildren, useEffect, useRef, useState } from './preact.ts';
import { linkTo, usePlace } from './router.ts';
import type { Session } from './rows.ts';
import { useSession } from './session.ts';

/** What stands around every page: where one is, where one can go, whether what is shown is live, and the keys. */
const sections: readonly { readonly name: PageName; readonly text: string; readonly icon: string }[] = [
  { name: 'overview', text: 'Overview', icon: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z' },
  { name: 'incidents', text: 'Incidents', icon: 'M12 4 3 19.5h18zM12 10v4M12 16.8v.2' },
  { name: 'findings', text: 'Findings', icon: 'M4 6h16M4 12h10M4 18h7' },
  {
    name: 'identities',
    text: 'Identities',
    icon: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8M4 20.5c.8-4 3.8-5.5 8-5.5s7.2 1.500 8 5.500',
  },
  { name: 'decisions', text: 'Decisions', icon: 'M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6z' },
  {
    name: 'detections',
    text: 'Detections',
    icon: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 12v0',
  },
  { name: 'ingest', text: 'Ingest', icon: 'M12 3v11M7 10l5 5 5-5M4 20h16' },
  { name: 'settings', text: 'Settings', icon: 'M4 7h9M19 7h1M4 17h1M11 17h9M16 4.500v5M8 14.500v5' },
];

/** A page of one thing belongs to the section of its list. */
const sectionOf: Partial<Record<PageName, PageName>> = {
  incident: 'incidents',
  finding: 'findings',
  identity: 'identities',
};

export function Shell({ children }: { readonly children: ComponentChildren }) {
  const place = usePlace();
  const help = useRef<HTMLDialogElement>(null);
  const main = useRef<HTMLElement>(null);
  const current = place && (sectionOf[place.name] ?? place.name);
  useKeys({ '?': () => help.current?.showModal() });
  const path = place && `${place.name} ${place.id}`;
  const before = useRef(path);
  useEffect(() => {
    // Someone who listens hears that the page is another one.
    if (before.current !== path) main.current?.focus({ preventScroll: true });
    before.current = path;
  }, [path]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="bar">
        <a class="brand" href="/">
          <Mark /> Gait
        </a>
        <nav aria-label="Sections">
          {sections.map(({ name, text, icon }) => (
            <a key={name} href={linkTo(name)} aria-current={current === name ? 'page' : undefined}>
              <svg viewBox="0 0 24 24" aria-hidden="true">
                <path d={icon} />
              </svg>
              <span>{text}</span>
            </a>
          ))}
        </nav>
        <div class="tools">
          <Live />
          <ThemeButton />
          <button
            type="button"
            class="plain"
            title="Keys (?)"
            aria-label="Keys"
            onClick={() => help.current?.showModal()}
          >
            ?
          </button>
          <LogOut />
          <a class="attribution soft" href="https://db-ip.com" rel="noreferrer">
            IP Geolocation by DB-IP
          </a>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        {children}
      </main>
      <Help dialog={help} />
    </>
  );
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M2 13h4l2.5-6 4 11 3-8 1.5 3h5" />
    </svg>
  );
}

function Live() {
  const state = useLiveState();
  const text = { connecting: 'connecting', live: 'live', away: 'not live' }[state];
  const title =
    state === 'away' ? 'The live connection is away; it is being tried again.' : 'What happens appears by itself.';
  return (
    <span class={`live ${state}`} role="status" title={title}>
      {text}
    </span>
  );
}

const themes = ['auto', 'light', 'dark'] as const;

function ThemeButton() {
  const [theme, setTheme] = useState(() => localStorage.getItem('gait-theme') ?? 'auto');
  useEffect(() => {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    localStorage.setItem('gait-theme', theme);
  }, [theme]);
  const next = themes[(themes.indexOf(theme as 'auto') + 1) % themes.length]!;
  return (
    <button
      type="button"
      class="plain"
      title={`Theme: ${theme}`}
      aria-label={`Theme: ${theme}; switch to ${next}`}
      onClick={() => setTheme(next)}
    >
      {{ auto: '◐', light: '○', dark: '●' }[theme]}
    </button>
  );
}

function LogOut() {
  const session = useSession();
  if (!session.needs_key) return null;
  const leave = (): void => void ask('/v1/session', { method: 'DELETE' }).then(() => location.reload());
  return (
    <button type="button" class="plain" title={`Signed in with the key ${session.caller}`} onClick={leave}>
      Sign out
    </button>
  );
}

const keyHelp: readonly (readonly [string, string])[] = [
  ['j  k', 'next and previous row'],
  ['Enter', 'open the row'],
  ['/', 'search'],
  ['Esc', 'back to the list, or leave a field'],
  ...Object.entries(goTo).map(([key, name]) => [`g ${key}`, `go to ${name}`] as const),
  ['?', 'this list'],
];

function Help({ dialog }: { readonly dialog: { current: HTMLDialogElement | null } }) {
  return (
    <dialog ref={dialog} aria-label="Keys">
      <h2>Keys</h2>
      <dl class="keys">
        {keyHelp.map(([key, text]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  );
}

/** Asked for once; the answer is a cookie that no script can read. */
export function LogIn({ onDone }: { readonly onDone: (session: Session) => void }) {
  const [trouble, setTrouble] = useState('');
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const key = String(new FormData(form).get('key')).trim();
    ask<Session>('/v1/session', { method: 'POST', key }).then(onDone, (error: Error) => {
      setTrouble(error.message);
      form.reset();
    });
  };
  return (
    <main class="login" id="main">
      <form onSubmit={submit}>
        <h1>
          <Mark /> Gait
        </h1>
        <label>
          API key with the role analyst or admin
          <input name="key" type="password" required autocomplete="current-password" />
        </label>
        <button type="submit" class="primary">
          Sign in
        </button>
        {trouble !== '' && (
          <p class="error" role="alert">
            {trouble}
          </p>
        )}
      </form>
    </main>
  );
}

export function NotFound() {
  return (
    <div class="page">
      <h1>There is no such page</h1>
      <p>
        <a href="/">To the beginning</a>
      </p>
    </div>
  );
}
