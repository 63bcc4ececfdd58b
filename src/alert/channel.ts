import type { PostResult } from '../core/post.ts';
import type { Incident } from './incident.ts';
import type { AlertMessage } from './message.ts';

/**
 * What a channel is told of an incident after its first message. `rises`: when it becomes more severe; `ends`: also when it was
 * acknowledged or is over; `changes`: everything, in place.
 */
export type Tells = 'rises' | 'ends' | 'changes';

/** What is to be done now. `post`: a new message, or one that people should notice; `update`: in place; `summary`: of what was held back. */
export type Errand =
  | { readonly kind: 'post' | 'update'; readonly id: string; readonly incident: Incident }
  | { readonly kind: 'summary'; readonly id: string; readonly held: readonly Incident[] };

export type Letter = {
  readonly errand: Errand;
  readonly message: AlertMessage;
  /** An earlier try may have arrived: a channel that can look does so first. */
  readonly isRepeat: boolean;
};

/**
 * `handle`: where the message stands at the channel, for updates in place. `isEarlier`: nothing was sent, because an earlier try had
 * arrived, with what was known then.
 */
export type Sent = PostResult & { readonly handle?: string; readonly isEarlier?: boolean };

export type AlertChannel = {
  readonly name: string;
  readonly tells: Tells;
  /** Makes one attempt; never throws. */
  readonly send: (letter: Letter, signal: AbortSignal) => Promise<Sent>;
};
