import type { Observed } from '../feature/family.ts';

/** One feature of one event that stood out: its contribution in nats and what an explanation says of it. */
export type Contribution = {
  readonly feature: string;
  readonly nats: number;
  readonly observed: Observed;
  /** The peer group that the identity is compared with, by name. */
  readonly peers: string;
};
