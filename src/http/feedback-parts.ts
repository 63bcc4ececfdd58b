import type { FindingKind, VerdictWord } from '../core/words.ts';
import type { Scope } from '../finding/suppression.ts';
import type { ListFilter, Page } from './paging.ts';

/** Who changes something: the name of the key, and the address that asked. */
export type Who = { readonly caller: string; readonly from: string };

export type VerdictDraft = {
  readonly verdict: VerdictWord;
  readonly scope: Scope;
  /** What it teaches holds for so long. */
  readonly expiresMs: number;
  readonly note: string;
  /** Of scope `route`, where it is another than that of most of the finding's calls. */
  readonly route: string | null;
};

/** What is not to be told; null: whatever it is. */
export type SuppressionDraft = {
  readonly [Name in 'identity' | 'peer_group' | 'route' | 'network']: string | null;
} & {
  readonly kinds: readonly FindingKind[];
  readonly owner: string;
  readonly reason: string;
  readonly expiresMs: number;
};

/** What people say of findings. Each may fail with STORE_UNAVAILABLE; what is changed is in the audit and durable before it is answered. */
export type FeedbackParts = {
  /** Undefined: there is no such finding; `no-route`: none is known of its calls. `closes` are the open findings that it will close, as far as they are stored. */
  readonly giveVerdict: (
    findingId: string,
    draft: VerdictDraft,
    who: Who,
  ) => Promise<
    | { readonly verdict_id: string; readonly closes: number; readonly suppression_id: string | null }
    | 'no-route'
    | undefined
  >;
  /** False: there is none that holds. */
  readonly undoVerdict: (id: string, who: Who) => Promise<boolean>;
  readonly verdicts: (filter: ListFilter<'finding_id' | 'verdict' | 'state'>) => Promise<Page>;
  readonly suppress: (draft: SuppressionDraft, who: Who) => Promise<string>;
  readonly liftSuppression: (id: string, who: Who) => Promise<boolean>;
  readonly suppressions: () => Promise<readonly object[]>;
  readonly preview: (draft: SuppressionDraft) => Promise<object>;
  readonly noise: () => Promise<readonly object[]>;
};
