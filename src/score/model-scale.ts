/** What a model needs to bring deviations to one scale, and its residuals too. One number per feature, in the order of the registry. */
export type Scale = {
  readonly location: readonly number[];
  readonly scale: readonly number[];
  /** Root mean square of the residuals on ordinary traffic, in scaled units. */
  readonly residual: readonly number[];
};

/** Neither an input nor a residual counts for more than this many standard deviations: no single feature decides alone. */
const clip = 6;
/** A feature that hardly ever moved in training must not turn its first movement into an alarm. */
const spreadMin = 0.1;

function clipped(value: number): number {
  // A deviation that could not be computed says nothing.
  return Number.isNaN(value) ? 0 : Math.max(-clip, Math.min(clip, value));
}

/** (x - location) / scale, clipped. */
export function standardise(vectors: Float32Array, scale: Pick<Scale, 'location' | 'scale'>, into: Float32Array): void {
  const width = scale.location.length;
  for (let i = 0; i < vectors.length; i++) {
    into[i] = clipped((vectors[i]! - scale.location[i % width]!) / scale.scale[i % width]!);
  }
}

/** Half the sum of squared whitened residuals of one row: -ln of a normal density up to a constant, so nats. */
export function residualStatistic(
  input: Float32Array,
  output: Float32Array,
  of: { row: number; scale: Scale },
): number {
  const { residual } = of.scale;
  let sum = 0;
  for (let f = 0, i = of.row * residual.length; f < residual.length; f++, i++) {
    sum += clipped((input[i]! - output[i]!) / residual[f]!) ** 2;
  }
  return sum / 2;
}

/** Mean and standard deviation per feature. */
export function fitScale(vectors: Float32Array, width: number): Pick<Scale, 'location' | 'scale'> {
  const location = columnMeans(vectors, width, (value) => value);
  const variance = columnMeans(vectors, width, (value, f) => (value - location[f]!) ** 2);
  return { location, scale: variance.map((v) => Math.max(spreadMin, Math.sqrt(v))) };
}

/** Root mean square residual per feature. */
export function fitResidual(input: Float32Array, output: Float32Array, width: number): number[] {
  const apart = input.map((value, i) => value - output[i]!);
  return columnMeans(apart, width, (value) => value * value).map((v) => Math.max(spreadMin, Math.sqrt(v)));
}

function columnMeans(rows: Float32Array, width: number, of: (value: number, f: number) => number): number[] {
  const sums = new Array<number>(width).fill(0);
  for (let i = 0; i < rows.length; i++) sums[i % width]! += of(rows[i]!, i % width);
  return sums.map((sum) => sum / (rows.length / width));
}
