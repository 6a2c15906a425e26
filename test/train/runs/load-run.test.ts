import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { unlabelledImages } from "../../../src/data/unlabelled-images.ts";
import { loadModel } from "../../../src/models/load-model.ts";
import { distill } from "../../../src/train/distill/distill.ts";
import type { FineTuneOptions } from "../../../src/train/options.ts";
import { loadRun, readRun } from "../../../src/train/runs/load-run.ts";
import { temporaryFolder } from "../../data/made.ts";
import { writeColorImages, writeTinyModel } from "../../models/tiny.ts";
import {
  CHECKPOINTS,
  CONFIG,
  complete,
  deadProcess,
  type Files,
  RESULT,
  realRun,
  startedAt,
  writeRun,
} from "./made.ts";

const summaryOf = async (files: Files) =>
  (await loadRun(await writeRun(join(await temporaryFolder(), "run"), files))).summary;

test("says of a real run what it was and what came out", async () => {
  const root = await temporaryFolder();
  const path = await realRun(root, "first", { seed: 3 });
  const { summary, config, result } = await loadRun(path);
  expect(summary).toMatchObject({
    id: "first",
    path,
    state: "complete",
    process: undefined,
    data: join(root, "images"),
    model: "tiny.onnx",
    strategy: expect.any(String),
    task: "single-label",
    evaluatedOn: "validation",
    epochs: 4,
    problems: [],
  });
  expect(summary.measures[0]).toMatchObject({
    name: "accuracy",
    value: expect.any(Number),
    interval: [expect.any(Number), expect.any(Number)],
  });
  expect(Date.parse(summary.startedAt!)).toBeGreaterThan(Date.now() - 120_000);
  expect(summary.seconds).toBeGreaterThan(0);
  expect(summary.bytes).toBeGreaterThan(1000);
  expect(config).toMatchObject({ recipe: { seed: 3 }, model: { name: "tiny.onnx" } });
  expect(result).toMatchObject({ task: "single-label" });
});

