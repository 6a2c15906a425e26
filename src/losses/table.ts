/** The built-in objectives by name, for configuration files and the command line. Options that one has no use for are ignored. */
import { binaryCrossEntropy } from "./binary-cross-entropy.ts";
import { type CrossEntropyOptions, crossEntropy } from "./cross-entropy.ts";
import type { Loss } from "./loss.ts";

export const LOSSES = {
  "cross-entropy": (options?: CrossEntropyOptions) => crossEntropy(options),
  "binary-cross-entropy": (_options?: CrossEntropyOptions) => binaryCrossEntropy(),
} as const satisfies Record<string, (options?: CrossEntropyOptions) => Loss>;

export type LossName = keyof typeof LOSSES;
