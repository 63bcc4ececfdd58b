import { isFromSlack, readSlackAction } from '../alert/slack-action.ts';
import type { Config } from '../config/config.ts';
import type { Audit } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { derivedId } from '../core/hash.ts';
import type { VerdictWord } from '../core/words.ts';
import { type Suppression, taughtBy } from '../finding/suppression.ts';
import { effectOf, verdictIdOf } from '../finding/verdict.ts';
import type { HttpParts } from '../http/parts.ts';
import { identityParts } from '../identity/identity-key.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import type { Log } from '../log/log.ts';
import type { FindingRow } from '../store/queries.ts';
import type { Tell } from './notices.ts';

export type SlackActionsOptions = {
  readonly config: Config;
  readonly log: Log;
  readonly tell: Tell;
  readonly audit: Audit;
  readonly clock: Clock;
  /** From the store, where there is one. */
  readonly finding?: ((id: string) => Promise<FindingRow | undefined>) | undefined;
};

const reason = 'verdict given in Slack';
/** As at the API. */
const teachesMs = 90 * 86_400_000;

/** Verdicts that people give by a button below an alert. Undefined when no channel has buttons. */
export function createSlackActions(options: SlackActionsOptions): HttpParts['slackAction'] {
  const { config, log, tell, audit, clock } = options;
  const bots = config.alerts.channels.flatMap((channel) => {
    if (channel.kind !== 'slack-bot' || channel.signingSecret === undefined) return [];
    return [{ name: channel.name, secret: channel.signingSecret.reveal(), analysts: channel.analysts }];
  });
  if (bots.length === 0) return undefined;
  return async (request, from) => {
    const now = clock.now();
    const signedBy = bots.filter(({ secret }) => isFromSlack(request, secret, now));
    if (signedBy.length === 0) return 'unsigned';
    const action = readSlackAction(request.body);
    if (action === undefined || identityParts(action.identity) === null) return 'taken';
    const { incident, identity, findingIds, verdict, user, id } = action;
    // One app may post to several channels: it signs for all of them.
    const bot = signedBy.find(({ analysts }) => analysts === undefined || analysts.includes(user.id));
    const who = `slack:${user.id}`;
    if (bot === undefined) return 'forbidden';
    const detail = JSON.stringify({
      channel: bot.name,
      name: user.name.slice(0, 100),
      incident,
      finding_ids: findingIds,
    });
    await audit({ who, from, action: `verdict.${verdict}`, about: identity, detail });
    const said = {
      notice: 'verdict',
      verdict,
      identity: identity as IdentityKey,
      session_id: null,
      at: now,
      by: who,
    } as const;
    const taught = await teachers(options, { findingIds, verdict, who, until: now + teachesMs });
    await tell(
      findingIds.map((finding_id) => {
        const notice_id = derivedId('ntc', ['slack', id, user.id, finding_id, verdict]);
        const suppression = taught.get(finding_id)?.(verdictIdOf(notice_id)) ?? null;
        return { ...said, notice_id, finding_id, reason, suppression };
      }),
    );
    const told = { incident_id: incident, finding_ids: findingIds, verdict, by: user.name.slice(0, 100), at: now };
    await log.append(config.topics.alerts, [{ value: JSON.stringify({ kind: 'verdict', verdict: told }) }]);
    return 'taken';
  };
}

/** By finding, what its verdict teaches, once the verdict has an id. A finding that is not stored yet is only silenced. */
async function teachers(
  { finding }: SlackActionsOptions,
  of: { findingIds: readonly string[]; verdict: VerdictWord; who: string; until: number },
): Promise<ReadonlyMap<string, (verdictId: string) => Suppression>> {
  if (finding === undefined || effectOf(of.verdict) !== 'teaches') return new Map();
  const rows = await Promise.all(of.findingIds.map((id) => finding(id).catch(() => undefined)));
  const said = { scope: 'identity', route: null, owner: of.who, reason, until: of.until } as const;
  return new Map(
    rows.flatMap((row) =>
      row === undefined
        ? []
        : [[row.finding_id, (verdict_id: string) => taughtBy({ ...said, verdict_id }, row)] as const],
    ),
  );
}
