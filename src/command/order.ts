import { GaitError } from '../core/errors.ts';
import { createApiClient, segment } from './api-client.ts';
import { type AskOptions, print } from './ask.ts';
import { shown } from './table.ts';

export type DecideOptions = AskOptions & {
  readonly reason: string;
  readonly ttl?: string | undefined;
  readonly session?: string | undefined;
  readonly token?: string | undefined;
  readonly shadow?: boolean | undefined;
  readonly identity?: string | undefined;
};

export type VerdictOptions = AskOptions & {
  readonly scope?: string | undefined;
  readonly expires?: string | undefined;
  readonly note?: string | undefined;
};

type Said = Readonly<Record<string, unknown>>;

/** `gait decide IDENTITY ACTION`, and `gait decide DECISION restore`, which ends one. */
export async function decide(about: string, action: string, options: DecideOptions): Promise<void> {
  const { reason, ttl, session, token, shadow } = options;
  const api = createApiClient(options);
  if (action === 'restore') {
    if (ttl !== undefined || session !== undefined || token !== undefined || shadow) {
      throw new GaitError(
        'USAGE',
        'restore takes a decision and a reason; --ttl, --session, --token and --shadow belong to a new one',
      );
    }
    const body = { reason, ...(options.identity && { identity: options.identity }) };
    const ended = (await api.send('POST', `/v1/decisions/${segment(about)}/restore`, body)) as Said;
    return print(options, ended, () => `${shown(ended.decision_id)} ends\n`);
  }
  if (ttl === undefined) throw new GaitError('USAGE', '--ttl: how long it holds is needed, as 15m, 2h or 7d');
  const only = { ...(session && { session }), ...(token && { token }) };
  const body = { identity: about, action, ttl, reason, ...only, ...(shadow && { mode: 'shadow' }) };
  const made = (await api.send('POST', '/v1/decisions', body)) as Said;
  print(options, made, (width) =>
    width === undefined
      ? `${shown(made.decision_id)}\n`
      : `${shown(made.decision_id)}: ${action} of ${shown(about)} for ${shown(ttl)}\n`,
  );
}

/** `gait verdict FINDING WORD`, and `gait verdict VERDICT undo`. */
export async function verdict(about: string, word: string, options: VerdictOptions): Promise<void> {
  const { scope, expires, note } = options;
  const api = createApiClient(options);
  if (word === 'undo') {
    const undone = await api.send('DELETE', `/v1/verdicts/${segment(about)}`);
    return print(options, undone ?? { verdict_id: about }, () => `${shown(about)} is undone\n`);
  }
  const body = { verdict: word, ...(scope && { scope }), ...(expires && { expires }), ...(note && { note }) };
  const said = (await api.send('POST', `/v1/findings/${segment(about)}/verdict`, body)) as Said;
  print(options, said, (width) => {
    if (width === undefined) return `${shown(said.verdict_id)}\n`;
    const closes = Number(said.closes ?? 0);
    return `${shown(said.verdict_id)}: ${shown(about)} is ${shown(word)}; ${closes} open ${closes === 1 ? 'finding is' : 'findings are'} closed by it\n`;
  });
}
