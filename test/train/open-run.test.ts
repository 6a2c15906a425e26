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
import type { Callback } from "../../src/train/callback.ts";
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
  test.each<readonly [string, () => Dataset, RegExp]>([
    [
      "an image less",
      () => ({ ...data, samples: data.samples.slice(1) }),
      /1 image differs \(there were 21, now 20\): blue\/0\.png is missing\. Put them back/,
    ],
    [
      "an image more",
      () => ({ ...data, samples: [...data.samples, { ...data.samples[0]!, path: "blue/new.png" }] }),
      /1 image differs .*: blue\/new\.png is new\./,
    ],
    [
      "another content",
      () => changed((sample, i) => (i === 3 ? { ...sample, sha256: "0".repeat(64) } : sample)),
      /1 image differs .*: blue\/3\.png has another content\./,
    ],
    [
      "another class of an image",
      () => changed((sample, i) => (i === 3 ? { ...sample, target: [2] } : sample)),
      /1 image differs .*: blue\/3\.png had the target \[0\] and has \[2\]\./,
    ],
    [
      "other names of the classes",
      () => ({ ...data, classes: ["blue", "green", "crimson"] }),
      /the classes were \["blue","green","red"\] and are \["blue","green","crimson"\]\./,
    ],
    [
      "nothing in common",
      () => changed((sample) => ({ ...sample, sha256: sample.sha256.replace(/^./, "x") })),
      /21 images differ .*: blue\/0\.png has another content, .* and 18 more\./,
    ],
  ])("%s", async (_, of, message) => {
    const refused = await refusal(await copied(), { of: of() });
    expect(refused.code).toBe("BAD_DATA");
    expect(refused.message).toMatch(/^resume requires the images of the interrupted run .* they have changed since: /);
    expect(refused.message).toMatch(message);
  });

  test("another task", async () => {
    expect(await refusal(await copied(), { of: asRegression(data) })).toMatchObject({
      code: "BAD_DATA",
      message: expect.stringContaining("the task was single-label and is regression."),
    });
  });
});

