import { expect, test } from "vitest";
import { UsageError } from "../../src/cli/arguments.ts";
import { checkMonitor, MONITOR_FORMS, readMonitor } from "../../src/cli/monitor-option.ts";
import type { Task } from "../../src/data/sample.ts";
import { EPOCH_MEASURES } from "../../src/train/epoch-measures.ts";

test.each(Object.entries(EPOCH_MEASURES))("what can be monitored of %s data is said and taken", (task, measures) => {
  for (const measure of Object.keys(measures)) {
    expect(MONITOR_FORMS).toContain(measure);
    expect(() => checkMonitor(readMonitor(measure), task as Task)).not.toThrow();
  }
});

test.each([
  ["loss", "loss", "min"],
  ["loss:min", "loss", "min"],
  ["mae", "mae", "min"],
  ["rmse", "rmse", "min"],
  ["r2", "r2", "max"],
  ["macroF1", "macroF1", "max"],
  ["accuracy:max", "accuracy", "max"],
])("%s is %s, the more or the less: %s", (text, measure, mode) => {
  expect(readMonitor(text)).toEqual({ measure, mode });
});

test.each([
  ["acuracy", 'got "acuracy". Did you mean accuracy?'],
  ["rocAuc", "loss, accuracy, balancedAccuracy, macroF1 for classes; loss, exactMatch"],
  ["loss:most", 'got "loss:most"'],
  [":min", 'got ":min"'],
  ["constructor", "--monitor requires a measure of the validation images"],
  ["loss:max", "--monitor loss:max would keep the worst epoch: of loss, less is better. Use --monitor loss."],
  ["accuracy:min", "of accuracy, more is better. Use --monitor accuracy."],
])("%s is a mistake on the command line", (text, message) => {
  expect(() => readMonitor(text)).toThrow(UsageError);
  expect(() => readMonitor(text)).toThrow(message);
});
