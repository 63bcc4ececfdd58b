import { type Severity, severities } from '../core/words.ts';
import type { Finding } from '../finding/finding.ts';
import type { Consumption, Log, LogRecord } from '../log/log.ts';

export type AnnounceOptions = {
  readonly log: Log;
  readonly group: string;
  readonly topics: { readonly findings: string; readonly alertReceipts: string };
  readonly tell: (finding: Finding) => void;
};

const target = 'console';
type Receipt = { readonly finding_id: string; readonly severity: Severity; readonly target: string };

/** Findings whose told severity is remembered; one forgotten is told once more if it is still being updated. */
const rememberedMax = 50_000;

/**
 * Tells a person at a terminal of each finding when it opens and when it gets worse, once over all runs. It is noted before it is told:
 * a crash in between costs a line on a screen, which the store still has, and a restart repeats none.
 */
export async function announce({ log, group, topics, tell }: AnnounceOptions): Promise<Consumption> {
  const told = new Map<string, Severity>();
  const remember = ({ finding_id, severity }: Pick<Receipt, 'finding_id' | 'severity'>): void => {
    told.delete(finding_id);
    told.set(finding_id, severity);
    if (told.size > rememberedMax) told.delete(told.keys().next().value ?? '');
  };
  const onRecords = (records: readonly LogRecord[]): void => {
    for (const { value } of records) {
      const receipt = value === null ? undefined : (JSON.parse(value.toString('utf8')) as Receipt);
      if (receipt?.target === target) remember(receipt);
    }
  };
  const earlier = await log.tail({ topic: topics.alertReceipts, from: 'earliest', onRecords });
  await earlier.caughtUp;
  await earlier.close();

  const onBatch = async ({ records }: { readonly records: readonly LogRecord[] }): Promise<void> => {
    const news: Finding[] = [];
    for (const { value } of records) {
      const finding = value === null ? undefined : (JSON.parse(value.toString('utf8')) as Finding);
      if (finding?.state !== 'open') continue;
      const before = told.get(finding.finding_id);
      if (before !== undefined && severities.indexOf(before) >= severities.indexOf(finding.severity)) continue;
      remember(finding);
      news.push(finding);
    }
    await log.append(topics.alertReceipts, news.map(receiptOf));
    for (const finding of news) tell(finding);
  };
  return log.consume({ group: `${group}-console`, topics: [topics.findings], from: 'earliest', onBatch });
}

function receiptOf({ finding_id, severity }: Finding): { readonly key: string; readonly value: string } {
  const receipt: Receipt = { finding_id, severity, target };
  return { key: `${finding_id}/${target}`, value: JSON.stringify(receipt) };
}
