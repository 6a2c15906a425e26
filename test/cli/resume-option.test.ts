import { statSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { OptionTable } from "../../src/cli/arguments.ts";
import { aboutCommand, readCommand } from "../../src/cli/resume-option.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { cli } from "./made.ts";

const TABLE = {
  model: { kind: "text", value: "<model>", help: "" },
  kind: { kind: "text", value: "<kind>", choices: ["a", "b"], help: "" },
  epochs: { kind: "number", value: "<n>", min: 1, max: 9, whole: true, help: "" },
  quick: { kind: "flag", help: "" },
} as const satisfies OptionTable;

/** Folder of a run with this config. */
async function runWith(config: unknown): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "config.json"), typeof config === "string" ? config : JSON.stringify(config));
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
  for (const [config, what] of [
    [about(gone, "resnet50"), "its images"],
    [about(resolve("src"), gone), "what --model names"],
  ] as const)
    await expect(readCommand(await runWith(config), "train", TABLE)).rejects.toMatchObject({
      code: "BAD_DATA",
      message: expect.stringMatching(
        new RegExp(
          `requires ${what} where .* nothing at ${gone} any more\\..*new place into "about" of .*config\\.json`,
        ),
      ),
    });
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

test.each([
  ["nothing", ""],
  ["half of it", '{"about": {"command": "train"'],
  ["a list", "[1]"],
  ["null", "null"],
  ["a run that a program started", "{}"],
  ["another command", { about: { command: "rm", inputs: ["/"], options: {} } }],
  ["no options", { about: { command: "train", inputs: ["photos"] } }],
  ["data that are no path", { about: { command: "train", inputs: [5], options: {} } }],
  ["a mountain of brackets", "[".repeat(1e7)],
])("a config of %s is none to go on with", async (_, config) => {
  await expect(readCommand(await runWith(config), "train", TABLE)).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringMatching(/its config\.json does not say how\..*with the option resume\.$/s),
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

  test("takes no other data and settings", async () => {
    const more = [[images], ["--epochs", "3"], ["--out", "x"], ["--no-cache"], ["--seed", "0"]];
    for (const given of more)
      expect(await cli(["train", "--resume", root, ...given])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("--resume goes on with the data and settings of the run; only --threads"),
      });
  });

  test("of what is no run is an error that says what is missing", async () => {
    for (const folder of [join(root, "nowhere"), images, model])
      expect(await cli(["train", "--resume", folder])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`requires the folder of a run that rootstock train has started, got ${folder}`),
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
    expect(changed).toMatchObject({ code: 1, stderr: expect.stringContaining("they have changed since") });
  });
});
