/** A step along a line that meets the strong Wolfe conditions (Nocedal and Wright 2006, section 3.1), for convex functions. */
import type { Ray } from "./minimize.ts";

/** Share of the first slope by which the value must fall, per unit of the step. */
const DECREASE = 1e-4;

/** Share of the first slope that may be left. */
const CURVATURE = 0.5;

/** Part of a value that its rounding may be: near the minimum a value says less than a slope. */
const ROUNDING = 1e-12;

const MOST_TRIES = 40;

/**
 * Returns a step at which the value has fallen and the slope is nearly flat, starting with 1. Slopes of a convex function
 * only rise, so they bracket the minimum: secants of the slope find it, kept inside the bracket.
 * @param start value and slope at 0, which is below 0. @returns undefined where no such step is found; else the last one that was evaluated.
 */
export function searchLine(ray: Ray, start: ReturnType<Ray>): number | undefined {
  const { value, slope } = start;
  const slack = ROUNDING * Math.abs(value);
  let low = { step: 0, slope };
  let high: typeof low | undefined;
  let step = 1;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const at = ray(step);
    const falls = at.value <= value + DECREASE * step * slope + slack;
    if (falls && Math.abs(at.slope) <= -CURVATURE * slope) return step;
    if (falls && at.slope < 0) low = { step, slope: at.slope };
    else high = { step, slope: at.slope };
    step = high ? between(low, high) : 4 * step;
    if (!(step > 0 && Number.isFinite(step))) return undefined;
  }
  return undefined;
}

/** Where the secant through two slopes is 0, at least a tenth of the way from either end; the middle without a secant. */
function between(low: { step: number; slope: number }, high: { step: number; slope: number }): number {
  const share = high.slope > 0 && Number.isFinite(high.slope) ? low.slope / (low.slope - high.slope) : 0.5;
  return low.step + Math.min(0.9, Math.max(0.1, share)) * (high.step - low.step);
}