test("a real run that was stopped can go on, and is complete when it has", async () => {
  const root = await temporaryFolder();
  const stop = new AbortController();
  const onProgress: FineTuneOptions["onProgress"] = (event) => {
    if (event.kind === "epoch" && event.report.epoch === 2) stop.abort();
  };
  const path = join(root, "runs", "a");
  await expect(realRun(root, "a", { onProgress, signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
  expect((await loadRun(path)).summary).toMatchObject({
    state: "interrupted",
    checkpoints: 1,
    epochs: 2,
    abandonedLock: false,
    measures: [],
    problems: [],
  });
  await realRun(root, "a", { resume: true });
  expect((await loadRun(path)).summary).toMatchObject({ state: "complete", checkpoints: 0, epochs: 4 });
});

test("reads the forms of other releases as its own", async () => {
  const { recipe, model, ...rest } = CONFIG;
  const own = await summaryOf(complete(1));
  expect(own).toMatchObject({ strategy: "head", model: "resnet50.onnx", epochs: 20, seconds: 12.5 });
  for (const other of [
    { model: model.name, recipe: { unfreeze: "head" } },
    { model, settings: { strategy: "head" } },
    { model, settings: recipe },
  ]) {
    const summary = await summaryOf(complete(1, { "config.json": { ...rest, ...other } }));
    expect(summary).toEqual({ ...own, path: summary.path, bytes: summary.bytes });
  }
});

test.each<[string, Files]>([
  ["probe", { recipe: { phases: [] } }],
  ["last, last:2, all", { recipe: { phases: ["last", "last:2", "all"] } }],
  ["gradual", { recipe: { phases: ["last", "last:2", "all"] }, about: { options: { strategy: "gradual" } } }],
  ["auto: all", { recipe: { phases: ["all"] }, about: { options: { strategy: "auto" } } }],
  ["last:2", { recipe: { unfreeze: "last:2" } }],
])("calls the strategy %s", async (strategy, config) => {
  expect(await summaryOf(complete(1, { "config.json": { rootstockRun: 1, ...config } }))).toMatchObject({ strategy });
});

test("tells the states apart", async () => {
  const { "result.json": _, ...ended } = complete(1);
  const lock = (id: number): Files => ({ "run.lock": String(id) });
  const kept = CHECKPOINTS;
  expect(await summaryOf(complete(1))).toMatchObject({ state: "complete", abandonedLock: false });
  expect(await summaryOf({ ...ended, ...lock(process.ppid) })).toMatchObject({
    state: "running",
    process: process.ppid,
  });
  expect(await summaryOf({ ...ended, ...kept, ...lock(process.ppid) })).toMatchObject({ state: "running" });
  expect(await summaryOf({ ...ended, ...kept })).toMatchObject({ state: "interrupted", checkpoints: 1, epochs: 2 });
  expect(await summaryOf(ended)).toMatchObject({ state: "incomplete", measures: [], seconds: undefined });
  expect(await summaryOf({ ...ended, ...lock(await deadProcess()) })).toMatchObject({
    state: "incomplete",
    abandonedLock: true,
  });
  expect(await summaryOf(lock(process.ppid))).toMatchObject({ state: "running", model: undefined });
});

test.each<[string, Files, string]>([
  ["half a configuration", { "config.json": '{"rootstockRun": 1, "mod' }, "config.json is no JSON"],
  ["an empty one", { "config.json": "" }, "config.json is empty"],
  ["one of a later release", { "config.json": { ...CONFIG, rootstockRun: 2 } }, "got 2: another release wrote it"],
  ["a mark that is no version", { "config.json": { ...CONFIG, rootstockRun: { a: 1 } } }, 'got {"a":1}'],
])("a folder with %s is damaged, and says why", async (_, files, problem) => {
  expect(await summaryOf(complete(1, files))).toMatchObject({
    state: "damaged",
    model: undefined,
    problems: [expect.stringContaining(problem)],
  });
});

test("a folder with nothing but an old lock says that it has no configuration", async () => {
  const summary = await summaryOf({ "run.lock": String(await deadProcess()) });
  expect(summary).toMatchObject({ state: "damaged", problems: ["there is no config.json."] });
});

test("a configuration of a gigabyte is damage, and so is a result of one", async () => {
  const path = await writeRun(join(await temporaryFolder(), "run"), complete(1));
  await truncate(join(path, "result.json"), 1e9);
  expect((await loadRun(path)).summary).toMatchObject({
    state: "damaged",
    model: "resnet50.onnx",
    measures: [],
    problems: [expect.stringContaining("result.json has 1000000000 bytes")],
  });
  await truncate(join(path, "config.json"), 1e9);
  expect((await loadRun(path)).summary).toMatchObject({
    state: "damaged",
    problems: [expect.stringContaining("config.json has"), expect.anything()],
  });
});

test("fields of other types are left out, whatever they are", async () => {
  const summary = await summaryOf({
    "config.json": { rootstockRun: 1, model: [1], data: { a: 1 }, recipe: "fast" },
    "environment.json": [startedAt(1)],
    "result.json": { ...RESULT, seconds: undefined, epochs: undefined, metrics: { accuracy: null }, task: 3 },
  });
  expect(summary).toMatchObject({
    state: "complete",
    data: undefined,
    model: undefined,
    strategy: undefined,
    task: undefined,
    measures: [],
    epochs: undefined,
    seconds: undefined,
    problems: [],
  });
  expect(Date.parse(summary.startedAt!)).toBeGreaterThan(0);
});

test("a distillation says who was taught, by whom, and what came out", async () => {
  const root = await temporaryFolder();
  const images = await unlabelledImages([await writeColorImages(join(root, "images"), 5)], { validation: 0.2 });
  await using teacher = await loadModel(await writeTinyModel(join(root, "teacher.onnx")));
  await using student = await loadModel(await writeTinyModel(join(root, "student.onnx"), { seed: 3 }));
  const out = join(root, "run");
  const options = { cache: false, views: 1, epochs: 2, batchSize: 8, out };
  const { model, metrics } = await distill(teacher, student, images, options);
  await model.release();
  expect((await loadRun(out)).summary).toMatchObject({
    state: "complete",
    task: "distill",
    model: "student.onnx",
    strategy: "distill: teacher.onnx",
    evaluatedOn: "validation",
    measures: [{ name: "loss", value: metrics["loss"] }],
    epochs: 2,
    seconds: expect.any(Number),
    problems: [],
  });
});

test.each(["3026-99-99", "yesterday", "-271821-04-20T00:00:00.000Z", "+275760-09-13T00:00:00.000Z"])(
  "a start of %s is none: the first file's time stands for it",
  async (startedAt) => {
    const summary = await summaryOf({ ...complete(1), "environment.json": { startedAt } });
    expect(Date.parse(summary.startedAt!)).toBeGreaterThan(Date.now() - 60_000);
  },
);

test("what is no run is none: an empty folder, somebody else's configuration, a file", async () => {
  const root = await temporaryFolder();
  await mkdir(join(root, "empty"));
  await writeRun(join(root, "model"), { "config.json": { model_type: "resnet" }, "result.json": RESULT });
  await writeFile(join(root, "file"), "");
  for (const name of ["empty", "model", "file", "absent"]) {
    expect(await readRun(join(root, name))).toBeUndefined();
    await expect(loadRun(join(root, name))).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining(name),
    });
  }
});
