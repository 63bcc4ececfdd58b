import { createTransport } from 'nodemailer';
import { describeError } from '../core/errors.ts';
import { derivedId } from '../core/hash.ts';
import { escapeHtml } from '../core/html.ts';
import { visible } from '../core/visible.ts';
import type { AlertChannel, Sent } from './channel.ts';
import type { AlertMessage } from './message.ts';

export type EmailOptions = {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** `starttls`: no message leaves before the connection is encrypted; `tls`: it is from the start; `none`: to this machine only. */
  readonly security: 'starttls' | 'tls' | 'none';
  /** A PEM of authorities in place of the system's. */
  readonly ca?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
};

const timeoutMs = 10_000;

/**
 * SMTP (RFC 5321) with STARTTLS (RFC 3207). A message's id is derived from the alert's, so a repetition has the same and mail systems that
 * drop repetitions can; what becomes worse answers the first message, and so stands in its thread. Texts of traffic stand in the subject
 * and the bodies only, without line ends, and the library encodes them; addresses come from the configuration.
 */
export function createEmail(options: EmailOptions): AlertChannel {
  const { name, host, port, security, ca, username, password, from, to } = options;
  const transport = createTransport({
    host,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    tls: { minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) },
    ...(username !== undefined && { auth: { user: username, pass: password ?? '' } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    name,
    tells: 'rises',
    send: async (letter, signal) => {
      const { errand, message } = letter;
      const messageId = `<${derivedId('alert', [name, errand.id])}@gait>`;
      const first = errand.kind === 'summary' ? null : (errand.incident.told?.handle ?? null);
      try {
        await transport.sendMail({
          from,
          to: [...to],
          subject: subjectOf(message),
          text: textOf(message),
          html: htmlOf(message),
          messageId,
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal,
          ...(first !== null && { inReplyTo: first, references: [first] }),
        });
        const sent: Sent = { kind: 'delivered', status: 250, detail: 'accepted', retryAfterMs: null };
        return errand.kind === 'summary' ? sent : { ...sent, handle: first ?? messageId };
      } catch (error) {
        return failureOf(error);
      }
    },
  };
}

/** 5xx to the message itself is for good; everything else (away, busy, not allowed in) may be another time. */
function failureOf(error: unknown): Sent {
  const { code, responseCode, command } = error as { code?: string; responseCode?: number; command?: string };
  const isRefused = (code === 'EMESSAGE' || command === 'DATA') && (responseCode ?? 500) >= 500;
  const status = responseCode ?? null;
  // What the server says may repeat the name that was tried, never the password.
  const detail = visible(`${code ?? 'ERROR'} ${describeError(error)}`, 120);
  return { kind: isRefused ? 'rejected' : 'failed', status, detail, retryAfterMs: null };
}

/** One line. `visible` spells out what could end it, and RFC 5322 folds it at spaces. */
function subjectOf({ headline, title }: AlertMessage): string {
  return visible(`[Gait] ${headline}: ${title}`, 150);
}

function textOf({ headline, title, facts, reasons, notes }: AlertMessage): string {
  const lines = [
    headline,
    title,
    '',
    ...facts.map(({ label, value }) => `${label}: ${value}`),
    '',
    ...reasons.map((reason) => `* ${reason}`),
    '',
    ...notes,
  ];
  return lines.map((line) => visible(line, 500)).join('\r\n');
}

function htmlOf({ headline, title, facts, reasons, notes }: AlertMessage): string {
  const rows = facts.map(({ label, value }) => `<tr><th align="left">${html(label)}</th><td>${html(value)}</td></tr>`);
  const items = reasons.map((reason) => `<li>${html(reason)}</li>`);
  const rest = notes.map((note) => `<p>${html(note)}</p>`);
  return `<!doctype html><meta charset="utf-8"><h2>${html(headline)}</h2><p>${html(title)}</p><table>${rows.join('')}</table><ul>${items.join('')}</ul>${rest.join('')}`;
}

/** Mail programs turn addresses into links by themselves: they are broken up. */
function html(text: string): string {
  return escapeHtml(visible(text, 500)).replaceAll('://', ':&#8203;//');
}
