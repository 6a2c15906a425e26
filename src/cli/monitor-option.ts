/** `--monitor`: which measure of the validation images decides which epoch is best. */
import type { Task } from "../data/sample.ts";
import type { Monitor } from "../train/callback.ts";
import { EPOCH_MEASURES } from "../train/epoch-measures.ts";
import { nearest, UsageError } from "./arguments.ts";

/** What can be monitored of a task, and which way it gets better. */
const measuresOf = (task: Task): Readonly<Record<string, Monitor["mode"]>> => EPOCH_MEASURES[task];

const LISTS = {
  "single-label": "classes",
  "multi-label": "several labels per image",
  regression: "numbers",
} as const satisfies Record<Task, string>;

/** What can be monitored, for help and messages. */
export const MONITOR_FORMS = Object.entries(LISTS)
  .map(([task, words]) => `${Object.keys(measuresOf(task as Task)).join(", ")} for ${words}`) // the keys of a literal are all there are
  .join("; ");

/**
 * Returns the measure, and whether less of it is better.
 * @throws UsageError for one that no task has, or the wrong direction.
 */
export function readMonitor(given: string | undefined): Monitor | undefined {
  if (given === undefined) return undefined;
  const [, measure, asked] = /^([A-Za-z]\w*)(?::(min|max))?$/.exec(given) ?? [];
  const known = new Map(Object.values(EPOCH_MEASURES).flatMap((measures) => Object.entries(measures)));
  const mode = measure === undefined ? undefined : known.get(measure);
  if (measure === undefined || mode === undefined) {
    const near = nearest(measure ?? given, [...known.keys()]);
    throw new UsageError(
      `--monitor requires a measure of the validation images, ${MONITOR_FORMS}; got "${given}".${near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : ""}`,
    );
  }
  if (asked !== undefined && asked !== mode)
    throw new UsageError(
      `--monitor ${given} would keep the worst epoch: of ${measure}, ${mode === "min" ? "less" : "more"} is better. Use --monitor ${measure}.`,
    );
  return { measure, mode };
}

/** @throws UsageError if data of the task have no such measure. */
export function checkMonitor(monitor: Monitor | undefined, task: Task): void {
  if (monitor === undefined || Object.hasOwn(measuresOf(task), monitor.measure)) return;
  throw new UsageError(
    `--monitor requires a measure of ${task} data, ${Object.keys(measuresOf(task)).join(", ")}; got "${monitor.measure}".`,
  );
}
