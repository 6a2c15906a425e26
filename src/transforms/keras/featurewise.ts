/** Statistics over a set of images that ImageDataGenerator's standardizing needs: mean, deviation, and ZCA whitening. */
import { RootstockError } from "../../errors.ts";
import type { FloatPixels } from "./float-warp.ts";

/** Mean and standard deviation of each channel. */
export interface ChannelStatistics {
  readonly mean: Float32Array;
  readonly std: Float32Array;
}

/** Directions in which the values of an image vary together, and by how much each is scaled. */
export interface Whitening {
  /** Unit vectors, one after another, each as long as an image. */
  readonly directions: Float32Array;
  readonly scales: Float32Array;
}

/** Returns the mean and the standard deviation (of the population) of each channel of images of one layout. */
export function channelStatistics(images: readonly FloatPixels[]): ChannelStatistics {
  const { channels, strides } = images[0]!;
  const mean = new Float64Array(channels);
  const squares = new Float64Array(channels);
  const channelOf = (i: number) => Math.floor(i / strides.channel) % channels;
  const count = images.reduce((sum, { data }) => sum + data.length, 0) / channels;
  for (const { data } of images) for (let i = 0; i < data.length; i++) mean[channelOf(i)]! += data[i]!;
  for (let channel = 0; channel < channels; channel++) mean[channel]! /= count;
  for (const { data } of images) {
    for (let i = 0; i < data.length; i++) squares[channelOf(i)]! += (data[i]! - mean[channelOf(i)]!) ** 2;
  }
  return { mean: Float32Array.from(mean), std: Float32Array.from(squares, (sum) => Math.sqrt(sum / count)) };
}

/** The largest eigenvalue problem that takes seconds rather than minutes. */
const MAX_ORDER = 1024;

/** The largest set of numbers kept: 256 MB. */
const MAX_NUMBERS = 2 ** 26;

/**
 * Returns Keras's ZCA whitening U diag(sqrt(n) / (s + epsilon)) U' of n centered images, with the singular values s.
 *
 * The eigenvectors are those of the smaller of X X' and X' X, by one-sided Jacobi rotations. Directions with a singular
 * value below 1e-6 of the largest carry no information and are left out (Keras blows up their rounding errors).
 * @throws RootstockError BAD_CONFIG if both the number of images and the number of values are above 1024.
 */
export function zcaWhitening(images: readonly Float32Array[], epsilon: number): Whitening {
  const count = images.length;
  const width = images[0]!.length;
  const order = Math.min(count, width);
  if (order > MAX_ORDER || order * width > MAX_NUMBERS) {
    throw new RootstockError(
      "BAD_CONFIG",
      `ZCA whitening requires at most ${MAX_ORDER} images, or images of at most ${MAX_ORDER} values, and ${MAX_NUMBERS} numbers in all; ` +
        `got ${count} images of ${width}. Fit on fewer or smaller images.`,
    );
  }
  const gram = count <= width ? products(images) : products(transposed(images));
  const { values, vectors } = symmetricEigen(gram, order);
  const largest = Math.sqrt(Math.max(0, ...values));
  const kept = [...values.keys()].filter((i) => Math.sqrt(Math.max(0, values[i]!)) > largest * 1e-6);
  const directions = new Float32Array(kept.length * width);
  const scales = new Float32Array(kept.length);
  for (const [k, i] of kept.entries()) {
    const singular = Math.sqrt(values[i]!);
    scales[k] = Math.sqrt(count) / (singular + epsilon);
    const vector = vectors.subarray(i * order, (i + 1) * order);
    const direction = count <= width ? combined(images, vector, singular) : vector;
    directions.set(direction, k * width);
  }
  return { directions, scales };
}

/** Returns an image whitened: the sum over the directions of scale * (direction . image) * direction. */
export function whiten(image: Float32Array, { directions, scales }: Whitening): Float32Array {
  const width = image.length;
  const out = new Float64Array(width);
  for (let k = 0; k < scales.length; k++) {
    const direction = directions.subarray(k * width, (k + 1) * width);
    const amount = dot(direction, image) * scales[k]!;
    for (let i = 0; i < width; i++) out[i]! += amount * direction[i]!;
  }
  return Float32Array.from(out);
}

/**
 * Returns the eigenvalues, which must not be negative, and the eigenvectors as rows of a symmetric matrix.
 * Rows are rotated in pairs until all are orthogonal (Hestenes 1958): then row i is eigenvalue i times eigenvector i.
 */
export function symmetricEigen(
  matrix: Float64Array,
  order: number,
): { readonly values: Float64Array; readonly vectors: Float64Array } {
  const rows = Array.from({ length: order }, (_, i) => matrix.slice(i * order, (i + 1) * order));
  const floor = 1e-30 * rows.reduce((sum, row) => sum + dot(row, row), 0); // rows of rounding errors are left alone
  for (let sweep = 0, rotated = true; rotated && sweep < 40; sweep++) {
    rotated = false;
    for (let p = 0; p < order; p++) {
      for (let q = p + 1; q < order; q++) if (orthogonalize(rows[p]!, rows[q]!, floor)) rotated = true;
    }
  }
  const values = Float64Array.from(rows, (row) => Math.sqrt(dot(row, row)));
  const vectors = new Float64Array(order * order);
  for (const [i, row] of rows.entries()) {
    for (let j = 0; j < order; j++) vectors[i * order + j] = values[i]! > 0 ? row[j]! / values[i]! : 0;
  }
  return { values, vectors };
}

/** Rotates two rows in place until they are orthogonal; false if they are already. */
function orthogonalize(p: Float64Array, q: Float64Array, floor: number): boolean {
  const [pp, qq, pq] = [dot(p, p), dot(q, q), dot(p, q)];
  if (Math.abs(pq) <= 1e-13 * Math.sqrt(pp * qq) || Math.abs(pq) <= floor) return false;
  const zeta = (qq - pp) / (2 * pq);
  const tangent = (zeta >= 0 ? 1 : -1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = cosine * tangent;
  for (let i = 0; i < p.length; i++) {
    const [a, b] = [p[i]!, q[i]!];
    p[i] = cosine * a - sine * b;
    q[i] = sine * a + cosine * b;
  }
  return true;
}

/** The dot products of every pair of rows. */
function products(rows: readonly Float32Array[]): Float64Array {
  const out = new Float64Array(rows.length * rows.length);
  for (let i = 0; i < rows.length; i++) {
    for (let j = i; j < rows.length; j++) {
      const product = dot(rows[i]!, rows[j]!);
      out[i * rows.length + j] = product;
      out[j * rows.length + i] = product;
    }
  }
  return out;
}

function transposed(rows: readonly Float32Array[]): Float32Array[] {
  return Array.from({ length: rows[0]!.length }, (_, j) => Float32Array.from(rows, (row) => row[j]!));
}

function combined(rows: readonly Float32Array[], weights: Float64Array, divisor: number): Float64Array {
  const out = new Float64Array(rows[0]!.length);
  for (const [k, row] of rows.entries()) {
    const weight = weights[k]! / divisor;
    for (let i = 0; i < out.length; i++) out[i]! += weight * row[i]!;
  }
  return out;
}

function dot(a: Float32Array | Float64Array, b: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
