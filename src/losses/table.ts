/** The built-in objectives by name, for configuration files and the command line. */
import { binaryCrossEntropy } from "./binary-cross-entropy.ts";
import { crossEntropy } from "./cross-entropy.ts";
import type { Loss } from "./loss.ts";

export const LOSSES = {
  "cross-entropy": () => crossEntropy(),
  "binary-cross-entropy": () => binaryCrossEntropy(),
} as const satisfies Record<string, () => Loss>;

export type LossName = keyof typeof LOSSES;
