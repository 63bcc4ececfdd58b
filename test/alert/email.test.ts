import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import type { AlertChannel, Letter } from '../../src/alert/channel.ts';
import { createEmail, type EmailOptions } from '../../src/alert/email.ts';
import { alertMessage } from '../../src/alert/message.ts';
import { start } from '../policy/a-finding.ts';
import { anIncident, findingRecord, messageFull } from './an-incident.ts';
import { attackerTexts } from './attacker-texts.ts';
import { certificate } from './certificate.ts';

type Mail = {
  readonly raw: string;
  readonly isSecure: boolean;
  readonly to: readonly string[];
  readonly user: string | undefined;
};

/** A real SMTP server with STARTTLS that wants a password, as a company's relay does. */
async function startSmtp(context: TestContext, onData?: () => Error | undefined) {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...certificate,
    onAuth: ({ username, password }, _session, done) =>
      password === 's3cret pass' ? done(null, { user: username }) : done(new Error('wrong password')),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        const refusal = onData?.();
        if (refusal === undefined)
          mails.push({
            raw: Buffer.concat(chunks).toString(),
            isSecure: session.secure,
            to,
            user: session.user as string | undefined,
          });
        done(refusal ?? null);
      });
    },
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, mails };
}

function anEmail(port: number, options: Partial<EmailOptions> = {}): AlertChannel {
  return createEmail({
    name: 'mail',
    host: 'localhost',
    port,
    security: 'starttls',
    ca: certificate.cert,
    username: 'gait',
    password: 's3cret pass',
    from: 'gait@example.com',
    to: ['soc@example.com', 'lead@example.com'],
    ...options,
  });
}

const never = new AbortController().signal;

function aLetter(text?: string, handle: string | null = null): Letter {
  const incident = anIncident(findingRecord());
  if (handle !== null) incident.told = { severity: 'medium', status: 'open', at: start, handle };
  const message = text === undefined ? alertMessage(incident) : messageFull(text);
  return { errand: { kind: 'post', id: 'inc_1:1', incident }, message, isRepeat: false };
}

/** Header lines with their continuations, as a mail program reads them. */
function headersOf({ raw }: Mail): readonly string[] {
  return raw
    .split('\r\n\r\n')[0]!
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
}

test('a message goes to all who want it, over TLS, with the name and password that the server asks for', async (context) => {
  const { port, mails } = await startSmtp(context);
  const sent = await anEmail(port).send(aLetter(), never);
  assert.deepEqual([sent.kind, sent.status], ['delivered', 250]);
  assert.deepEqual(
    [mails.length, mails[0]?.isSecure, mails[0]?.user, mails[0]?.to],
    [1, true, 'gait', ['soc@example.com', 'lead@example.com']],
  );
  assert.ok(
    headersOf(mails[0]!).includes('Subject: [Gait] HIGH: new context: called from a country never seen before'),
  );
  assert.ok(headersOf(mails[0]!).includes('Auto-Submitted: auto-generated'));
});

test('a repetition has the same Message-ID, and what got worse answers the first message', async (context) => {
  const { port, mails } = await startSmtp(context);
  const channel = anEmail(port);
  const { handle } = await channel.send(aLetter(), never);
  await channel.send(aLetter(), never);
  await channel.send(aLetter(undefined, handle ?? null), never);
  const of = (name: string) => mails.map((mail) => headersOf(mail).find((line) => line.startsWith(`${name}:`)));
  assert.equal(of('Message-ID')[0], `Message-ID: ${handle}`);
  assert.equal(of('Message-ID')[1], of('Message-ID')[0]);
  assert.deepEqual(of('In-Reply-To'), [undefined, undefined, `In-Reply-To: ${handle}`]);
});

test('nothing an attacker wrote becomes a header, a recipient, a second message or mark-up', async (context) => {
  const { port, mails } = await startSmtp(context);
  const channel = anEmail(port);
  const attacks = [
    ...attackerTexts,
    'x\r\nBcc: evil@example.com\r\n\r\nbody',
    'x\r\n.\r\nMAIL FROM:<a@b>',
    '=?utf-8?B?DQpCY2M6IGVAeA==?=',
    '"><script>alert(1)</script><img src=x onerror=alert(1)>',
  ];
  for (const attack of attacks) {
    assert.equal((await channel.send(aLetter(attack), never)).kind, 'delivered');
    const mail = mails.at(-1)!;
    assert.deepEqual(mail.to, ['soc@example.com', 'lead@example.com']);
    const names = headersOf(mail).map((line) => line.split(':')[0]);
    assert.deepEqual(
      new Set(names),
      new Set(['From', 'To', 'Subject', 'Message-ID', 'Date', 'MIME-Version', 'Auto-Submitted', 'Content-Type']),
    );
    assert.ok(
      mail.raw.split('\r\n').every((line) => line.length <= 998),
      'RFC 5322, 2.1.1',
    );
    const html = decoded(mail.raw);
    assert.deepEqual(html.match(/<(?!\/?(?:!doctype|meta|h2|p|table|tr|th|td|ul|li)\b)[^>]*>/g), null);
    assert.doesNotMatch(html, /https?:\/\//);
  }
  assert.equal(mails.length, attacks.length);
});

/** The HTML part, whatever encoding the library chose. */
function decoded(raw: string): string {
  const part = raw.slice(raw.indexOf('Content-Type: text/html'));
  const [head = '', ...rest] = part.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n').split('\r\n--')[0]!;
  if (/base64/i.test(head)) return Buffer.from(body, 'base64').toString();
  if (!/quoted-printable/i.test(head)) return body;
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}

test('without encryption nothing leaves: a server without STARTTLS, or with a certificate of nobody we know, gets no message', async (context) => {
  const { port, mails } = await startSmtp(context);
  assert.equal((await anEmail(port, { ca: undefined }).send(aLetter(), never)).kind, 'failed');
  const bare = new SMTPServer({
    hideSTARTTLS: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData: (stream, _session, done) => {
      mails.push({ raw: '', isSecure: false, to: [], user: undefined });
      stream.resume().on('end', () => done());
    },
  });
  bare.on('error', () => {});
  await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
  context.after(() => new Promise<void>((resolve) => bare.close(() => resolve())));
  const sent = await anEmail((bare.server.address() as AddressInfo).port, {
    username: undefined,
    password: undefined,
  }).send(aLetter(), never);
  assert.deepEqual([sent.kind, mails.length], ['failed', 0]);
});

test('a wrong password and a server that is away are tried again, a message that is refused is given up; no error holds the password', async (context) => {
  const refusals = [
    Object.assign(new Error('mailbox full'), { responseCode: 452 }),
    Object.assign(new Error('spam'), { responseCode: 554 }),
  ];
  const { port } = await startSmtp(context, () => refusals.shift());
  const wrong = await anEmail(port, { password: 'not s3cret' }).send(aLetter(), never);
  assert.deepEqual([wrong.kind, wrong.status], ['failed', 535]);
  assert.doesNotMatch(wrong.detail, /s3cret/);
  assert.equal((await anEmail(port).send(aLetter(), never)).kind, 'failed');
  const refused = await anEmail(port).send(aLetter(), never);
  assert.deepEqual([refused.kind, refused.status], ['rejected', 554]);
  assert.equal((await anEmail(1).send(aLetter(), never)).kind, 'failed');
});
