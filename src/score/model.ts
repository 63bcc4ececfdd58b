/** What a model is to the engine: a statistic per row of deviations. Higher is less like anything it was trained on; nats. */
export type Model = {
  readonly name: string;
  /** Its share in an event's surprise, 0 to 1: what the evaluation says it earns. */
  readonly weight: number;
  /** `rows` rows of `featureCount` numbers, in the order of the registry. */
  readonly score: (vectors: Float32Array, rows: number) => Float32Array;
};
