/** The parity gate: an exported file must predict on real images what the model in training predicted. */
import type { ImageSource } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import { loadModel } from "../models/load-model.ts";
import type { Model, Prediction } from "../models/model.ts";

/**
 * Largest difference of a probability that rounding may explain: float32, another order of the same operations. A value
 * may differ by this many deviations of its target.
 */
const PARITY_TOLERANCE = 1e-3;

/** What float32 cannot tell apart, as a share of the value, over a few sums: for targets far from 0. */
const ROUNDING = 2 ** -20;

/** What the training path found for some images. */
export interface ParityCheck {
  readonly files: readonly ImageSource[];
  /** Probabilities or values, [files.length, numClasses] row-major. */
  readonly outputs: Float32Array;
  /** The unit of each output, [numClasses]: the deviation of a regression's targets in training. @default 1 for all */
  readonly units?: readonly number[] | undefined;
}

/**
 * Loads a file as a user would and predicts the images with it.
 * @throws RootstockError PARITY with the worst image and class, if an output differs by more than PARITY_TOLERANCE units.
 */
export async function verifyExport(path: string, { files, outputs, units }: ParityCheck): Promise<void> {
  await using model = await loadModel(path);
  const width = outputs.length / files.length;
  let row = 0;
  for await (const prediction of model.predictFiles(files, { top: 1 })) {
    if ("error" in prediction)
      throw new RootstockError("PARITY", `the exported file cannot predict ${prediction.file}: ${prediction.error}.`);
    for (const [i, got] of outputsOf(prediction, model).entries()) {
      const wanted = outputs[row * width + i]!;
      const tolerance = PARITY_TOLERANCE * (units?.[i] ?? 1) + (units ? ROUNDING * Math.abs(wanted) : 0);
      if (!(Math.abs(got - wanted) <= tolerance)) {
        const what = model.task === "regression" ? "a value" : "a probability";
        throw new RootstockError(
          "PARITY",
          `the exported file gives ${prediction.file} ${what} of ${digits(got)} for "${model.labels?.[i]}", training gave ${digits(wanted)} ` +
            `(tolerance ${tolerance}). The file was not written. This is a fault of Rootstock or of the runtime: please report it.`,
        );
      }
    }
    row++;
  }
}

/** The numbers of a prediction in the order of the model's output. */
function outputsOf(prediction: Exclude<Prediction, { readonly error: string }>, { labels = [] }: Model): number[] {
  if ("values" in prediction) return labels.map((label) => prediction.values[label]!);
  return Array.from(prediction.probabilities);
}

const digits = (value: number): string => (Math.abs(value) < 1e4 ? value.toFixed(6) : value.toPrecision(9));
