import { type Html, html } from './html.ts';

/**
 * Dashboard: one plain page. In: a snapshot of what is known. Out: an HTML document that works without script, at any width, in light and dark.
 * Never true: a field of an event that reaches the page other than as escaped text.
 */
export type Status = {
  /** When the snapshot was taken, milliseconds since 1970. */
  readonly at: number;
  readonly eventsIn: number;
  readonly identities: number;
  readonly openFindings: number;
  readonly deadLetters: number;
  /** `shadow`: decisions are made and shown, not sent. */
  readonly mode: 'shadow' | 'enforce';
  /** The bundled recording is being played. */
  readonly sample: boolean;
  /** Newest first. Undefined while the store is away: the page then says so instead of looking calm. */
  readonly findings: readonly ShownFinding[] | undefined;
};

/** A row of the findings' table; times as ISO 8601 in UTC. */
export type ShownFinding = {
  readonly kind: string;
  readonly identity: string;
  readonly state: string;
  readonly severity: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly count: number;
  readonly risk: number;
  readonly title: string;
  /** Each with a `text`. */
  readonly reasons: readonly unknown[];
};

const refreshSeconds = 5;
const reasonsShown = 3;

export function renderStatusPage(status: Status): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${refreshSeconds}">
<title>Gait: ${status.openFindings} open findings</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<header>
<h1>Gait</h1>
<p class="note">${
    status.mode === 'shadow'
      ? 'Shadow mode: decisions are made and shown, nothing is enforced.'
      : 'Decisions are sent to the enforcement points.'
  } As of ${time(new Date(status.at).toISOString())}.</p>
${status.sample ? html`<p class="note">This is the bundled sample: recorded traffic, not yours.</p>` : ''}
</header>
<main>
<dl>
${fact('events in', status.eventsIn)}
${fact('identities', status.identities)}
${fact('open findings', status.openFindings)}
${fact('dead letters', status.deadLetters)}
</dl>
<h2>Latest findings</h2>
${findings(status.findings)}
</main>
<footer class="note"><p><a href="/openapi.json">OpenAPI document</a> · <a href="/readyz">state of the parts</a> · <a href="/metrics">metrics</a> · <a href="https://db-ip.com">IP Geolocation by DB-IP</a></p></footer>
</body>
</html>
`;
  return page.markup;
}

function findings(list: Status['findings']): Html {
  if (list === undefined)
    return html`<p>The store is away, so findings cannot be listed now. They are kept in the log and will appear.</p>`;
  if (list.length === 0) return html`<p>None yet.</p>`;
  return html`<ol>${list.map(item)}</ol>`;
}

function item(finding: ShownFinding): Html {
  const reasons = finding.reasons.slice(0, reasonsShown).map((reason) => html`<p>${textOf(reason)}</p>`);
  return html`
<li>
<p class="title"><span class="severity ${finding.severity}">${finding.severity}</span> ${finding.title}</p>
${reasons}
<p class="facts">${finding.identity} · ${finding.kind} · ${finding.state} · ${finding.count} events · ${time(finding.first_seen)} to ${time(finding.last_seen)} · risk ${Math.round(finding.risk)}</p>
</li>`;
}

function fact(name: string, value: number): Html {
  return html`<div><dt>${name}</dt><dd>${value.toLocaleString('en')}</dd></div>`;
}

function textOf(reason: unknown): string {
  return typeof reason === 'object' && reason !== null && 'text' in reason ? String(reason.text) : '';
}

/** To the second: the reader compares it with logs. */
function time(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace('T', ' ')} UTC</time>`;
}
