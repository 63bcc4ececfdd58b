/** What a model needs to bring deviations to one scale, and its residuals too. One number per feature, in the order of the registry. */
export type Scale = {
  /** Root mean square of the deviations above zero on ordinary traffic. */
  readonly deviation: readonly number[];
  /** The same of the residuals, in scaled units. */
  readonly residual: readonly number[];
};

/** Neither an input nor a residual counts for more than this many times its usual size: no single feature decides alone. */
const clip = 6;
/** A feature that hardly ever moved in training must not turn its first movement into an alarm. */
const spreadMin = 0.1;

/**
 * Deviations above zero over their usual size, clipped. Below zero an event is more like the identity than expected, which is no evidence
 * against it, and a field that a gateway does not report is zero: both must look the same as "nothing odd" to a model that was trained
 * on other traffic. What could not be computed says nothing either.
 */
export function standardise(vectors: Float32Array, deviation: readonly number[], into: Float32Array): void {
  const width = deviation.length;
  for (let i = 0; i < vectors.length; i++) {
    const value = vectors[i]!;
    into[i] = value > 0 ? Math.min(clip, value / deviation[i % width]!) : 0;
  }
}

/** Half the sum of squared residuals of one row, each over its usual size and only where more is odd than the model expects. Nats. */
export function residualStatistic(
  input: Float32Array,
  output: Float32Array,
  of: { row: number; scale: Scale },
): number {
  const { residual } = of.scale;
  let sum = 0;
  for (let f = 0, i = of.row * residual.length; f < residual.length; f++, i++) {
    const apart = (input[i]! - output[i]!) / residual[f]!;
    if (apart > 0) sum += Math.min(clip, apart) ** 2;
  }
  return sum / 2;
}

export function fitDeviation(vectors: Float32Array, width: number): number[] {
  return rootMeanSquares(vectors, width);
}

export function fitResidual(input: Float32Array, output: Float32Array, width: number): number[] {
  return rootMeanSquares(
    input.map((value, i) => value - output[i]!),
    width,
  );
}

/** Per feature, over the rows where it is above zero. */
function rootMeanSquares(rows: Float32Array, width: number): number[] {
  const squares = new Float64Array(width);
  const counts = new Float64Array(width);
  for (let i = 0; i < rows.length; i++) {
    if (!(rows[i]! > 0)) continue;
    squares[i % width]! += rows[i]! ** 2;
    counts[i % width]! += 1;
  }
  return Array.from(squares, (sum, f) => Math.max(spreadMin, Math.sqrt(sum / Math.max(1, counts[f]!))));
}
