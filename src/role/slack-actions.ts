import { isFromSlack, readSlackAction } from '../alert/slack-action.ts';
import type { Config } from '../config/config.ts';
import type { Audit } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { derivedId } from '../core/hash.ts';
import type { HttpParts } from '../http/parts.ts';
import { identityParts } from '../identity/identity-key.ts';
import type { IdentityKey } from '../identity/resolved-event.ts';
import type { Log } from '../log/log.ts';
import type { Tell } from './notices.ts';

export type SlackActionsOptions = {
  readonly config: Config;
  readonly log: Log;
  readonly tell: Tell;
  readonly audit: Audit;
  readonly clock: Clock;
};

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
    await tell(
      findingIds.map((finding_id) => {
        const notice_id = derivedId('ntc', ['slack', id, user.id, finding_id, verdict]);
        return { ...said, notice_id, finding_id, reason: 'verdict given in Slack', suppression: null };
      }),
    );
    const told = { incident_id: incident, verdict, by: user.name.slice(0, 100), at: now };
    await log.append(config.topics.alerts, [{ value: JSON.stringify({ kind: 'verdict', verdict: told }) }]);
    return 'taken';
  };
}
