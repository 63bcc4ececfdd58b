import { isTime } from '../core/clock.ts';
import { type CourierOptions, createCourier, type Settled } from '../core/courier.ts';
import type { PostRequest } from '../core/post.ts';
import type { Decision, Receipt } from '../policy/decision.ts';

export type SignalDeliveryOptions = Omit<CourierOptions, 'target'> & {
  /** A signed webhook, or an action; without a request the decision is passed over, with a receipt if it was lacking something. */
  readonly webhook: {
    readonly name: string;
    readonly request: (decision: Decision, now: number) => PostRequest | undefined;
    readonly lack?: (decision: Decision) => string | undefined;
  };
  /** A decision made longer ago than this is not sent: after an outage nobody is locked out for what happened before it. */
  readonly staleAfterMs: number;
  /** Called once per end; the next decision waits until the receipt is durable. */
  readonly onReceipt: (receipt: Receipt) => Promise<void>;
};

/** What this needs of a log batch. */
export type SignalBatch = { readonly records: readonly { readonly value: Buffer | null }[] };

/**
 * The handler of one webhook's consumer group over gait.signals. Each webhook has its own group, so one that is away holds back its
 * own deliveries only. Each version of a decision is tried until it is taken, refused, expired or stale; shadow decisions leave no trace.
 */
export function createSignalDelivery(options: SignalDeliveryOptions): (batch: SignalBatch) => Promise<void> {
  const { webhook, staleAfterMs, onReceipt, clock } = options;
  const courier = createCourier({ ...options, target: webhook.name });
  return async ({ records }) => {
    for (const { value } of records) {
      const decision = value === null ? undefined : readDecision(value);
      if (decision?.mode !== 'enforce') continue;
      const { decision_id, version } = decision;
      const note = (end: Settled): Promise<void> => onReceipt({ decision_id, target: webhook.name, ...end });
      const first = webhook.request(decision, decision.updated_at);
      const lack = webhook.lack?.(decision);
      if (lack !== undefined) {
        const detail = `the decision has no ${lack} to put in`;
        await note({ state: 'failed', attempts: 0, status: null, detail, at: clock.now() });
      }
      if (first === undefined) continue;
      const parcel = {
        id: `${decision_id}-${version}`,
        deadline: Math.min(decision.expires_at, decision.updated_at + staleAfterMs),
        request: (now: number) => webhook.request(decision, now) ?? first,
      };
      await courier.carry(parcel, note);
    }
  };
}

/** The topic is ours, but a topic can be written to by others: what is no decision is passed over, and never stops the stream. */
export function readDecision(value: Buffer): Decision | undefined {
  try {
    const decision = JSON.parse(value.toString('utf8')) as Partial<Decision> | null;
    const named = /^[\w-]{1,100}$/.test(decision?.decision_id ?? '') && Number.isSafeInteger(decision?.version);
    return named && isTime(decision?.updated_at) && isTime(decision?.expires_at) ? (decision as Decision) : undefined;
  } catch {
    return undefined;
  }
}
