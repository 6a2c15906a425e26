/** The targets of a batch in the form that a loss reads: Keras's class modes in our words. */
import { RootstockError } from "../errors.ts";
import { checkChoice } from "../transforms/known-options.ts";
import type { Dataset, Sample, Task } from "./sample.ts";

/**
 * How targets are written; n samples, c classes or named targets.
 * - sparse: the class index of each sample, int32 [n]. Single-label.
 * - categorical: one 1 among zeros, float32 [n, c]. Single-label.
 * - binary: 0 or 1, float32 [n]. Single-label with two classes.
 * - multi-hot: a 1 for each class that is there, float32 [n, c]. Multi-label.
 * - raw: the values, float32 [n, c]. Regression.
 * - none: no targets.
 */
export type TargetMode = "sparse" | "categorical" | "binary" | "multi-hot" | "raw" | "none";

/** Which tasks have targets of a mode. */
const TASKS: { readonly [Mode in TargetMode]: readonly Task[] } = {
  sparse: ["single-label"],
  categorical: ["single-label"],
  binary: ["single-label"],
  "multi-hot": ["multi-label"],
  raw: ["regression"],
  none: ["single-label", "multi-label", "regression"],
};

/** Targets with their shape. */
export interface Targets {
  readonly data: Float32Array | Int32Array;
  /** [n] or [n, c]. */
  readonly shape: readonly number[];
}

/** Returns the mode that fits a task without being asked for: sparse, multi-hot or raw. */
export function defaultTargetMode(task: Task): TargetMode {
  return ({ "single-label": "sparse", "multi-label": "multi-hot", regression: "raw" } as const)[task];
}

/** Throws unless the dataset has targets of this mode. @throws RootstockError BAD_CONFIG */
export function checkTargetMode(mode: TargetMode, { task, classes }: Pick<Dataset, "task" | "classes">): void {
  checkChoice("targets", mode, Object.keys(TASKS));
  const tasks = TASKS[mode];
  if (!tasks.includes(task)) {
    throw new RootstockError(
      "BAD_CONFIG",
      `targets "${mode}" require a ${tasks.join(" or ")} dataset, got a ${task} one. Use "${defaultTargetMode(task)}".`,
    );
  }
  if (mode === "binary" && classes.length !== 2) {
    throw new RootstockError(
      "BAD_CONFIG",
      `targets "binary" require two classes, got ${classes.length}. Use "sparse" or "categorical".`,
    );
  }
}

/** Returns the targets of samples, undefined for "none". @param width Number of the dataset's classes. */
export function targetsOf(samples: readonly Sample[], mode: TargetMode, width: number): Targets | undefined {
  if (mode === "none") return undefined;
  const n = samples.length;
  if (mode === "sparse") return { data: Int32Array.from(samples, ({ target }) => target[0]!), shape: [n] };
  if (mode === "binary") return { data: Float32Array.from(samples, ({ target }) => target[0]!), shape: [n] };
  const data = new Float32Array(n * width);
  for (const [i, { target }] of samples.entries()) {
    if (mode === "raw") data.set(target, i * width);
    else for (const label of target) data[i * width + label] = 1;
  }
  return { data, shape: [n, width] };
}
