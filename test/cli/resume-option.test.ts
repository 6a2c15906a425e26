import { statSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { OptionTable } from "../../src/cli/arguments.ts";
import { aboutCommand, readCommand } from "../../src/cli/resume-option.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { written } from "../train/killed-run.ts";
import { cli } from "./made.ts";

const TABLE = {
  model: { kind: "text", value: "<model>", help: "" },
  kind: { kind: "text", value: "<kind>", choices: ["a", "b"], help: "" },
  epochs: { kind: "number", value: "<n>", min: 1, max: 9, whole: true, help: "" },
  quick: { kind: "flag", help: "" },
} as const satisfies OptionTable;

/** Folder of an interrupted run with this config; a text stands as it is. */
async function runWith(config: object | string): Promise<string> {
  const folder = await temporaryFolder();
  const text = typeof config === "string" ? config : JSON.stringify({ rootstockRun: 1, ...config });
  await writeFile(join(folder, "config.json"), text);
  await writeFile(join(folder, "data.json"), "{}");
  return folder;
}

test("a command line is read back as it was given", async () => {
  const given = { model: "resnet50", kind: undefined, epochs: 3, quick: true };
  const run = await runWith({ about: aboutCommand("train", ["src"], { ...given, out: "runs/a" }) });
  expect(await readCommand(run, "train", TABLE)).toEqual({ inputs: [resolve("src")], options: given });
});

test("paths in it are whole, so that it means the same in another folder; words stay words", () => {
  const paths = { model: "package.json", images: "src", val: "test", preprocessing: "README.md", augment: "LICENSE" };
  const words = {
    ...{ model: "resnet50", val: "0.2", preprocessing: "imagenet", augment: "light" },
    cut: "src",
    seed: 3,
  };
  const optionsOf = (options: object) => aboutCommand("train", ["src"], { ...options }) as { options: object };
  expect(optionsOf(paths).options).toEqual(
    Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, resolve(path)])),
  );
  expect(optionsOf(words).options).toEqual(words);
});

test("what is no longer where it was is an error that says where, and how to give another place", async () => {
  const gone = join(await temporaryFolder(), "photos");
  const about = (data: string, model: string) => ({ about: { command: "train", inputs: [data], options: { model } } });
  for (const [config, what, advice] of [
    [about(gone, "resnet50"), "its images", "give their new place: rootstock train --resume .* <data>$"],
    [about(resolve("src"), gone), "what --model names", 'new place into "about" of .*config\\.json'],
  ] as const)
    await expect(readCommand(await runWith(config), "train", TABLE)).rejects.toMatchObject({
      code: "BAD_DATA",
      message: expect.stringMatching(new RegExp(`requires ${what} where .* nothing at ${gone} any more\\..*${advice}`)),
    });
  const read = await readCommand(await runWith(about(gone, "resnet50")), "train", TABLE, ["src"]);
  expect(read.inputs).toEqual(["src"]);
});

test("what an option does not take is left out or refused, and what is no option is not looked at", async () => {
  const about = (options: unknown) => ({ about: { command: "train", inputs: ["photos"], options } });
  const foreign = await runWith(about({ model: 3, epochs: "3", quick: "yes", hasOwnProperty: 1, constructor: "x" }));
  const none = { model: undefined, kind: undefined, epochs: undefined, quick: false };
  expect((await readCommand(foreign, "train", TABLE)).options).toEqual(none);
  for (const options of [{ epochs: 1e9 }, { epochs: -1 }, { epochs: 1.5 }, { kind: "c" }])
    await expect(readCommand(await runWith(about(options)), "train", TABLE)).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringMatching(/config\.json was changed: --(epochs|kind) requires /),
    });
});

const UNSAID = /its config\.json does not say how\..*with the option resume\.$/s;

