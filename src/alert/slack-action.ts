import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { EpochMs } from '../core/clock.ts';

/** A person pressed a button below a message of ours. Everything in it but the buttons' own values was written by Slack. */
export type SlackAction = {
  readonly incident: string;
  readonly identity: string;
  readonly findingIds: readonly string[];
  readonly verdict: 'true-positive' | 'false-positive';
  readonly user: { readonly id: string; readonly name: string };
  /** Slack's id of this press: the same when Slack sends it again. */
  readonly id: string;
};

export type SlackRequest = { readonly timestamp: string; readonly signature: string; readonly body: Buffer };

/** Slack recommends five minutes: what is older may be a recording played again. */
const ageMaxMs = 300_000;

/**
 * Whether Slack sent it (docs.slack.dev, "Verifying requests from Slack"): HMAC-SHA-256 over `v0:timestamp:body`. Digests of both are
 * compared, so that time tells nothing about how much was right, whatever the length.
 */
export function isFromSlack({ timestamp, signature, body }: SlackRequest, secret: string, now: EpochMs): boolean {
  const expected = createHmac('sha256', secret).update(`v0:${timestamp}:`).update(body).digest('hex');
  const isSigned = timingSafeEqual(sha256(`v0=${expected}`), sha256(signature));
  const isTimely = /^\d{1,12}$/.test(timestamp) && Math.abs(now - Number(timestamp) * 1000) <= ageMaxMs;
  return isSigned && isTimely;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Undefined for what Slack sends and is none of our buttons. */
export function readSlackAction(body: Buffer): SlackAction | undefined {
  try {
    const payload = JSON.parse(new URLSearchParams(body.toString('utf8')).get('payload') ?? '') as {
      readonly type?: string;
      readonly user?: { readonly id?: string; readonly username?: string; readonly name?: string };
      readonly actions?: readonly {
        readonly action_id?: string;
        readonly action_ts?: string;
        readonly value?: string;
      }[];
    };
    const { user } = payload;
    const action = payload.actions?.[0];
    const verdict = /^gait_verdict_(true-positive|false-positive)$/.exec(action?.action_id ?? '')?.[1];
    const value = JSON.parse(action?.value ?? '') as {
      readonly incident?: string;
      readonly identity?: string;
      readonly findings?: readonly string[];
    };
    const isWhole =
      payload.type === 'block_actions' &&
      verdict !== undefined &&
      typeof user?.id === 'string' &&
      typeof value.incident === 'string' &&
      typeof value.identity === 'string' &&
      Array.isArray(value.findings) &&
      value.findings.every((id) => /^[\w-]{1,100}$/.test(id));
    if (!isWhole) return undefined;
    return {
      incident: value.incident!,
      identity: value.identity!,
      findingIds: value.findings!,
      verdict: verdict as SlackAction['verdict'],
      user: { id: user!.id!, name: String(user!.username ?? user!.name ?? user!.id) },
      id: String(action?.action_ts ?? ''),
    };
  } catch {
    return undefined;
  }
}
