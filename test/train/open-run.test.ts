import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import type { Dataset, Sample } from "../../src/data/sample.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { fineTune } from "../../src/train/fine-tune.ts";
import type { FineTuneOptions } from "../../src/train/options.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { asRegression } from "./color-tasks.ts";
import { cutShort, finished } from "./interrupted.ts";

let root: string;
let model: Model;
let data: Dataset;
/** Folder of a run that was interrupted in its second epoch. */
let interrupted: string;

const OPTIONS: FineTuneOptions = { cache: false, check: false, strategy: "head", views: 0, epochs: 3, batchSize: 6 };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rootstock-open-run-"));
  model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  data = await imageFolder(await writeColorImages(join(root, "images"), 7));
  interrupted = join(root, "run");
  await cutShort({ model, data, options: { ...OPTIONS, out: interrupted } }, { step: 4 });
});

/** A copy of the interrupted run. */
async function copied(): Promise<string> {
  const out = join(await temporaryFolder(), "run");
  await cp(interrupted, out, { recursive: true });
  return out;
}

interface Attempt {
  readonly base?: Model;
  readonly of?: Dataset;
  readonly options?: FineTuneOptions;
}

/** Tries to go on with a run, which has to fail and to leave the folder as it is. */
async function refusal(out: string, { base = model, of = data, options = {} }: Attempt = {}) {
  const before = await contentOf(out);
  const failure = await fineTune(base, of, { ...OPTIONS, ...options, out, resume: true }).then(
    () => undefined,
    (error: { code: string; message: string }) => ({ code: error.code, message: error.message }),
  );
  expect(await contentOf(out)).toEqual(before);
  expect(failure).toBeDefined();
  return failure!;
}

/** Files below a folder with their sums. */
async function contentOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sums = files.sort().map(async (file) => {
    const bytes = await readFile(file);
    return `${file} ${createHash("sha256").update(bytes).digest("hex")}`;
  });
  return await Promise.all(sums);
}

test("a run goes on with what it was started with, wherever its folder is now", async () => {
  const whole = await finished({ model, data, options: { ...OPTIONS, out: join(await temporaryFolder(), "run") } });
  expect(await finished({ model, data, options: { ...OPTIONS, out: await copied() } }, true)).toEqual(whole);
});

