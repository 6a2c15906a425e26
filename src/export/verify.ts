/** The parity gate: an exported file must predict on real images what the model in training predicted. */
import { RootstockError } from "../errors.ts";
import { loadModel } from "../models/load-model.ts";

/** Largest difference of a probability that rounding may explain: float32, another order of the same operations. */
const PARITY_TOLERANCE = 1e-3;

/** What the training path found for some image files. */
export interface ParityCheck {
  readonly files: readonly string[];
  /** Probabilities [files.length, numClasses] row-major. */
  readonly probabilities: Float32Array;
}

/**
 * Loads a file as a user would and predicts the images with it.
 * @throws RootstockError PARITY with the worst image and class, if a probability differs by more than PARITY_TOLERANCE.
 */
export async function verifyExport(path: string, { files, probabilities }: ParityCheck): Promise<void> {
  await using model = await loadModel(path);
  const numClasses = probabilities.length / files.length;
  let row = 0;
  for await (const prediction of model.predictFiles(files, { top: 1 })) {
    if ("error" in prediction)
      throw new RootstockError("PARITY", `the exported file cannot predict ${prediction.file}: ${prediction.error}.`);
    for (const [i, got] of prediction.probabilities.entries()) {
      const wanted = probabilities[row * numClasses + i]!;
      if (!(Math.abs(got - wanted) <= PARITY_TOLERANCE)) {
        throw new RootstockError(
          "PARITY",
          `the exported file gives ${prediction.file} a probability of ${got.toFixed(6)} for "${model.labels?.[i]}", training gave ${wanted.toFixed(6)} ` +
            `(tolerance ${PARITY_TOLERANCE}). The file was not written. This is a fault of Rootstock or of the runtime: please report it.`,
        );
      }
    }
    row++;
  }
}