describe("what is no run to go on with:", () => {
  test.each<readonly [string, (out: string) => Promise<void>, RegExp]>([
    ["no folder", (out) => rm(out, { recursive: true }), /got .*run: there is no such folder\./],
    ["a file", (out) => rm(out, { recursive: true }).then(() => writeFile(out, "x")), /it is a file\./],
    [
      "an empty folder",
      (out) =>
        rm(out, { recursive: true })
          .then(() => mkdir(out))
          .then(),
      /has no config\.json of a run/,
    ],
    [
      "a complete run",
      (out) => writeFile(join(out, "result.json"), "{}"),
      /that run is complete, with its model in .*model\.onnx\. To train it further, start a new run: --model .*model\.onnx\.$/,
    ],
    [
      "a run that had not begun",
      (out) => rm(join(out, "data.json")).then(() => rm(join(out, "checkpoints"), { recursive: true })),
      /interrupted before it had begun\. Start it again/,
    ],
    [
      "a run that has lost the record of its images",
      (out) => rm(join(out, "data.json")),
      /its data\.json is missing, the record of its images, .* Put it back, or start a new run\./,
    ],
    [
      "a run of another release",
      async (out) => {
        const config = await readFile(join(out, "config.json"), "utf8");
        await writeFile(join(out, "config.json"), config.replace('"rootstockRun": 1', '"rootstockRun": 99'));
      },
      /another release wrote it, with version 99 of such folders; this one goes on with version 1\./,
    ],
    [
      "a run that is being made",
      (out) => writeFile(join(out, "run.lock"), String(process.ppid)),
      new RegExp(`process ${process.ppid} is making that run now\\. If that is another program, remove .*run\\.lock`),
    ],
    [
      "a config of another program",
      (out) => writeFile(join(out, "config.json"), '{"a": 1}'),
      /its config\.json is not that of a run/,
    ],
    ["half a config", (out) => truncate(join(out, "config.json"), 100), /its config\.json is no JSON/],
    ["an empty config", (out) => truncate(join(out, "config.json"), 0), /its config\.json is empty\./],
    [
      "a config of nothing but brackets",
      (out) => writeFile(join(out, "config.json"), "[".repeat(5e6)),
      /its config\.json nests/,
    ],
    ["a config of gigabytes", (out) => truncate(join(out, "config.json"), 2 ** 33), /its config\.json has 8589934592/],
    [
      "a config that is a pipe",
      async (out) => {
        await rm(join(out, "config.json"));
        execFileSync("mkfifo", [join(out, "config.json")]);
      },
      /its config\.json is not a regular file/,
    ],
    [
      "a config behind a link",
      async (out) => {
        await rm(join(out, "config.json"));
        await symlink(join(interrupted, "config.json"), join(out, "config.json"));
      },
      /its config\.json is a symbolic link/,
    ],
  ])("%s", async (_, change, message) => {
    const out = await copied();
    await change(out);
    const started = fineTune(model, data, { ...OPTIONS, out, resume: true });
    await expect(started).rejects.toMatchObject({ code: "BAD_CONFIG", message: expect.stringMatching(message) });
  });

  test.each([
    ["no list of images", "{}", /changed since: the record is no list of images/],
    ["null", "null", /changed since: the record is no list of images/],
    ["a list of nothing", '{"samples": [null, 3]}', /changed since: the record is no list of images/],
    [
      "names that no terminal should show",
      '{"task": "single-label", "classes": ["blue", "green", "red"], "samples": [{"path": "\\u001b[31m", "split": {}}]}',
      /22 images differ \(there were 1, now 21\): \\u\{1b\}\[31m is missing, /,
    ],
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

describe("checkpoints of another run are refused:", () => {
  test.each<readonly [string, FineTuneOptions, RegExp]>([
    ["of other phases", { strategy: "gradual", views: undefined, augmentation: "none" }, /other settings or images/],
    [
      "of another seed",
      { seed: 1 },
      /safetensors, which a run with other settings or images has saved\. Put the run's/,
    ],
    ["of more epochs", { epochs: 30 }, /other settings or images/],
  ])("%s", async (_, settings, message) => {
    const [out, other] = [await copied(), join(await temporaryFolder(), "run")];
    const phase = settings.strategy === "gradual" ? "all" : undefined;
    await cutShort({ model, data, options: { ...OPTIONS, ...settings, out: other } }, { phase, step: 1 });
    await rm(join(out, "checkpoints"), { recursive: true });
    await cp(join(other, "checkpoints"), join(out, "checkpoints"), { recursive: true });
    expect(await refusal(out)).toMatchObject({ code: "BAD_DATA", message: expect.stringMatching(message) });
  });

  test("of other images", async () => {
    const [out, other] = [await copied(), join(await temporaryFolder(), "run")];
    const fewer = { ...data, samples: data.samples.slice(1) };
    await cutShort({ model, data: fewer, options: { ...OPTIONS, out: other } }, { step: 1 });
    await rm(join(out, "checkpoints"), { recursive: true });
    await cp(join(other, "checkpoints"), join(out, "checkpoints"), { recursive: true });
    expect((await refusal(out)).message).toContain("which a run with other settings or images has saved");
  });
});

test("a new run beside one that can go on leaves it as it is", async () => {
  const out = await copied();
  const before = await contentOf(out);
  const warnings: string[] = [];
  const onProgress: FineTuneOptions["onProgress"] = (event) => event.kind === "warning" && warnings.push(event.text);
  const run = await fineTune(model, data, { ...OPTIONS, out, onProgress });
  expect(run.folder).toBe(`${out}-2`);
  expect(warnings).toContain(
    `${out} holds a run that can go on with --resume and stays as it is: this run is in ${out}-2.`,
  );
  expect(await contentOf(out)).toEqual(before);
  await finished({ model, data, options: { ...OPTIONS, out } }, true);
});

describe("a checkpoint that cannot be saved", () => {
  /** A run in which no file can take the name of a checkpoint. */
  async function blocked(name: string, options: FineTuneOptions) {
    const out = join(await temporaryFolder(), "run");
    const warnings: string[] = [];
    const blocker: Callback = {
      name: "blocker",
      onEpochEnd: async () => {
        await mkdir(join(out, "checkpoints", `${name}.safetensors`, "inside"), { recursive: true });
      },
    };
    const onProgress: FineTuneOptions["onProgress"] = (event) => event.kind === "warning" && warnings.push(event.text);
    const run = fineTune(model, data, { ...OPTIONS, ...options, out, callbacks: [blocker], onProgress });
    return { out, warnings, run };
  }

  test.each([
    ["when training is over", "000001-000000", { checkpointSeconds: 1e6 }],
    ["after the last step", "000000-000009", { checkpointSeconds: 0 }],
  ])("%s is a warning: the model matters more", async (_, name, options) => {
    const { out, warnings, run } = await blocked(name, options);
    expect((await run).history).toHaveLength(3);
    expect(warnings).toContainEqual(
      expect.stringMatching(
        new RegExp(`^checkpoint ${name} was not saved: .*Everything is trained: the run goes on without it`),
      ),
    );
    expect((await readdir(out)).sort()).toEqual(expect.arrayContaining(["model.onnx", "result.json"]));
    expect(await readdir(out)).not.toContain("checkpoints");
  });

  test.each([
    ["between two steps", "000000-000008", { checkpointSeconds: 0 }],
    ["between two phases", "000001-000000", { strategy: "gradual", views: undefined, checkpointSeconds: 1e6 } as const],
  ])("%s ends the run", async (_, name, options) => {
    const { out, run } = await blocked(name, options);
    await expect(run).rejects.toMatchObject({ code: "CANNOT_WRITE", message: expect.stringContaining(name) });
    expect(await readdir(out)).not.toContain("model.onnx");
  });
});