test.each<readonly [string, object | string, RegExp]>([
  ["nothing", "", /its config\.json is empty\.$/],
  ["half of it", '{"about": {"command": "train"', /its config\.json is no JSON/],
  ["a list", "[1]", /its config\.json is not that of a run/],
  ["null", "null", /its config\.json is not that of a run/],
  ["another program", "{}", /its config\.json is not that of a run/],
  ["another release", { rootstockRun: 99 }, /another release wrote it, with version 99/],
  ["a run that a program started", {}, UNSAID],
  ["another command", { about: { command: "rm", inputs: ["/"], options: {} } }, UNSAID],
  ["no options", { about: { command: "train", inputs: ["photos"] } }, UNSAID],
  ["data that are no path", { about: { command: "train", inputs: [5], options: {} } }, UNSAID],
  ["a mountain of brackets", "[".repeat(1e7), /its config\.json nests/],
])("a config of %s is none to go on with", async (_, config, message) => {
  await expect(readCommand(await runWith(config), "train", TABLE)).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringMatching(message),
  });
});

describe("rootstock train --resume", () => {
  let root: string;
  let images: string;
  let model: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "rootstock-resume-option-"));
    process.env["ROOTSTOCK_CACHE"] = join(root, "cache");
    model = await writeTinyModel(join(root, "tiny.onnx"));
    images = await writeColorImages(join(root, "images"), 7);
  });

  /** Runs the command until the run in `out` has told of an epoch that was not there yet, and returns what it said. */
  async function interrupted(out: string, ...args: readonly string[]) {
    const controller = new AbortController();
    const metrics = join(out, "metrics.jsonl");
    const size = (): number => statSync(metrics, { throwIfNoEntry: false })?.size ?? 0;
    const before = size();
    const timer = setInterval(() => size() > before && controller.abort(), 5);
    const outcome = await cli(["train", ...args, "--json"], { signal: controller.signal });
    clearInterval(timer);
    return outcome;
  }
  const fast = ["--checkpoint-seconds", "0", "--epochs", "4000", "--patience", "4000", "--views", "0"];

  test("takes no other settings", async () => {
    const more = [["--epochs", "3"], ["--out", "x"], ["--no-cache"], ["--seed", "0"]];
    for (const given of more)
      expect(await cli(["train", "--resume", root, ...given])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("--resume goes on with the settings of the run; only --threads"),
      });
  });

  test("of what is no run is an error that says what is missing", async () => {
    for (const [path, what] of [
      [join(root, "nowhere"), "there is no such folder."],
      [images, "it has no config.json of a run."],
      [model, "it is a file."],
    ] as const)
      expect(await cli(["train", "--resume", path])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`requires the folder of an interrupted run, got ${path}: ${what}`),
      });
  });

  test.each(["held", "drawn", "folds", "splits"])("goes on with the images of each split: %s", async (kind) => {
    const folder = await temporaryFolder();
    const [out, other] = [join(folder, "run"), join(folder, "other")];
    const held = await writeColorImages(join(folder, "held"), 3, { seed: 9 });
    if (kind === "splits") await cli(["train", images, "--model", model, "--strategy", "probe", "--out", other]);
    const how = {
      held: ["--val", held],
      drawn: ["--val", "0.3", "--test", "0.1"],
      folds: ["--folds", "3", "--fold", "1"],
      splits: ["--splits", other],
    }[kind]!;
    const first = await interrupted(out, images, "--model", model, ...how, ...fast, "--out", out);
    expect([first.code, first.json.error.message]).toEqual([130, expect.stringContaining(`--resume ${out}`)]);
    await rm(other, { recursive: true, force: true }); // the run has its split in its own record
    const second = await interrupted(out, "--resume", out, "--threads", "1");
    expect([second.code, second.json.error.message]).toEqual([130, expect.stringContaining(`--resume ${out}`)]);
    expect(second.stderr).toMatch(/resume {4}after \d+ epochs?/);
  });

  test("reads the paths of the command in the folder where it was given", async () => {
    const folder = await temporaryFolder();
    await writeColorImages(join(folder, "images"), 7);
    await writeColorImages(join(folder, "held"), 3, { seed: 9 });
    await writeTinyModel(join(folder, "tiny.onnx"));
    const [here, out] = [process.cwd(), join(folder, "run")];
    onTestFinished(() => process.chdir(here));
    process.chdir(folder);
    const first = await interrupted(out, "images", "--model", "tiny.onnx", "--val", "held", ...fast, "--out", "run");
    expect(first.code).toBe(130);
    process.chdir(root); // which has another model and other images by these names
    const second = await interrupted(out, "--resume", out);
    expect([second.code, second.json.error.message]).toEqual([130, expect.stringContaining(`--resume ${out}`)]);
    await rename(join(folder, "images"), join(folder, "moved"));
    expect(await cli(["train", "--resume", out])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`there is nothing at ${join(folder, "images")} any more`),
    });
    const config = await readFile(join(out, "config.json"), "utf8");
    await writeFile(join(out, "config.json"), config.replace(join(folder, "images"), join(folder, "moved")));
    const third = await interrupted(out, "--resume", out);
    expect(third.json.error.message).toContain(`--resume ${out}`);
  });

  test("of data, a model or settings that are others now is an error that names them", async () => {
    const folder = await temporaryFolder();
    const own = await writeColorImages(join(folder, "images"), 7);
    const out = join(folder, "run");
    expect((await interrupted(out, own, "--model", model, ...fast, "--out", out)).code).toBe(130);
    const config = await readFile(join(out, "config.json"), "utf8");
    await writeFile(join(out, "config.json"), config.replace('"epochs": 4000', '"epochs": 5'));
    const refused = await cli(["train", "--resume", out]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/recipe\.epochs was 5 and is 4000/) });
    await writeFile(join(out, "config.json"), config);
    await writeColorImages(own, 1, { seed: 8 });
    const changed = await cli(["train", "--resume", out]);
    expect(changed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /changed since: 3 images differ .*: blue\/0\.png has another content, green\/0\.png/,
      ),
    });
  });

  test("takes the new place of its images, and ends as if they had stayed", async () => {
    const folder = await temporaryFolder();
    const [own, moved, out] = ["images", "moved", "run"].map((name) => join(folder, name)) as [string, string, string];
    await writeColorImages(own, 7);
    const short = ["--strategy", "last", "--epochs", "3", "--checkpoint-seconds", "0", "--views", "0"];
    const whole = join(folder, "whole", "run"); // a model has the name of its run
    expect((await cli(["train", own, "--model", model, ...short, "--out", whole])).code).toBe(0);
    expect((await interrupted(out, own, "--model", model, ...short, "--out", out)).code).toBe(130);
    await rename(own, moved);
    expect(await cli(["train", "--resume", out])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`give their new place: rootstock train --resume ${out} <data>`),
    });
    expect(await cli(["train", "--resume", out, images, moved])).toMatchObject({ code: 2 });
    const other = await writeColorImages(join(folder, "other"), 7, { seed: 4 });
    expect(await cli(["train", "--resume", out, other])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("they have changed since: 21 images differ"),
    });
    expect(await cli(["train", "--resume", out, moved])).toMatchObject({ code: 0 });
    expect(await written(out)).toEqual(await written(whole));
    expect(await cli(["train", "--resume", out])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`that run is complete, with its model in ${join(out, "model.onnx")}. To train`),
    });
  });

  test("of a distillation takes the new place of its images too", async () => {
    const folder = await temporaryFolder();
    const [own, moved, out, whole] = ["images", "moved/here", "run", "whole/run"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
      string,
    ];
    await writeColorImages(own, 7);
    const student = await writeTinyModel(join(folder, "student.onnx"), { seed: 3 });
    const how = ["--student", student, "--views", "2", "--batch-size", "8", "--val", "0.2", "--no-cache"];
    const args = ["distill", own, "--teacher", model, ...how, "--epochs", "6", "--checkpoint-seconds", "0"];
    expect((await cli([...args, "--out", whole])).code).toBe(0);
    const controller = new AbortController();
    const metrics = join(out, "metrics.jsonl");
    const timer = setInterval(() => statSync(metrics, { throwIfNoEntry: false }) && controller.abort(), 5);
    expect((await cli([...args, "--out", out], { signal: controller.signal })).code).toBe(130);
    clearInterval(timer);
    await mkdir(join(folder, "moved"));
    await rename(own, moved);
    expect(await cli(["distill", "--resume", out])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`rootstock distill --resume ${out} <data>`),
    });
    const here = process.cwd();
    onTestFinished(() => process.chdir(here));
    process.chdir(join(folder, "moved"));
    const { code, stderr } = await cli(["distill", "--resume", out, "here"]);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/resume {4}after/)]);
    for (const name of ["model.onnx", "metrics.jsonl"])
      expect(await readFile(join(out, name), "base64")).toBe(await readFile(join(whole, name), "base64"));
  });
});
