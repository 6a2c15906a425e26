import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { interruptedRun, readRunConfig } from "../../src/train/interrupted-run.ts";
import { temporaryFolder } from "../data/made.ts";
import { type Files, writeRun } from "./runs/made.ts";

const INTERRUPTED: Files = {
  "config.json": { rootstockRun: 1, a: 1 },
  "data.json": {},
  "checkpoints/000000-000001.safetensors": "x",
};

test("the config of a run that can go on is read", async () => {
  const path = await writeRun(join(await temporaryFolder(), "run"), INTERRUPTED);
  expect(await interruptedRun(path)).toEqual({ rootstockRun: 1, a: 1 });
  expect(await readRunConfig(path)).toEqual({ kind: "run", config: { rootstockRun: 1, a: 1 } });
});

test.each<[string, Files, string]>([
  ["no config", { "config.json": undefined }, "it has no config.json of a run"],
  ["an empty one", { "config.json": "" }, "its config.json is empty"],
  ["one of another program", { "config.json": [1] }, "its config.json is not that of a run"],
  ["a later layout", { "config.json": { rootstockRun: 99 } }, "another release wrote it, with version 99"],
  ["a result", { "result.json": {} }, "that run is complete, with its model in"],
  ["no record of images", { "data.json": undefined }, "its data.json is missing, the record of its images"],
  [
    "nothing but a config",
    { "data.json": undefined, "checkpoints/000000-000001.safetensors": undefined },
    "it was interrupted before it had begun",
  ],
])("a folder with %s is told as what it is", async (_, files, message) => {
  const path = join(await temporaryFolder(), "run");
  await writeRun(path, Object.fromEntries(Object.entries({ ...INTERRUPTED, ...files }).filter(([, file]) => file)));
  if (files["config.json"] === "") await writeFile(join(path, "config.json"), "");
  await expect(interruptedRun(path)).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining(`--resume requires the folder of an interrupted run, got ${path}: ${message}`),
  });
});

test("so are a file, and nothing at all", async () => {
  const path = join(await temporaryFolder(), "run");
  await writeFile(path, "x");
  await expect(interruptedRun(path)).rejects.toThrow("it is a file.");
  await rm(path);
  await expect(interruptedRun(path)).rejects.toThrow("there is no such folder.");
  await mkdir(path);
  expect(await readRunConfig(path)).toEqual({ kind: "none" });
});
