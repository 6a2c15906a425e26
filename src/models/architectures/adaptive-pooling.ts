/** The windows of PyTorch's adaptive pooling: output i of n covers the inputs floor(i l / n) to ceil((i + 1) l / n). */

/** Windows of one length at one distance, as ordinary pooling has them. */
export interface EvenWindows {
  readonly length: number;
  readonly step: number;
}

/** The windows over `length` inputs, first and behind the last input of each. */
export function adaptiveWindows(length: number, count: number): [first: number, end: number][] {
  return Array.from({ length: count }, (_, i) => [
    Math.floor((i * length) / count),
    Math.ceil(((i + 1) * length) / count),
  ]);
}

/** The windows as those of ordinary pooling; undefined where they differ in length or distance. */
export function evenWindows(length: number, count: number): EvenWindows | undefined {
  if (count > length) return undefined;
  const windows = adaptiveWindows(length, count);
  const step = windows.length > 1 ? windows[1]![0] : length;
  const size = windows[0]![1];
  const even = windows.every(([first, end], i) => first === i * step && end - first === size);
  return even ? { length: size, step } : undefined;
}

/** Averaging as a matrix [count, length]: row i has 1 / (size of window i) at its inputs. Takes any two lengths. */
export function poolingMatrix(length: number, count: number): Float32Array {
  const matrix = new Float32Array(count * length);
  for (const [i, [first, end]] of adaptiveWindows(length, count).entries())
    matrix.fill(1 / (end - first), i * length + first, i * length + end);
  return matrix;
}
