/** `--monitor`: which measure of the validation images decides which epoch is best. */
import type { Task } from "../data/sample.ts";
import type { Monitor } from "../train/callback.ts";
import { nearest, UsageError } from "./arguments.ts";

/** What is measured after every epoch, by task. */
export const EPOCH_MEASURES: Readonly<Record<Task, readonly string[]>> = {
  "single-label": ["loss", "accuracy", "balancedAccuracy", "macroF1"],
  "multi-label": ["loss", "exactMatch", "microF1", "macroF1", "meanAveragePrecision"],
  regression: ["loss", "mae", "rmse", "r2"],
};

/** Measures of which less is better. */
const ERRORS: readonly string[] = ["loss", "mae", "rmse"];

const LISTS = {
  "single-label": "classes",
  "multi-label": "several labels per image",
  regression: "numbers",
} as const satisfies Record<Task, string>;

/** What can be monitored, for help and messages. */
export const MONITOR_FORMS = Object.entries(LISTS)
  .map(([task, words]) => `${EPOCH_MEASURES[task as Task].join(", ")} for ${words}`) // the keys of a literal are all there are
  .join("; ");

/**
 * Returns the measure, and whether less of it is better.
 * @throws UsageError for one that no task has, or the wrong direction.
 */
export function readMonitor(given: string | undefined): Monitor | undefined {
  if (given === undefined) return undefined;
  const [, measure, asked] = /^([A-Za-z]\w*)(?::(min|max))?$/.exec(given) ?? [];
  const known = [...new Set(Object.values(EPOCH_MEASURES).flat())];
  if (measure === undefined || !known.includes(measure)) {
    const near = nearest((measure ?? given).toLowerCase(), known);
    throw new UsageError(
      `--monitor requires a measure of the validation images, ${MONITOR_FORMS}; got "${given}".${near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : ""}`,
    );
  }
  const mode = ERRORS.includes(measure) ? "min" : "max";
  if (asked !== undefined && asked !== mode)
    throw new UsageError(
      `--monitor ${given} would keep the worst epoch: of ${measure}, ${mode === "min" ? "less" : "more"} is better. Use --monitor ${measure}.`,
    );
  return { measure, mode };
}

/** @throws UsageError if data of the task have no such measure. */
export function checkMonitor(monitor: Monitor | undefined, task: Task): void {
  if (monitor === undefined || EPOCH_MEASURES[task].includes(monitor.measure)) return;
  throw new UsageError(
    `--monitor requires a measure of ${task} data, ${EPOCH_MEASURES[task].join(", ")}; got "${monitor.measure}".`,
  );
}
