/** The few directions in which features vary most: what statistics of many features and few images work on. */
import { type Rng, rng } from "../../random.ts";

/** Rows that directions are found from; more change little. */
const MOST_ROWS = 1000;
/** Further directions that make the wanted ones accurate. */
const OVERSAMPLING = 8;
/** Share of the largest variance below which a direction is rounding. */
const ROUNDING = 1e-9;
/** The most sweeps of the eigenvalue iteration; it converges quadratically and needs about eight. */
const SWEEPS = 30;

/** Rows in the coordinates of their main directions. */
export interface PrincipalComponents {
  /** [n, components] row-major, the largest variance first. */
  readonly scores: Float64Array;
  readonly components: number;
}

/**
 * Returns centered rows in the coordinates of their `most` main directions, by randomized subspace iteration with one
 * power step (Halko, Martinsson, Tropp 2011, arXiv:0909.4061). Directions come from at most 1000 rows, spread evenly.
 * Equal rows give equal bits. Rows without any variance have no components.
 * @param centered [n, width] row-major; each column has the mean zero.
 */
export function principalComponents(centered: Float32Array, width: number, most: number): PrincipalComponents {
  const count = centered.length / width;
  const rows = Math.min(count, MOST_ROWS);
  const sample = rows === count ? centered : evenly(centered, width, rows);
  const size = Math.min(most + OVERSAMPLING, rows, width);
  let basis = randomMatrix(width, size, rng("principal components"));
  for (let power = 0; power < 2; power++) {
    const images = orthonormal(multiply(sample, width, basis, size), size);
    basis = multiplyTransposed(sample, width, images, size);
  }
  basis = orthonormal(basis, size);
  const covariance = innerProducts(multiply(sample, width, basis, size), size);
  const { values, vectors } = symmetricEigen(covariance, size);
  const order = Array.from(values.keys()).sort((a, b) => values[b]! - values[a]!);
  const largest = values[order[0] ?? 0] ?? 0;
  const kept = order.slice(0, most).filter((i) => values[i]! > ROUNDING * largest);
  const directions = new Float64Array(width * kept.length);
  for (let row = 0; row < width; row++)
    for (const [to, from] of kept.entries()) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += basis[row * size + k]! * vectors[k * size + from]!;
      directions[row * kept.length + to] = sum;
    }
  return { scores: multiply(centered, width, directions, kept.length), components: kept.length };
}

function evenly(matrix: Float32Array, width: number, rows: number): Float32Array {
  const count = matrix.length / width;
  const out = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) {
    const from = Math.floor((i * count) / rows);
    out.set(matrix.subarray(from * width, (from + 1) * width), i * width);
  }
  return out;
}

function randomMatrix(rows: number, columns: number, random: Rng): Float64Array {
  return Float64Array.from({ length: rows * columns }, () => random.normal());
}

/** A [n, width] times B [width, columns]; four rows of B at a time, which spares reading and writing the sums. */
function multiply(a: Float32Array, width: number, b: Float64Array, columns: number): Float64Array {
  const count = a.length / width;
  const out = new Float64Array(count * columns);
  for (let i = 0; i < count; i++) {
    const from = i * width;
    const to = i * columns;
    let j = 0;
    for (; j + 3 < width; j += 4) {
      const [v0, v1, v2, v3] = [a[from + j]!, a[from + j + 1]!, a[from + j + 2]!, a[from + j + 3]!];
      const [b0, b1, b2, b3] = [j * columns, (j + 1) * columns, (j + 2) * columns, (j + 3) * columns];
      for (let k = 0; k < columns; k++)
        out[to + k]! += v0 * b[b0 + k]! + v1 * b[b1 + k]! + v2 * b[b2 + k]! + v3 * b[b3 + k]!;
    }
    for (; j < width; j++) for (let k = 0; k < columns; k++) out[to + k]! += a[from + j]! * b[j * columns + k]!;
  }
  return out;
}

