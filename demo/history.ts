/**
 * A week of a small shop as nginx would have logged them, for Gait to learn from before the story begins: a hundred people, one of them the
 * one whom the token will be stolen from. Made up, the same for the same seed; everything after it in the demonstration is real.
 */
export type Person = { readonly subject: string; readonly address: string; readonly agent: string };

const agents = [
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/604.1',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0',
];
const people = 100;
const days = 7;
const daySeconds = 86_400;

export const owner = { address: '127.20.0.5', agent: agents[0] ?? '' };

/** Log lines in order of time, the last one some minutes before `nowMs`. */
export function writeHistory(subject: string, nowMs: number): string {
  const dice = seeded(7);
  const lines: { readonly at: number; readonly line: string }[] = [];
  const now = nowMs / 1000;
  for (let k = 0; k < people; k++) {
    const person = {
      subject: k === 0 ? subject : `person-${k}`,
      address: k === 0 ? owner.address : `127.${20 + k}.0.5`,
      agent: agents[k % agents.length] ?? '',
    };
    for (let d = days; d >= 1; d--) {
      const sessions = 1 + Math.floor(dice() * 3);
      for (let s = 0; s < sessions; s++) addSession(now - d * daySeconds + (dice() - 0.5) * 14_400, k, person);
    }
    if (k % 2 === 1) addSession(now - 3000 + dice() * 1000, k, person);
  }
  return lines
    .sort((a, b) => a.at - b.at)
    .map(({ line }) => `${line}\n`)
    .join('');

  function addSession(start: number, k: number, person: Person): void {
    const session = `${k}-${Math.floor(start)}`;
    let at = start;
    for (let calls = 8 + Math.floor(dice() * 15); calls > 0; calls--) {
      lines.push({ at, line: logLine(at, { person, session, path: choosePath(k, dice), id: lines.length }) });
      at += 2 + dice() * 40;
    }
  }
}

/** What people of this shop call; their orders are their own. */
export function choosePath(k: number, dice: () => number): string {
  const what = dice();
  if (what < 0.35) return `/catalog?page=${Math.floor(dice() * 9)}`;
  if (what < 0.6) return '/orders';
  if (what < 0.85) return `/orders/${1000 + k * 20 + Math.floor(dice() * 12)}`;
  return what < 0.95 ? '/profile' : '/cart';
}

function logLine(
  at: number,
  of: { readonly person: Person; readonly session: string; readonly path: string; readonly id: number },
): string {
  return JSON.stringify({
    ts: at.toFixed(3),
    request_id: `history-${of.id}`,
    remote_addr: of.person.address,
    method: 'GET',
    host: 'shop.example',
    uri: of.path,
    status: '200',
    request_length: '1420',
    bytes_sent: '1700',
    request_time: '0.012',
    http_user_agent: of.person.agent,
    jwt_sub: of.person.subject,
    jwt_sid: of.session,
    jwt_jti: `${of.session}-token`,
    jwt_client_id: 'shop-web',
  });
}

/** Park and Miller's generator: enough for a history, and the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
