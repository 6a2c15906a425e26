import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { linearHead } from "../../../src/models/head.ts";
import type { EpochReport } from "../../../src/train/callback.ts";
import { type SaveWeightsOptions, saveWeights } from "../../../src/train/callbacks/save-weights.ts";
import { fileSource } from "../../../src/weights/file-source.ts";
import { openSafetensors } from "../../../src/weights/safetensors.ts";
import { epochReport, phaseReport, recordedControl, scratchFolder } from "./reports.ts";

/** Weights of an epoch: all are its number. */
function weightsOf(epoch: number) {
  const parameters = linearHead({ width: 2, numClasses: 3 });
  for (const { data } of parameters.values()) data.fill(epoch);
  return parameters;
}

async function run(options: SaveWeightsOptions, reports: readonly EpochReport[], phases = ["head"]) {
  const callback = saveWeights(options);
  for (const phase of phases) {
    await callback.onPhaseStart?.(phaseReport({ phase }), recordedControl().control);
    for (const report of reports)
      await callback.onEpochEnd?.({ ...report, phase }, recordedControl(weightsOf(report.epoch)).control);
  }
  return callback;
}

/** What is in a file: its metadata, and the value of all its numbers. */
function read(file: string) {
  const source = openSafetensors(fileSource(file));
  try {
    const tensors = source.names.map((name) => [name, source.read(name)] as const);
    expect(tensors.map(([name, { shape, dtype }]) => [name, dtype, shape])).toEqual(
      expect.arrayContaining([
        ["head.weight", "float32", [3, 2]],
        ["head.bias", "float32", [3]],
      ]),
    );
    const values = new Set(tensors.flatMap(([, { data }]) => [...(data as Float32Array)]));
    return { values: [...values], metadata: Object.fromEntries(source.metadata) };
  } finally {
    source.close();
  }
}

const reports = [1, 2, 3, 4, 5].map((epoch) => epochReport(epoch, { best: epoch === 1 || epoch === 3 }));

test("saves the best epoch, and says what it was", async () => {
  const folder = scratchFolder();
  await run({ folder }, reports);
  expect(readdirSync(folder, { recursive: true }).sort()).toEqual(["1-head", join("1-head", "best.safetensors")]);
  expect(read(join(folder, "1-head", "best.safetensors"))).toEqual({
    values: [3],
    metadata: { phase: "head", epoch: "3", steps: "30", trainLoss: String(1 / 3), "validation.loss": String(2 / 3) },
  });
});

test("saves the last epoch of each phase", async () => {
  const folder = scratchFolder();
  await run({ folder, which: "last" }, reports, ["head", "last"]);
  for (const phase of ["1-head", "2-last"]) expect(read(join(folder, phase, "last.safetensors")).values).toEqual([5]);
});

test("saves every second epoch and keeps all", async () => {
  const folder = scratchFolder();
  await run({ folder, which: "every", every: 2 }, reports);
  expect(readdirSync(join(folder, "1-head")).sort()).toEqual(["epoch-0002.safetensors", "epoch-0004.safetensors"]);
  expect(read(join(folder, "1-head", "epoch-0002.safetensors")).values).toEqual([2]);
});

test("a continued run writes to the folder of its phase", async () => {
  const folder = scratchFolder();
  const first = await run({ folder, which: "last" }, reports.slice(0, 2), ["head", "last"]);
  const second = saveWeights({ folder, which: "last" });
  second.restore?.(JSON.parse(JSON.stringify(first.state?.())));
  const { control } = recordedControl(weightsOf(3));
  await second.onPhaseStart?.(phaseReport({ phase: "last", epochsDone: 2 }), control);
  await second.onEpochEnd?.({ ...reports[2]!, phase: "last" }, control);
  expect(readdirSync(folder).sort()).toEqual(["1-head", "2-last"]);
  expect(read(join(folder, "2-last", "last.safetensors")).values).toEqual([3]);
});

test.each([
  ["a file", (folder: string) => join(folder, "file")],
  ["below a file", (folder: string) => join(folder, "file", "a")],
  ["with a zero byte", (folder: string) => join(folder, "a\0")],
])("a folder that cannot be made is a clear error: %s", async (_what, path) => {
  const folder = scratchFolder();
  writeFileSync(join(folder, "file"), "");
  await expect(run({ folder: path(folder), which: "last" }, reports)).rejects.toMatchObject({ code: "CANNOT_WRITE" });
  expect(readdirSync(folder)).toEqual(["file"]);
});

test.each([
  [{ folder: "" }, 'save-weights requires the name of a folder, got "".'],
  [{ folder: "a", which: "every" as const, every: 0 }, "every requires a whole number from 1, got 0."],
  [{ folder: "a", every: 2 }, 'every requires which "every", got "best".'],
  [{ folder: "a", which: "worst" as "best" }, 'which requires one of best, last, every, got "worst".'],
])("refuses %o", (options, message) => {
  expect(() => saveWeights(options)).toThrow(new RangeError(message));
});
