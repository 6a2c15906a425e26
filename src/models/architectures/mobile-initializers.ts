/** How mobile networks start: the schemes of Google's implementations, which torchvision and timm follow. */
import type { Scheme } from "./initializers.ts";

/** Normal with the variance 2 / (fan out of one group): timm's `_init_weight_goog`. */
export function groupNormal(groups: number): Scheme {
  return (fan) => ({ kind: "normal", deviation: Math.sqrt((2 * groups) / fan.out) });
}

/** Uniform within 1 / sqrt(fan out), for classifiers. */
export const uniformOut: Scheme = (fan) => ({ kind: "uniform", bound: 1 / Math.sqrt(fan.out) });
