import { type EpochMs, isTime } from '../core/clock.ts';
import { type CourierOptions, createCourier, type Settled } from '../core/courier.ts';
import type { PostRequest } from '../core/post.ts';
import type { Decision, Receipt } from '../policy/decision.ts';

/** A signed webhook, or an action. */
export type SignalTarget = {
  readonly name: string;
  /** Undefined: the decision is nothing for it. `lacks`: it would be, but something is not there; the receipt says so. */
  readonly request: (decision: Decision, now: EpochMs) => PostRequest | { readonly lacks: string } | undefined;
};

export type SignalDeliveryOptions = Omit<CourierOptions, 'target'> & {
  readonly webhook: SignalTarget;
  /** A decision made longer ago than this is not sent: after an outage nobody is locked out for what happened before it. */
  readonly staleAfterMs: number;
  /**
   * Whether the decision was delivered to it before. For a target that is told of makings only: while it was away compaction may have left nothing
   * but the extension, which is then the first that it hears.
   */
  readonly wasDelivered?: (decisionId: string) => Promise<boolean>;
  /** Called once per end; the next decision waits until the receipt is durable. */
  readonly onReceipt: (receipt: Receipt) => Promise<void>;
};

/** What this needs of a log batch. */
export type SignalBatch = { readonly records: readonly { readonly value: Buffer | null }[] };

/**
 * The handler of one webhook's consumer group over gait.signals. Each webhook has its own group, so one that is away holds back its
 * own deliveries only. Each version of a decision is tried until it is taken, refused, expired, stale or taken back; shadow decisions leave no trace.
 */
export function createSignalDelivery(options: SignalDeliveryOptions): (batch: SignalBatch) => Promise<void> {
  const { webhook, staleAfterMs, onReceipt, clock } = options;
  const courier = createCourier({ ...options, target: webhook.name });
  const asMade = async (decision: Decision): Promise<Decision> => {
    const made: Decision = { ...decision, change: 'made' };
    const isNews =
      decision.change === 'extended' &&
      options.wasDelivered !== undefined &&
      webhook.request(made, made.updated_at) !== undefined &&
      !(await options.wasDelivered(decision.decision_id));
    return isNews ? made : decision;
  };
  return async ({ records }) => {
    const decisions = records.flatMap(({ value }) => (value === null ? [] : (readDecision(value) ?? [])));
    const over = new Set(decisions.filter(({ action }) => action === 'restore').map(({ decision_id }) => decision_id));
    for (const said of decisions) {
      // Who holds it knows when it ends.
      if (said.mode !== 'enforce' || said.change === 'expired') continue;
      const decision = await asMade(said);
      const first = webhook.request(decision, decision.updated_at);
      if (first === undefined) continue;
      const { decision_id, version, action } = decision;
      const note = (end: Settled): Promise<void> => onReceipt({ decision_id, target: webhook.name, ...end });
      const untried = { attempts: 0, status: null, at: clock.now() };
      if ('lacks' in first) {
        await note({ ...untried, state: 'failed', detail: first.lacks });
      } else if (action !== 'restore' && over.has(decision_id)) {
        await note({ ...untried, state: 'skipped-stale', detail: 'taken back before it was sent' });
      } else {
        const deadline = Math.min(decision.expires_at, decision.updated_at + staleAfterMs);
        const request = (now: number): PostRequest => webhook.request(decision, now) as PostRequest;
        await courier.carry({ id: `${decision_id}-${version}`, deadline, request }, note);
      }
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
