import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marked, type Token } from 'marked';
import { visible } from '../../src/core/visible.ts';
import type { IdentityKey } from '../../src/identity/resolved-event.ts';
import { incidentReport } from '../../src/role/incident-report.ts';
import { reportHtml, reportMarkdown } from '../../src/role/report-formats.ts';
import type { IncidentParts } from '../../src/store/queries-incidents.ts';
import { hostileTexts } from '../hostile/corpus.ts';

const at = '2026-01-05T12:00:00.000Z';

/** An incident all of whose texts are one text. */
function incidentOf(text: string): IncidentParts {
  const identity = text as IdentityKey;
  const event = {
    ts: at,
    identity,
    event_id: text,
    method: text,
    host: text,
    route: text,
    operation: text,
    status: 200,
  };
  const reason = {
    feature: 'x',
    observed: 1,
    expected: 1,
    low: null,
    high: null,
    share: 0.5,
    level: 'self',
    peer_group: text,
  };
  return {
    incident: {
      incident_id: 'inc_1',
      state: 'closed',
      severity: 'high',
      title: text,
      tenant: text,
      identities: [text],
      identity_count: 3,
      kinds: ['rate_spike'],
      finding_count: 1,
      open_count: 0,
      first_seen: at,
      last_seen: at,
      risk: 61.4,
      assignee: text,
    },
    findings: [
      {
        finding_id: 'fnd_1',
        kind: 'rate_spike',
        identity,
        severity: 'high',
        state: 'open',
        confidence: 0.5,
        first_seen: at,
        last_seen: at,
        count: 3,
        title: text,
        reasons: [{ ...reason, sample_size: 9, text }],
        owasp: ['API4:2023'],
        attack: ['T1499'],
      },
    ],
    decisions: [
      {
        decision_id: 'd',
        identity,
        action: 'step-up',
        mode: 'shadow',
        change: 'made',
        by: text,
        rule: text,
        why: text,
        made_at: at,
        updated_at: at,
        expires_at: at,
      },
    ],
    receipts: [{ decision_id: 'd', target: text, state: 'seen', attempts: 1, status: null, detail: text, at }],
    notes: [
      { note_id: 'n', at, who: text, kind: 'comment', text },
      { note_id: 'm', at, who: 'carla', kind: 'close', text },
    ],
    verdicts: [
      {
        verdict_id: 'v',
        finding_id: 'fnd_1',
        identity: text,
        verdict: 'true-positive',
        by: text,
        note: text,
        at,
        state: 'given',
      },
    ],
    events: [
      {
        ...event,
        client_ip: text,
        session_id: text,
        token_id: text,
        actor_kind: '',
        country: text,
        surprise: 4.2,
        risk: 1,
        top: [],
        findings: [],
      },
    ],
  } as unknown as IncidentParts;
}

test('a report tells what happened, why, what was done and what people said', () => {
  const report = incidentReport(incidentOf('zoe calls often'), at);
  const html = reportHtml(report);
  const markdown = reportMarkdown(report);
  for (const text of [
    'zoe calls often and 2 more',
    'step-up (shadow: not sent)',
    'zoe calls often: seen',
    'carla at',
    '50 % of the score',
    'T1499',
  ]) {
    assert.ok(html.includes(text), text);
  }
  assert.match(markdown, /^# Incident inc_1\n\n- \*\*What:\*\* zoe calls often\n/);
  assert.match(markdown, /\| When \| Who \| What \| About \| Why \| Ends \| Taken by \|\n\| --- \|/);
  const empty = { ...incidentOf('x'), findings: [], decisions: [], receipts: [], notes: [], verdicts: [], events: [] };
  assert.ok(reportHtml(incidentReport(empty, at)).includes('The calls are not kept any more.'));
});

test('whatever callers wrote, the HTML has the same elements and attributes as with plain words, no script and no address', () => {
  const skeleton = (html: string): readonly string[] => html.match(/<[^>]*>/g) ?? [];
  const plain = skeleton(reportHtml(incidentReport(incidentOf('word'), at)));
  assert.ok(plain.length > 100);
  for (const { text } of hostileTexts) {
    const html = reportHtml(incidentReport(incidentOf(text), at));
    assert.deepEqual(skeleton(html), plain, JSON.stringify(text.slice(0, 80)));
    assert.doesNotMatch(html, /(?!\n)[\p{Cc}\p{Cf}]/u);
  }
  assert.match(
    plain.join(''),
    /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-[^']+'; /,
  );
});

/** Kinds of tokens in order, texts put together. */
function shapeOf(tokens: readonly Token[]): string[] {
  return tokens.flatMap((token) => {
    if (token.type === 'text' && !('tokens' in token)) return [];
    if (token.type === 'escape' || token.type === 'space') return [];
    const inside = 'tokens' in token ? (token.tokens ?? []) : [];
    const items = 'items' in token ? (token.items as Token[]) : [];
    const cells =
      token.type === 'table'
        ? [...token.header, ...token.rows.flat()].flatMap((cell) => [{ ...cell, type: 'cell', raw: '' }])
        : [];
    return [token.type, ...shapeOf([...inside, ...items, ...cells] as Token[])];
  });
}

const more = [
  '[link](https://hostile.example)',
  '![image](https://hostile.example/p.gif)',
  '<https://hostile.example>',
  'https://hostile.example www.hostile.example a@hostile.example',
  'a | b | c',
  'a\n\n# heading\n\n- item\n\n| a |\n| - |',
  '    indented code',
  '```\nfence',
  '***bold*** _under_ ~~gone~~ `code` ``x',
  '1. one',
  '--- ',
  '===',
  '&lt;script&gt; &#x3c;',
  '[ref]: https://hostile.example',
  '\\',
  '\\|',
  '> quote',
  ':::: \t x',
  'a_b_c _d_ e__f__ - x -y- 1-2',
  '2023-07-10T10:00:00 1.2.3.4 www.1.2.hostile.example',
  '- [ ] task',
  '1) one',
  'a \'b\' "c" 50 %, d; e/f?',
];

test('whatever callers wrote, the Markdown has the same structure as with plain words, and reads as they wrote it', () => {
  const parse = (markdown: string): readonly string[] => shapeOf(marked.lexer(markdown, { gfm: true }));
  const plain = parse(reportMarkdown(incidentReport(incidentOf('word'), at)));
  assert.ok(plain.includes('table') && plain.includes('list') && plain.includes('heading'));
  assert.ok(parse('- x: [a](b), https://hostile.example').filter((kind) => kind === 'link').length === 2);
  for (const text of [...hostileTexts.map((each) => each.text), ...more]) {
    if (text.trim() === '') continue;
    const markdown = reportMarkdown(incidentReport(incidentOf(text), at));
    assert.deepEqual(parse(markdown), plain, JSON.stringify(text.slice(0, 80)));
    const heading = marked.lexer(markdown).find((token) => token.type === 'heading' && token.depth === 3);
    const shown = (heading as unknown as { tokens: { text: string }[] }).tokens.map((token) => token.text).join('');
    assert.equal(shown, visible(text.trim(), 4000).replace(/\s+$/, ''), JSON.stringify(text.slice(0, 80)));
  }
});
