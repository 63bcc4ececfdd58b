import { isTime } from '../core/clock.ts';
import { type CourierOptions, createCourier, type Settled } from '../core/courier.ts';
import type { PostRequest } from '../core/post.ts';
import { type Finding, type Severity, severities } from '../finding/finding.ts';
import { type AlertMessage, alertMessage } from './message.ts';

/** What became of the alert about a finding at one channel. */
export type AlertReceipt = Settled & {
  readonly finding_id: string;
  readonly severity: Severity;
  readonly target: string;
};

export type AlertDeliveryOptions = Omit<CourierOptions, 'target'> & {
  readonly channel: { readonly name: string; readonly request: (message: AlertMessage) => PostRequest };
  readonly severityMin: Severity;
  /** A finding last seen longer ago than this is history: it is in the store, nobody is woken for it. */
  readonly staleAfterMs: number;
  /** Called once per end; the next alert waits until the receipt is durable. */
  readonly onReceipt: (receipt: AlertReceipt) => Promise<void>;
};

/** What this needs of a log batch. */
export type AlertBatch = { readonly records: readonly { readonly value: Buffer | null }[] };

export type AlertDelivery = {
  readonly onBatch: (batch: AlertBatch) => Promise<void>;
  /** Tells of an alert of an earlier run, so that a restart repeats none. */
  readonly remember: (receipt: Pick<AlertReceipt, 'finding_id' | 'severity'>) => void;
};

/** Findings whose alerted severity is remembered; one forgotten is alerted once more if it is still being updated. */
const rememberedMax = 50_000;

/**
 * The handler of one channel's consumer group over gait.findings: a finding is told when it opens and when its severity rises, and not
 * for its other updates. A channel that is away holds back only itself, until a finding is too old to wake anybody for.
 */
export function createAlertDelivery(options: AlertDeliveryOptions): AlertDelivery {
  const { channel, severityMin, staleAfterMs, onReceipt } = options;
  const courier = createCourier({ ...options, target: channel.name });
  const alerted = new Map<string, Severity>();

  const remember: AlertDelivery['remember'] = ({ finding_id, severity }) => {
    const before = alerted.get(finding_id);
    alerted.delete(finding_id);
    alerted.set(finding_id, before !== undefined && rank(before) > rank(severity) ? before : severity);
    if (alerted.size > rememberedMax) alerted.delete(alerted.keys().next().value ?? '');
  };

  const onBatch = async ({ records }: AlertBatch): Promise<void> => {
    for (const { value } of records) {
      const finding = value === null ? undefined : readFinding(value);
      if (finding?.state !== 'open' || rank(finding.severity) < rank(severityMin)) continue;
      const { finding_id, severity, last_seen } = finding;
      const before = alerted.get(finding_id);
      if (before !== undefined && rank(before) >= rank(severity)) continue;
      const parcel = {
        id: `${finding_id}:${severity}`,
        deadline: last_seen + staleAfterMs,
        request: () => channel.request(alertMessage(finding, before)),
      };
      await courier.carry(parcel, (settled) => onReceipt({ finding_id, severity, target: channel.name, ...settled }));
      remember({ finding_id, severity });
    }
  };
  return { onBatch, remember };
}

function rank(severity: Severity): number {
  return severities.indexOf(severity);
}

/** The topic is ours, but a topic can be written to by others: what is no finding is passed over, and never stops the stream. */
function readFinding(value: Buffer): Finding | undefined {
  try {
    const finding = JSON.parse(value.toString('utf8')) as Partial<Finding> | null;
    const texts = [finding?.finding_id, finding?.incident_id, finding?.identity, finding?.kind, finding?.title];
    const whole = texts.every((text) => typeof text === 'string') && Array.isArray(finding?.reasons);
    return whole && [finding?.first_seen, finding?.last_seen].every(isTime) ? (finding as Finding) : undefined;
  } catch {
    return undefined;
  }
}
