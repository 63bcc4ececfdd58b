import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeText, html } from '../../src/dashboard/html.ts';
import { renderStatusPage, type Status } from '../../src/dashboard/status-page.ts';
import { sampleFinding } from '../http/sample.ts';

/** What an attacker writes into a user name, a path or a user agent. */
const attacks = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title><svg/onload=alert(1)>',
  '<a href="javascript:alert(1)">x</a>',
  '<!--<img src="--><img src=x onerror=alert(1)//">',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '`onload=alert(1)',
  '\u0000<scr\u0000ipt>',
  ']]><script>alert(1)</script>',
  '<meta http-equiv="refresh" content="0;url=//evil.example">',
];

function status(changes: Partial<Status> = {}): Status {
  const numbers = { eventsIn: 12345, identities: 67, openFindings: 1, deadLetters: 0 };
  return { at: 1_700_000_000_000, ...numbers, mode: 'shadow', sample: false, findings: [], ...changes };
}

/** The page's markup alone; what stands in quotes is text. */
const tags = (page: string): readonly string[] =>
  (page.match(/<[a-z!/][^>]*>/gi) ?? []).map((tag) => tag.replace(/"[^"]*"/g, '""'));

test('no text of an event becomes markup, whichever field holds it', () => {
  const harmless = tags(renderStatusPage(status({ findings: [sampleFinding({ title: 'x' })] })));
  for (const attack of attacks) {
    const reason = { ...sampleFinding().reasons[0]!, text: attack };
    const fields = {
      title: attack,
      identity: `user:t:${attack}`,
      last_seen: attack,
      severity: attack,
      reasons: [reason],
    };
    const page = renderStatusPage(status({ findings: [sampleFinding(fields)] }));
    assert.deepEqual(tags(page), harmless, attack);
  }
});

test('a character that is not seen but changes what is seen is spelled out', () => {
  for (const char of [
    '\u202e',
    '\u200b',
    '\u0007',
    '\u2066',
    '\ufeff',
    '\u00ad',
    '\u{e0041}',
    '\ud800',
    '\u2028',
    '\u3164',
    '\n',
  ]) {
    assert.equal(escapeText(`a${char}b`), `a\\u{${char.codePointAt(0)!.toString(16)}}b`);
  }
  assert.equal(escapeText('Zoë 東京 🙂 100 %'), 'Zoë 東京 🙂 100 %');
});

test('values are text, only what html made is markup', () => {
  assert.equal(
    html`<p title="${'"'}">${'<b>'}${html`<i>${1}</i>`}</p>`.markup,
    '<p title="&quot;">&lt;b&gt;<i>1</i></p>',
  );
});

test('the page has no script and names no other site but the one that the licence of the address database asks for', () => {
  const attribution = '<a href="https://db-ip.com">IP Geolocation by DB-IP</a>';
  const parts = renderStatusPage(status({ findings: [sampleFinding()] })).split(attribution);
  assert.equal(parts.length, 2);
  const page = parts.join('');
  assert.doesNotMatch(page, /<script|javascript:|\son[a-z]+=|https?:/i);
});

test('the page says its mode, whether it plays the sample, and when the store is away', () => {
  assert.match(renderStatusPage(status()), /Shadow mode[\s\S]*12,345[\s\S]*None yet/);
  assert.match(renderStatusPage(status({ sample: true })), /bundled sample/);
  assert.match(renderStatusPage(status({ findings: undefined })), /store is away/);
  assert.match(renderStatusPage(status({ mode: 'enforce' })), /are sent to/);
});
