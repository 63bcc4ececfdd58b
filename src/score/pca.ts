/** Principal components of scaled deviations: the plain rival that a network has to beat, behind the same interface. */
export type Pca = { readonly components: readonly (readonly number[])[] };

/** The `count` directions of largest variance, by Jacobi's rotations on the covariance matrix. Rows are taken as centred. */
export function fitPca(rows: Float32Array, width: number, count: number): Pca {
  const { values, vectors } = eigen(covariance(rows, width), width);
  const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]!);
  return {
    components: order.slice(0, count).map((column) => vectors.map((row) => signed(vectors, column) * row[column]!)),
  };
}

/** Projects onto the components and back. */
export function reconstruct(pca: Pca, input: Float32Array, rows: number): Float32Array {
  const width = pca.components[0]!.length;
  const output = new Float32Array(rows * width);
  for (let start = 0; start < output.length; start += width) {
    for (const component of pca.components) {
      let along = 0;
      for (let f = 0; f < width; f++) along += component[f]! * input[start + f]!;
      for (let f = 0; f < width; f++) output[start + f]! += component[f]! * along;
    }
  }
  return output;
}

function covariance(rows: Float32Array, width: number): number[][] {
  const sums = Array.from({ length: width }, () => new Array<number>(width).fill(0));
  for (let start = 0; start < rows.length; start += width) {
    for (let i = 0; i < width; i++) {
      for (let j = 0; j <= i; j++) sums[i]![j]! += rows[start + i]! * rows[start + j]!;
    }
  }
  return sums.map((row, i) => row.map((_, j) => (sums[Math.max(i, j)]![Math.min(i, j)]! * width) / rows.length));
}

/** The sign of an eigenvector is arbitrary; its largest entry is made positive. */
function signed(vectors: readonly number[][], column: number): 1 | -1 {
  let largest = 0;
  for (const row of vectors) if (Math.abs(row[column]!) > Math.abs(largest)) largest = row[column]!;
  return largest < 0 ? -1 : 1;
}

/** Eigenvalues, and eigenvectors as columns, of a symmetric matrix (Jacobi 1846; cyclic sweeps). Overwrites the matrix. */
function eigen(matrix: number[][], width: number): { values: number[]; vectors: number[][] } {
  const vectors = matrix.map((_, i) => matrix.map((_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < width; p++) {
      for (let q = p + 1; q < width; q++) {
        off += matrix[p]![q]! ** 2;
        rotate({ matrix, vectors }, p, q);
      }
    }
    if (off < 1e-20) break;
  }
  return { values: matrix.map((row, i) => row[i]!), vectors };
}

/** One rotation that makes the entry (p, q) zero. */
function rotate(of: { matrix: number[][]; vectors: number[][] }, p: number, q: number): void {
  const { matrix, vectors } = of;
  const apart = matrix[p]![q]!;
  if (Math.abs(apart) < 1e-15) return;
  const theta = (matrix[q]![q]! - matrix[p]![p]!) / (2 * apart);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (const rows of [matrix, vectors]) {
    for (const row of rows) [row[p], row[q]] = [c * row[p]! - s * row[q]!, s * row[p]! + c * row[q]!];
  }
  const [rowP, rowQ] = [matrix[p]!, matrix[q]!];
  for (let k = 0; k < rowP.length; k++) {
    [rowP[k], rowQ[k]] = [c * rowP[k]! - s * rowQ[k]!, s * rowP[k]! + c * rowQ[k]!];
  }
}
