import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { jsonLines } from "../../../src/train/callbacks/json-lines.ts";
import { epochReport, phaseReport, recordedControl, scratchFolder } from "./reports.ts";

const { control } = recordedControl();
const lines = (file: string): unknown[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

test("each epoch is a line, as it was reported", async () => {
  const file = join(scratchFolder(), "log.jsonl");
  const callback = jsonLines({ file });
  await callback.onPhaseStart?.(phaseReport(), control);
  const odd = epochReport(2, { phase: "a\nb", validation: { loss: Number.NaN } });
  for (const report of [epochReport(1), odd]) await callback.onEpochEnd?.(report, control);
  expect(lines(file)).toEqual([epochReport(1), { ...odd, validation: { loss: null } }]);
});

test("a continued run has no line twice, and none of a run that was lost", async () => {
  const file = join(scratchFolder(), "log.jsonl");
  const first = jsonLines({ file });
  await first.onPhaseStart?.(phaseReport(), control);
  await first.onEpochEnd?.(epochReport(1), control);
  const state = JSON.parse(JSON.stringify(first.state?.()));
  await first.onEpochEnd?.(epochReport(2), control);
  appendFileSync(file, '{"phase":"head","epo'); // killed while it wrote
  const second = jsonLines({ file });
  second.restore?.(state);
  await second.onPhaseStart?.(phaseReport({ epochsDone: 1 }), control);
  for (const epoch of [2, 3]) await second.onEpochEnd?.(epochReport(epoch), control);
  expect(lines(file)).toEqual([1, 2, 3].map((epoch) => epochReport(epoch)));
});

test("needs a file that is not there yet", async () => {
  const file = join(scratchFolder(), "log.jsonl");
  appendFileSync(file, "mine");
  await expect(jsonLines({ file }).onPhaseStart?.(phaseReport(), control)).rejects.toThrow(
    /json-lines requires a file of its own/,
  );
  expect(readFileSync(file, "utf8")).toBe("mine");
  expect(() => jsonLines({ file: "" })).toThrow(RangeError);
});
