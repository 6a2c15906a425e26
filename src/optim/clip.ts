/** Limits the length of a step by the norm of its gradients. */
import { checkRange } from "./check-range.ts";

/**
 * Returns the L2 norm of all gradients together, as it was, and scales them in place where it is above `maxNorm`.
 *
 * As torch.nn.utils.clip_grad_norm_ (Pascanu et al. 2013, arXiv:1211.5063): by maxNorm / (norm + 1e-6). Squares are
 * added in float64, in order. Gradients that are no numbers make all of them none, so that divergence shows.
 * @throws RangeError if `maxNorm` is not above 0.
 */
export function clipByNorm(gradients: readonly Float32Array[], maxNorm: number): number {
  checkRange("clipByNorm: maxNorm", maxNorm, "(0, infinity)");
  let squares = 0;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) squares += gradient[i]! * gradient[i]!;
  const norm = Math.sqrt(squares);
  const scale = maxNorm / (norm + 1e-6);
  if (scale >= 1) return norm;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) gradient[i] = gradient[i]! * scale;
  return norm;
}