describe("settings that are not those of the run are named, and nothing is touched:", () => {
  test.each<readonly [string, FineTuneOptions, RegExp]>([
    ["one", { learningRate: 0.5 }, /but recipe\.learningRate was 0\.\d+ and is 0\.5\. Resume with the same/],
    ["a strategy", { strategy: "last", views: undefined }, /recipe\.phases was \["head"\] and is \["last"\]/],
    [
      "an option of an option",
      { optimizer: { name: "adamw", epsilon: 1e-6 } },
      /optimizerOptions\.epsilon was nothing/,
    ],
    ["the seed", { seed: 7 }, /recipe\.seed was 0 and is 7/],
    ["views", { views: 2 }, /views was 0 and is 2/],
  ])("%s", async (_, options, message) => {
    expect(await refusal(await copied(), { options })).toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringMatching(message),
    });
  });

  test("another model of the same name", async () => {
    const base = await loadModel(await writeTinyModel(join(await temporaryFolder(), "tiny.onnx"), { seed: 1 }));
    const { code, message } = await refusal(await copied(), { base });
    expect([code, message]).toEqual(["BAD_CONFIG", expect.stringMatching(/but model\.sha256 was "[0-9a-f]+/)]);
  });
});

describe("data that are not those of the run:", () => {
  const changed = (change: (sample: Sample, i: number) => Sample): Dataset => ({
    ...data,
    samples: data.samples.map(change),
  });
  test.each<readonly [string, () => Dataset]>([
    ["an image less", () => ({ ...data, samples: data.samples.slice(1) })],
    ["an image more", () => ({ ...data, samples: [...data.samples, { ...data.samples[0]!, path: "blue/new.png" }] })],
    ["another content", () => changed((sample, i) => (i === 3 ? { ...sample, sha256: "0".repeat(64) } : sample))],
    ["another class of an image", () => changed((sample, i) => (i === 3 ? { ...sample, target: [2] } : sample))],
    ["other names of the classes", () => ({ ...data, classes: ["blue", "green", "crimson"] })],
    ["nothing in common", () => changed((sample) => ({ ...sample, sha256: sample.sha256.replace(/^./, "x") }))],
  ])("%s", async (_, of) => {
    expect(await refusal(await copied(), { of: of() })).toMatchObject({
      code: "BAD_DATA",
      message: expect.stringMatching(/^resume requires the images of the interrupted run .* they have changed since\./),
    });
  });

  test("another task", async () => {
    const { code } = await refusal(await copied(), { of: asRegression(data) });
    expect(code).toBe("BAD_DATA");
  });
});

describe("what is no run to go on with:", () => {
  test.each<readonly [string, (out: string) => Promise<void>, RegExp]>([
    ["no folder", (out) => rm(out, { recursive: true }), /got .*run: there is no such folder\./],
    ["a file", (out) => rm(out, { recursive: true }).then(() => writeFile(out, "x")), /there is no such folder\./],
    [
      "an empty folder",
      (out) =>
        rm(out, { recursive: true })
          .then(() => mkdir(out))
          .then(),
      /has no config\.json of a run/,
    ],
    ["a complete run", (out) => writeFile(join(out, "result.json"), "{}"), /that run is complete\./],
    [
      "a run that had not begun",
      (out) => rm(join(out, "data.json")),
      /interrupted before it had begun\. Start it again/,
    ],
    [
      "a run that is being made",
      (out) => writeFile(join(out, "run.lock"), String(process.ppid)),
      new RegExp(`process ${process.ppid} is making that run now\\. If that is another program, remove .*run\\.lock`),
    ],
    [
      "a config of another program",
      (out) => writeFile(join(out, "config.json"), '{"a": 1}'),
      /no config\.json of a run/,
    ],
    ["half a config", (out) => truncate(join(out, "config.json"), 100), /no config\.json of a run/],
    [
      "a config of nothing but brackets",
      (out) => writeFile(join(out, "config.json"), "[".repeat(5e6)),
      /no config\.json/,
    ],
    ["a config of gigabytes", (out) => truncate(join(out, "config.json"), 2 ** 33), /no config\.json of a run/],
    [
      "a config that is a pipe",
      async (out) => {
        await rm(join(out, "config.json"));
        execFileSync("mkfifo", [join(out, "config.json")]);
      },
      /no config\.json of a run/,
    ],
    [
      "a config behind a link",
      async (out) => {
        await rm(join(out, "config.json"));
        await symlink(join(interrupted, "config.json"), join(out, "config.json"));
      },
      /no config\.json of a run/,
    ],
  ])("%s", async (_, change, message) => {
    const out = await copied();
    await change(out);
    const started = fineTune(model, data, { ...OPTIONS, out, resume: true });
    await expect(started).rejects.toMatchObject({ code: "BAD_CONFIG", message: expect.stringMatching(message) });
  });

  test.each([
    ["no list of images", "{}", /they have changed since/],
    ["null", "null", /they have changed since/],
    ["half a list", '{"version": 2, "samples": [', /cannot be read: .* Start a new run/],
    ["too many brackets", "[".repeat(1e6), /cannot be read|have changed/],
  ])("a data.json that holds %s", async (_, text, message) => {
    const out = await copied();
    await writeFile(join(out, "data.json"), text);
    expect(await refusal(out)).toMatchObject({ code: "BAD_DATA", message: expect.stringMatching(message) });
  });

  test("no folder at all was given", async () => {
    const started = fineTune(model, data, { ...OPTIONS, resume: true });
    await expect(started).rejects.toThrow("resume requires out, the folder of the interrupted run.");
  });
});

describe("a config that was changed by hand", () => {
  test.each<readonly [string, unknown]>([
    ["recipe", { epochs: 1e9 }],
    ["recipe", "fast"],
    ["recipe", null],
    ["recipe", JSON.parse(`${"[".repeat(60)}${"]".repeat(60)}`)],
    ["model", { name: "tiny.onnx", sha256: ["x"] }],
    ["phases", [{ unfreeze: "all", views: 0 }]],
    ["preprocessing", { __proto__: null, inputSize: [1e9, 1e9] }],
  ])("is another setting: %s %j", async (name, value) => {
    const out = await copied();
    const config = JSON.parse(await readFile(join(out, "config.json"), "utf8"));
    await writeFile(join(out, "config.json"), JSON.stringify({ ...config, [name]: value }));
    expect(await refusal(out)).toMatchObject({ code: "BAD_CONFIG", message: expect.stringContaining(`but ${name}`) });
  });
});

test.each(["", "no number", "-1", "0", "1e3", "999999999", "99999999999999", "1 2"])(
  "a lock that holds %j is nobody's",
  async (text) => {
    const out = await copied();
    await writeFile(join(out, "run.lock"), text);
    await finished({ model, data, options: { ...OPTIONS, out } }, true);
  },
);

test("checkpoints of another run are refused", async () => {
  const [out, other] = [await copied(), join(await temporaryFolder(), "run")];
  const options = { ...OPTIONS, strategy: "gradual", views: undefined, augmentation: "none", out: other } as const;
  await cutShort({ model, data, options }, { phase: "all", step: 1 });
  await rm(join(out, "checkpoints"), { recursive: true });
  await cp(join(other, "checkpoints"), join(out, "checkpoints"), { recursive: true });
  expect(await refusal(out)).toMatchObject({
    code: "BAD_DATA",
    message: expect.stringMatching(
      /requires a checkpoint of the run's own phases head, got .*safetensors of another run/,
    ),
  });
});

test("a new run beside one that can go on leaves it as it is", async () => {
  const out = await copied();
  const before = await contentOf(out);
  const run = await fineTune(model, data, { ...OPTIONS, out });
  expect(run.folder).toBe(`${out}-2`);
  expect(await contentOf(out)).toEqual(before);
  await finished({ model, data, options: { ...OPTIONS, out } }, true);
});
