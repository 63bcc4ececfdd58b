import { Webhook } from 'standardwebhooks';
import type { EpochMs } from '../core/clock.ts';
import { GaitError } from '../core/errors.ts';
import { checkTarget, type PostRequest } from '../core/post.ts';
import type { Decision } from '../policy/decision.ts';

/**
 * Signal: a decision on its way to a machine. In: records of the topic gait.signals. Out: signed requests, and a receipt for each end.
 * Never true: a shadow decision leaves; an expired one is sent; a decision is given up while it is worth something.
 */
export type WebhookOptions = {
  readonly name: string;
  readonly url: string;
  /** `whsec_` and base64. Several while a secret is being replaced: each signs, and the receiver accepts any it knows. */
  readonly secrets: readonly string[];
  /** Permits http to another machine; the signature still protects the content from change, nothing protects it from being read. */
  readonly allowInsecure?: boolean;
};

export type SignedWebhook = {
  readonly name: string;
  /** The id is that of the decision's version: the same over all retries and restarts, for the receiver to drop repetitions by. */
  readonly request: (decision: Decision, now: EpochMs) => PostRequest;
};

/** Standard Webhooks 1.0.0 (standardwebhooks.com): HMAC-SHA-256 over `id.timestamp.body`. */
export function createWebhook({ name, url, secrets, allowInsecure }: WebhookOptions): SignedWebhook {
  checkTarget(url, allowInsecure);
  const sign = createSigner(name, secrets);
  return {
    name,
    request: (decision, now) => {
      const body = JSON.stringify({
        type: 'gait.decision.v1',
        timestamp: new Date(decision.updated_at).toISOString(),
        data: decision,
      });
      const id = `${decision.decision_id}-${decision.version}`;
      return {
        url,
        body,
        headers: { 'content-type': 'application/json', 'user-agent': 'gait', ...sign({ id, body, at: now }) },
      };
    },
  };
}

type Signed = { readonly id: string; readonly body: string; readonly at: EpochMs };

/** The headers of Standard Webhooks 1.0.0 for one try. Fails with CONFIG_INVALID, without the secret. */
export function createSigner(name: string, secrets: readonly string[]) {
  const signers = secrets.map((secret) => signer(name, secret));
  if (signers.length === 0) throw new GaitError('CONFIG_INVALID', `webhook ${name} has no secret`);
  return ({ id, body, at }: Signed) => ({
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at / 1000)),
    'webhook-signature': signers.map((key) => key.sign(id, new Date(at), body)).join(' '),
  });
}

function signer(name: string, secret: string): Webhook {
  try {
    return new Webhook(secret);
  } catch {
    throw new GaitError('CONFIG_INVALID', `webhook ${name}: a secret must be whsec_ followed by base64`);
  }
}
