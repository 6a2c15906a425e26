/** 3x3 matrices of the plane: what geometric transforms are made of, and what makes a chain of them one resampling. */

/**
 * A homography in row-major order. A transform's matrix maps positions in its result to positions in its source, both in
 * pixels from the top left corner of the picture: the centre of pixel (0, 0) is at (0.5, 0.5).
 */
export type Matrix = readonly [number, number, number, number, number, number, number, number, number];

/** The matrix that leaves every position where it is. */
export const IDENTITY: Matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Returns the product a b: first b, then a. Result-to-source matrices of a chain are multiplied in the chain's order. */
export function multiply(a: Matrix, b: Matrix): Matrix {
  const [b0, b1, b2, b3, b4, b5, b6, b7, b8] = b;
  const row = (x: number, y: number, z: number) =>
    [x * b0 + y * b3 + z * b6, x * b1 + y * b4 + z * b7, x * b2 + y * b5 + z * b8] as const;
  return [...row(a[0], a[1], a[2]), ...row(a[3], a[4], a[5]), ...row(a[6], a[7], a[8])];
}

/** Returns the inverse up to a factor that positions do not see (the adjugate, scaled), undefined for a singular matrix. */
export function invert(m: Matrix): Matrix | undefined {
  const [a, b, c, d, e, f, g, h, i] = m;
  const [p, q, r] = [e * i - f * h, f * g - d * i, d * h - e * g];
  const determinant = a * p + b * q + c * r;
  if (!(Math.abs(determinant) > 1e-12)) return;
  const s = 1 / determinant;
  return [
    p * s,
    (c * h - b * i) * s,
    (b * f - c * e) * s,
    q * s,
    (a * i - c * g) * s,
    (c * d - a * f) * s,
    r * s,
    (b * g - a * h) * s,
    (a * e - b * d) * s,
  ];
}

/** Returns the matrix that moves every position by (x, y). */
export function translation(x: number, y: number): Matrix {
  return [1, 0, x, 0, 1, y, 0, 0, 1];
}

/** Returns the matrix that multiplies positions, counted from the top left corner. */
export function scaling(x: number, y: number): Matrix {
  return [x, 0, 0, 0, y, 0, 0, 0, 1];
}

/** Returns `m` acting around the position (x, y) instead of the top left corner. */
export function around(x: number, y: number, m: Matrix): Matrix {
  return multiply(multiply(translation(x, y), m), translation(-x, -y));
}

/** Whether straight parallel lines stay parallel: the last row is (0, 0, 1). */
export function isAffine(m: Matrix): boolean {
  return m[6] === 0 && m[7] === 0 && m[8] === 1;
}

/** Whether the matrix is the identity up to rounding. */
export function isIdentity(m: Matrix): boolean {
  return m.every((value, i) => Math.abs(value - IDENTITY[i]!) < 1e-12);
}

/** Returns where a position goes. Behind the horizon of a perspective it is moved far away, so that it lies outside. */
export function mapPoint(m: Matrix, x: number, y: number): { readonly x: number; readonly y: number } {
  const w = m[6] * x + m[7] * y + m[8];
  const s = 1 / Math.max(w, 1e-9);
  return { x: (m[0] * x + m[1] * y + m[2]) * s, y: (m[3] * x + m[4] * y + m[5]) * s };
}

/**
 * Returns by how much a result-to-source matrix shrinks at the least, at a position of the result: the smaller singular
 * value of its derivative there. 2 means that neighbours in the result are at least two source pixels apart.
 */
export function shrinkage(m: Matrix, x: number, y: number): number {
  const w = m[6] * x + m[7] * y + m[8];
  const u = (m[0] * x + m[1] * y + m[2]) / w;
  const v = (m[3] * x + m[4] * y + m[5]) / w;
  const [a, b] = [(m[0] - u * m[6]) / w, (m[1] - u * m[7]) / w];
  const [c, d] = [(m[3] - v * m[6]) / w, (m[4] - v * m[7]) / w];
  const [sum, product] = [a * a + b * b + c * c + d * d, Math.abs(a * d - b * c)];
  return Math.sqrt(Math.max(0, (sum - Math.sqrt(Math.max(0, sum * sum - 4 * product * product))) / 2));
}
