import { expect, test } from "vitest";
import { DISTILL_OPTIONS, FINE_TUNE_OPTIONS } from "../../src/train/option-names.ts";
import { checkKeys } from "../../src/transforms/known-options.ts";

test.each([
  ["learning_rate", "learningRate"],
  ["epoch", "epochs"],
  ["batch_size", "batchSize"],
])("%s is refused of both, which take %s", (given, meant) => {
  for (const known of [FINE_TUNE_OPTIONS, DISTILL_OPTIONS]) {
    checkKeys("fineTune", { [meant]: 1 }, known);
    expect(() => checkKeys("fineTune", { [given]: 1 }, known)).toThrow(
      `fineTune has no option "${given}". Did you mean ${meant}`,
    );
  }
});
