/** From which probability on a class counts as there: chosen per class on validation, carefully where it has few images. */
import { RootstockError } from "../errors.ts";
import { checkLogits } from "./probabilities.ts";
import { rankSamples } from "./ranking.ts";

/** What thresholds are chosen on. */
export interface ThresholdOptions {
  /** Raw outputs of the model as it is exported, [n, numClasses] row-major. */
  readonly logits: Float32Array;
  /** [n, numClasses] row-major, positive from 0.5 on. */
  readonly targets: Float32Array;
  readonly numClasses: number;
}

/** A class with fewer images that show it, or fewer that do not, has no threshold of its own. */
const FEWEST = 5;
/** Images that the common threshold counts for: a class with as many of its own has half a say. */
const PRIOR = 10;
/** The largest distance from probability 0.5, in logits: 0.018 to 0.982. */
const FARTHEST = 4;

/** Scores of one class, or of all together, with what is true. */
interface Column {
  readonly scores: Float32Array;
  readonly positive: Uint8Array;
}

/**
 * Returns the probability above which each class is predicted, [numClasses], each in (0, 1).
 *
 * Each is the threshold with the largest F1 (score cut, Yang 2001), in the middle between the two scores that it
 * separates. On few images that maximum is mostly chance, so it is moved toward the threshold that is best for all
 * decisions together: in logits t = (m best + 10 common) / (m + 10), with m the class's positive images. A class with
 * fewer than 5 images with or without it, or whose F1 would not be larger than with the common threshold, takes that one.
 * The common threshold is moved toward 0.5 in the same way.
 * F1 on the images that thresholds were chosen on is a little too good: it is honest on a test split only.
 * @throws RootstockError SHAPE_MISMATCH if logits and targets are not both [n, numClasses]; BAD_MODEL if a logit is not
 * finite.
 */
export function chooseThresholds({ logits, targets, numClasses }: ThresholdOptions): number[] {
  const count = checkLogits(logits, numClasses);
  if (targets.length !== logits.length)
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `chooseThresholds requires logits and targets [n, ${numClasses}], got ${logits.length} and ${targets.length} elements.`,
    );
  const positive = Uint8Array.from(targets, (target) => Number(target >= 0.5));
  const common = chosen({ scores: logits, positive }, 0);
  return Array.from({ length: numClasses }, (_, j) => {
    const column = {
      scores: Float32Array.from({ length: count }, (_, i) => logits[i * numClasses + j]!),
      positive: Uint8Array.from({ length: count }, (_, i) => positive[i * numClasses + j]!),
    };
    return 1 / (1 + Math.exp(-chosen(column, common)));
  });
}

/** The logit above which to say yes. */
function chosen(column: Column, prior: number): number {
  const positives = column.positive.reduce((sum, is) => sum + is, 0);
  if (Math.min(positives, column.positive.length - positives) < FEWEST) return prior;
  const best = Math.max(-FARTHEST, Math.min(FARTHEST, bestF1(column, prior)));
  const moved = (positives * best + PRIOR * prior) / (positives + PRIOR);
  return f1At(column, moved) > f1At(column, prior) ? moved : prior;
}

/** The logit with the largest F1, between two scores; among equal ones the nearest to the prior. */
function bestF1({ scores, positive }: Column, prior: number): number {
  const { order } = rankSamples(scores, positive);
  const support = positive.reduce((sum, is) => sum + is, 0);
  let best = { f1: -1, at: prior };
  let found = 0;
  for (let i = 0; i < order.length; i++) {
    found += positive[order[i]!]!;
    const score = scores[order[i]!]!;
    const next = i + 1 < order.length ? scores[order[i + 1]!]! : score - 2;
    if (next === score) continue;
    const f1 = (2 * found) / (support + i + 1);
    const at = (score + next) / 2;
    if (f1 > best.f1 || (f1 === best.f1 && Math.abs(at - prior) < Math.abs(best.at - prior))) best = { f1, at };
  }
  return best.at;
}

function f1At({ scores, positive }: Column, threshold: number): number {
  let [both, right] = [0, 0];
  for (let i = 0; i < scores.length; i++) {
    const predicted = Number(scores[i]! > threshold);
    both += predicted + positive[i]!;
    right += predicted * positive[i]!;
  }
  return both === 0 ? 0 : (2 * right) / both;
}
