/**
 * Limited-memory BFGS (Nocedal 1980; Nocedal and Wright 2006, algorithm 7.5) for smooth convex functions that are cheap
 * along a line, in float64.
 */
import { searchLine } from "./line-search.ts";

/** Value and slope of a function along a line, at a step from where the line starts. */
export type Ray = (step: number) => { readonly value: number; readonly slope: number };

/** A function at one point, which moves. */
export interface Objective {
  /** The current point, [size]; changed by `move`. */
  readonly point: Float64Array;
  /** The function there. */
  readonly value: number;
  /** Gradient there, [size]; changed by `move`. */
  readonly gradient: Float64Array;
  /** The norm of the gradient at which the point is as good as the minimum. */
  goal(): number;
  /** The function along a direction from the current point. */
  along(direction: Float64Array): Promise<Ray>;
  /** Goes `step` along the direction of the last ray, whose last evaluation was at this step. */
  move(step: number): Promise<void>;
}

export interface MinimizeOptions {
  readonly maxIterations: number;
  /** What is known of the curvature from a search before. @default [] */
  readonly pairs?: readonly Pair[] | undefined;
  /** Called before each iteration: throws to end the search. */
  readonly check?: (() => void) | undefined;
}

export interface Minimized {
  readonly iterations: number;
  /** Whether the norm of the gradient reached the goal. */
  readonly converged: boolean;
  readonly pairs: readonly Pair[];
}

/** Pairs that are remembered. */
const MEMORY = 10;

/** A step and the change of the gradient over it: some of them approximate the curvature. */
export interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  /** 1 / (step · change), which is above 0. */
  readonly inverse: number;
}

/** The pairs with another one at the end; without it where the function does not curve along the step. */
export function withPair(pairs: readonly Pair[], step: Float64Array, change: Float64Array): readonly Pair[] {
  const product = dot(step, change);
  return product > 0 ? [...pairs.slice(1 - MEMORY), { step, change, inverse: 1 / product }] : pairs;
}

/** Moves the objective to its minimum: until the norm of the gradient is at most the goal, or no step lowers the value. */
export async function minimize(objective: Objective, options: MinimizeOptions): Promise<Minimized> {
  const { point, gradient } = objective;
  const { maxIterations, check } = options;
  let { pairs = [] } = options;
  for (let iterations = 0; ; iterations++) {
    check?.();
    const norm = Math.sqrt(dot(gradient, gradient));
    if (norm <= objective.goal()) return { iterations, converged: true, pairs };
    if (iterations === maxIterations) return { iterations, converged: false, pairs };
    const { value } = objective;
    const direction = descent(gradient, pairs, norm);
    const slope = dot(gradient, direction);
    const step = slope < 0 ? searchLine(await objective.along(direction), { value, slope }) : undefined;
    if (step === undefined) {
      if (pairs.length === 0) return { iterations, converged: false, pairs };
      pairs = []; // rounding has spoilt what was known of the curvature: once more along the gradient
      continue;
    }
    const before = { point: point.slice(), gradient: gradient.slice() };
    await objective.move(step);
    pairs = withPair(pairs, changeSince(before.point, point), changeSince(before.gradient, gradient));
  }
}

/** -H g by the two-loop recursion, with H as the last pairs say; without any, down the gradient by at most 1. */
function descent(gradient: Float64Array, pairs: readonly Pair[], norm: number): Float64Array {
  const direction = scale(gradient.slice(), -1);
  const last = pairs.at(-1);
  if (!last) return scale(direction, Math.min(1, 1 / norm));
  const shares = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, inverse } = pairs[i]!;
    shares[i] = inverse * dot(step, direction);
    addScaled(direction, change, -shares[i]!);
  }
  scale(direction, 1 / (last.inverse * dot(last.change, last.change)));
  for (const [i, { step, change, inverse }] of pairs.entries())
    addScaled(direction, step, shares[i]! - inverse * dot(change, direction));
  return direction;
}

/** x · y, in four sums that are added in the end: always the same ones. */
export function dot(x: Float64Array, y: Float64Array): number {
  const even = x.length - (x.length % 4);
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < even; i += 4) {
    a += x[i]! * y[i]!;
    b += x[i + 1]! * y[i + 1]!;
    c += x[i + 2]! * y[i + 2]!;
    d += x[i + 3]! * y[i + 3]!;
  }
  for (let i = even; i < x.length; i++) a += x[i]! * y[i]!;
  return a + b + (c + d);
}

/** By how much something changed, in the array that holds what it was `before`. */
function changeSince(before: Float64Array, now: Float64Array): Float64Array {
  for (let i = 0; i < before.length; i++) before[i] = now[i]! - before[i]!;
  return before;
}

function scale(x: Float64Array, factor: number): Float64Array {
  for (let i = 0; i < x.length; i++) x[i]! *= factor;
  return x;
}

function addScaled(x: Float64Array, y: Float64Array, factor: number): void {
  for (let i = 0; i < x.length; i++) x[i]! += factor * y[i]!;
}
