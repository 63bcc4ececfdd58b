import { systemClock } from '../../core/clock.ts';
import type { ApiError } from './api.ts';
import type { ComponentChildren } from './preact.ts';
import { linkTo } from './router.ts';
import { ago, clockTime, identityName, kindName } from './words.ts';

/** The small things that every page is made of. */
export function Severity({ of }: { readonly of: string }) {
  return <span class={`pill severity ${of}`}>{of}</span>;
}

export function Kind({ of }: { readonly of: string }) {
  return <span class="tag">{kindName(of)}</span>;
}

export function Identity({ of }: { readonly of: string }) {
  const { kind, tenant, id } = identityName(of);
  return (
    <a class="identity" href={linkTo('identity', of)}>
      {kind !== '' && <span class="soft">{kind} </span>}
      <span class="id">{id}</span>
      {tenant !== '' && tenant !== '-' && <span class="soft"> · {tenant}</span>}
    </a>
  );
}

/** A name without a link, for rows that are links themselves. */
export function IdentityText({ of }: { readonly of: string }) {
  const { kind, id } = identityName(of);
  return (
    <span class="identity">
      <span class="soft">{kind} </span>
      <span class="id">{id}</span>
    </span>
  );
}

export function Time({ of, isExact = false }: { readonly of: string; readonly isExact?: boolean }) {
  return (
    <time dateTime={of} title={`${clockTime(of)} UTC`}>
      {isExact ? `${clockTime(of)} UTC` : ago(of, systemClock.now())}
    </time>
  );
}

type PanelProps = {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly class?: string;
};

export function Panel({ title, note, children, class: name = '' }: PanelProps) {
  return (
    <section class={`panel ${name}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {note !== undefined && <span class="soft note">{note}</span>}
      </header>
      {children}
    </section>
  );
}

export function Fact({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty soft">{children}</p>;
}

/** While an answer is awaited, and when it is an error. Shows nothing once there is data. */
export function Waiting({ error, what }: { readonly error: ApiError | undefined; readonly what: string }) {
  if (error === undefined) return <p class="empty soft">Loading {what}…</p>;
  const explained: Readonly<Record<number, string>> = {
    0: 'Gait does not answer. It is asked again when the connection is back.',
    403: 'The key of this session may not see this.',
    404: `There is no such thing as this ${what}, or it is not stored yet.`,
    503: 'The store is away or not used by this process. What is waiting in the log will appear.',
  };
  return (
    <p class="empty error" role="alert">
      {explained[error.status] ?? error.message}
    </p>
  );
}

/** A meter of 0 to 100, with its number. */
export function Risk({ of }: { readonly of: number }) {
  const value = Math.round(of);
  const level = value >= 70 ? 'high' : value >= 35 ? 'medium' : 'low';
  return (
    <span class="risk" title={`risk ${value} of 100`}>
      <svg viewBox="0 0 40 6" aria-hidden="true">
        <rect class="rail" width="40" height="6" rx="3" />
        <rect class={`fill ${level}`} width={Math.max(2, (value / 100) * 40)} height="6" rx="3" />
      </svg>
      <span class="number">{value}</span>
    </span>
  );
}

export function DecisionBadge({ action, mode }: { readonly action: string; readonly mode: string }) {
  return (
    <span class={`tag action ${mode}`} title={mode === 'shadow' ? 'Shadow mode: decided and shown, not sent' : 'Sent'}>
      {mode === 'shadow' ? `would ${action}` : action}
    </span>
  );
}
