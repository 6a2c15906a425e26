/** What is measured on the validation images after every epoch, by task, and which way each measure gets better. */
import type { Task } from "../data/sample.ts";
import { RootstockError } from "../errors.ts";
import { didYouMean } from "../transforms/known-options.ts";
import type { Monitor } from "./callback.ts";

/** By task, what `epochMeasures` gives: what can be monitored. */
export const EPOCH_MEASURES = {
  "single-label": { loss: "min", accuracy: "max", balancedAccuracy: "max", macroF1: "max" },
  "multi-label": { loss: "min", exactMatch: "max", microF1: "max", macroF1: "max", meanAveragePrecision: "max" },
  regression: { loss: "min", mae: "min", rmse: "min", r2: "max" },
} as const satisfies Readonly<Record<Task, Readonly<Record<string, Monitor["mode"]>>>>;

/**
 * Throws unless data of the task have the measure, and the mode is the way in which it gets better.
 * @param where What names the monitor in the message.
 * @throws RootstockError BAD_CONFIG
 */
export function checkMeasure(where: string, { measure, mode }: Monitor, task: Task): void {
  const known: Readonly<Record<string, Monitor["mode"]>> = EPOCH_MEASURES[task];
  const names = Object.keys(known);
  if (!Object.hasOwn(known, measure))
    throw new RootstockError(
      "BAD_CONFIG",
      `${where}.measure requires what is measured of ${task} data, ${names.join(", ")}, got ${JSON.stringify(measure)}.${didYouMean(measure, names)}`,
    );
  if (mode === known[measure]) return;
  throw new RootstockError(
    "BAD_CONFIG",
    `${where} would take the worst epoch for the best one: of ${measure}, ${known[measure] === "min" ? "less" : "more"} is better, got the mode "${mode}". Use { measure: "${measure}", mode: "${known[measure]}" }.`,
  );
}
