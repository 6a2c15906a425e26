/** A pull of parameters towards where they started, for what a pretrained network should not forget. */
import { checkLengths } from "./check-lengths.ts";
import { checkRange } from "./check-range.ts";

/**
 * Adds strength (parameter - start) to a gradient in place: the slope of strength / 2 times their squared distance.
 *
 * L2-SP (Li, Grandvalet, Davoine 2018, arXiv:1802.01483) with PyTorch's convention of weight decay, which is the case
 * of a start at zero. It takes the place of weight decay for the parameters that it pulls.
 * @throws RangeError if `strength` is negative. @throws RootstockError SHAPE_MISMATCH if the lengths disagree.
 */
export function addStartPenalty(
  gradient: Float32Array,
  parameter: Float32Array,
  start: Float32Array,
  strength: number,
): void {
  checkRange("addStartPenalty: strength", strength, "[0, infinity)");
  checkLengths("addStartPenalty", { gradient, parameter, start });
  for (let i = 0; i < gradient.length; i++) gradient[i] = gradient[i]! + strength * (parameter[i]! - start[i]!);
}