/** A' [width, n] times B [n, columns]; four rows at a time. */
function multiplyTransposed(a: Float32Array, width: number, b: Float64Array, columns: number): Float64Array {
  const count = a.length / width;
  const out = new Float64Array(width * columns);
  let i = 0;
  for (; i + 3 < count; i += 4) {
    const [a0, a1, a2, a3] = [i * width, (i + 1) * width, (i + 2) * width, (i + 3) * width];
    const [b0, b1, b2, b3] = [i * columns, (i + 1) * columns, (i + 2) * columns, (i + 3) * columns];
    for (let j = 0; j < width; j++) {
      const [v0, v1, v2, v3] = [a[a0 + j]!, a[a1 + j]!, a[a2 + j]!, a[a3 + j]!];
      const to = j * columns;
      for (let k = 0; k < columns; k++)
        out[to + k]! += v0 * b[b0 + k]! + v1 * b[b1 + k]! + v2 * b[b2 + k]! + v3 * b[b3 + k]!;
    }
  }
  for (; i < count; i++)
    for (let j = 0; j < width; j++)
      for (let k = 0; k < columns; k++) out[j * columns + k]! += a[i * width + j]! * b[i * columns + k]!;
  return out;
}

/** A' A [columns, columns]. */
function innerProducts(a: Float64Array, columns: number): Float64Array {
  const out = new Float64Array(columns * columns);
  for (let start = 0; start < a.length; start += columns)
    for (let j = 0; j < columns; j++) {
      const value = a[start + j]!;
      for (let k = 0; k < columns; k++) out[j * columns + k]! += value * a[start + k]!;
    }
  return out;
}

/** Makes the columns orthonormal, in place (modified Gram and Schmidt, twice); what depends on others becomes zero. */
function orthonormal(matrix: Float64Array, columns: number): Float64Array {
  const rows = matrix.length / columns;
  const dot = (x: number, y: number): number => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += matrix[i * columns + x]! * matrix[i * columns + y]!;
    return sum;
  };
  for (let column = 0; column < columns; column++) {
    const before = Math.sqrt(dot(column, column));
    for (let pass = 0; pass < 2; pass++)
      for (let other = 0; other < column; other++) {
        const share = dot(other, column);
        for (let i = 0; i < rows; i++) matrix[i * columns + column]! -= share * matrix[i * columns + other]!;
      }
    const length = Math.sqrt(dot(column, column));
    const scale = length > 1e-10 * before && length > 0 ? 1 / length : 0;
    for (let i = 0; i < rows; i++) matrix[i * columns + column]! *= scale;
  }
  return matrix;
}

/** Eigenvalues and eigenvectors (columns) of a symmetric matrix (cyclic Jacobi). */
function symmetricEigen(symmetric: Float64Array, size: number): { values: Float64Array; vectors: Float64Array } {
  const a = symmetric.slice();
  const vectors = Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  const total = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let outside = 0;
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) outside += a[p * size + q]! ** 2;
    if (outside <= 1e-24 * total) break;
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, vectors, size, p, q);
  }
  return { values: Float64Array.from({ length: size }, (_, i) => a[i * size + i]!), vectors };
}

/** Makes the element (p, q) zero by a rotation, in place. */
function rotate(a: Float64Array, vectors: Float64Array, size: number, p: number, q: number): void {
  const apq = a[p * size + q]!;
  if (apq === 0) return;
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * apq);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < size; k++) {
    const [x, y] = [a[k * size + p]!, a[k * size + q]!];
    a[k * size + p] = c * x - s * y;
    a[k * size + q] = s * x + c * y;
  }
  for (let k = 0; k < size; k++) {
    const [x, y] = [a[p * size + k]!, a[q * size + k]!];
    a[p * size + k] = c * x - s * y;
    a[q * size + k] = s * x + c * y;
  }
  for (let k = 0; k < size; k++) {
    const [x, y] = [vectors[k * size + p]!, vectors[k * size + q]!];
    vectors[k * size + p] = c * x - s * y;
    vectors[k * size + q] = s * x + c * y;
  }
}
