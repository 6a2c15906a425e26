import { join } from "node:path";
import { expect, test } from "vitest";
import { compareRuns } from "../../../src/train/runs/compare-runs.ts";
import { temporaryFolder } from "../../data/made.ts";
import { CONFIG, complete, dataOf, type Files, RESULT, realRun, writeRun } from "./made.ts";

async function compareFiles(...folders: readonly Files[]) {
  const root = await temporaryFolder();
  return await compareRuns(await Promise.all(folders.map((files, i) => writeRun(join(root, `run-${i}`), files))));
}

const accuracy = (value: number, interval: readonly [number, number]): Files =>
  complete(1, { "result.json": { ...RESULT, metrics: { accuracy: value }, intervals: { accuracy: interval } } });

test("two real runs differ in what they were told, and their measures stand side by side", async () => {
  const root = await temporaryFolder();
  const paths = [await realRun(root, "a", { seed: 1, epochs: 3 }), await realRun(root, "b", { seed: 1, epochs: 5 })];
  const { labels, settings, measures, warnings } = await compareRuns(paths);
  expect(labels).toEqual(["a", "b"]);
  expect(settings).toContainEqual({ name: "recipe.epochs", values: [3, 5] });
  expect(settings.map(({ name }) => name)).not.toContain("recipe.seed");
  expect(settings.map(({ name }) => name)).not.toContain("environment.startedAt");
  expect(measures[0]).toMatchObject({
    name: "accuracy",
    values: [{ interval: [expect.any(Number), expect.any(Number)] }, {}],
  });
  expect(warnings.filter((warning) => /not measured on the same|not known/.test(warning))).toEqual([]);
});

test("settings of other releases are compared by one name", async () => {
  const { recipe, model, ...rest } = CONFIG;
  const first = complete(1, {
    "config.json": { ...rest, model: model.name, settings: { ...recipe, optimizer: "sgd" } },
  });
  const comparison = await compareFiles(first, complete(2));
  expect(comparison.settings.toSorted((a, b) => (a.name < b.name ? 1 : -1))).toEqual([
    { name: "recipe.optimizer", values: ["sgd", "adamw"] },
    { name: "model.sha256", values: [undefined, "ab"] },
  ]);
});

test("images and the machine count as settings", async () => {
  const other = complete(1, { "data.json": dataOf(12), "environment.json": { cpu: "another", cores: 8 } });
  expect((await compareFiles(complete(1), other)).settings).toEqual([
    { name: "images.validation", values: [10, 12] },
    { name: "environment.cpu", values: ["some", "another"] },
  ]);
});

test("a difference within the interval is a warning in plain words", async () => {
  const { warnings, differences } = await compareFiles(accuracy(0.9, [0.83, 0.94]), accuracy(0.93, [0.86, 0.97]));
  expect(differences).toMatchObject([{ measure: "accuracy", value: expect.closeTo(0.03, 12), clear: false }]);
  expect(warnings).toEqual([
    "run-1 and run-0 differ in accuracy by less than the 95 % interval of the difference: chance alone could explain it. Do not choose between them by this number; measure both on more images.",
  ]);
});

test("a clear difference is none, and the best is compared with each of the others", async () => {
  const runs = [accuracy(0.9, [0.83, 0.94]), accuracy(0.6, [0.5, 0.69]), accuracy(0.93, [0.86, 0.97])];
  const { warnings, differences } = await compareFiles(...runs);
  expect(differences.map(({ clear }) => clear)).toEqual([false, true]);
  expect(warnings).toEqual([expect.stringMatching(/^run-2 and run-0 differ/)]);
  expect((await compareFiles(runs[0]!, runs[0]!)).warnings).toEqual([
    "run-1 and run-0 have the same accuracy. Do not choose between them by this number; measure both on more images.",
  ]);
});

test("numbers of other images are not compared", async () => {
  const { warnings } = await compareFiles(complete(1), complete(1, { "data.json": dataOf(8, 100) }));
  expect(warnings).toEqual([
    expect.stringContaining(
      "not measured on the same images, so their numbers cannot be compared: run-0 on 10 images of validation; run-1 on 8 images of validation",
    ),
  ]);
  const { "data.json": _, ...without } = complete(1);
  expect((await compareFiles(complete(1), without)).warnings).toEqual([
    expect.stringContaining("is not known of every run"),
  ]);
});

test("other tasks and runs without a result are told", async () => {
  const values = complete(1, { "result.json": { ...RESULT, task: "regression", metrics: { r2: 0.8 } } });
  expect((await compareFiles(complete(1), values)).warnings).toEqual([
    "these runs learned different tasks (single-label, regression): their numbers say nothing about each other.",
  ]);
  const { "result.json": _, ...ended } = complete(1);
  const { warnings, measures, differences } = await compareFiles(
    complete(1),
    ended,
    complete(1, { "config.json": "{" }),
  );
  expect(warnings).toEqual([
    "run-1 is incomplete: its numbers are not compared.",
    expect.stringContaining("run-2: config.json is no JSON"),
    "run-2 is damaged: its numbers are not compared.",
  ]);
  expect(differences).toEqual([]);
  expect(measures.find(({ name }) => name === "accuracy")?.values[1]).toBeUndefined();
});

test("runs of one name in two folders are called by their paths", async () => {
  const root = await temporaryFolder();
  const paths = [
    await writeRun(join(root, "x", "run"), complete(1)),
    await writeRun(join(root, "y", "run"), complete(1)),
  ];
  expect((await compareRuns(paths)).labels).toEqual(paths);
});

test("one run, too many and no run are refused", async () => {
  const path = await writeRun(join(await temporaryFolder(), "run"), complete(1));
  await expect(compareRuns([path])).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining("got 1"),
  });
  await expect(compareRuns(Array.from({ length: 101 }, () => path))).rejects.toMatchObject({ code: "BAD_CONFIG" });
  await expect(compareRuns([path, join(path, "..")])).rejects.toMatchObject({ code: "BAD_CONFIG" });
});
