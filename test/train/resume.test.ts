import { copyFile, mkdtemp, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import type { Dataset } from "../../src/data/sample.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { fineTune } from "../../src/train/fine-tune.ts";
import type { FineTuneOptions, Progress } from "../../src/train/options.ts";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { readRun } from "./callbacks/event-reader.ts";
import { asMultiLabel, asRegression } from "./color-tasks.ts";
import { continued, cutShort, finished, type Moment, type Outcome } from "./interrupted.ts";

let model: Model;
let norm: Model;
let data: Dataset;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-resume-"));
  model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  norm = await loadModel(await writeTinyModel(join(root, "norm.onnx"), { norm: true }));
  data = await imageFolder(await writeColorImages(join(root, "images"), 7));
});

/** Three steps in each of four epochs, with a learning rate that changes every weight visibly. */
const COMMON: FineTuneOptions = {
  cache: false,
  check: false,
  augmentation: "none",
  epochs: 4,
  batchSize: 6,
  learningRate: 0.01,
  seed: 5,
};

interface Case {
  readonly options: FineTuneOptions;
  readonly moments: readonly Moment[];
  readonly base?: () => Model;
  readonly of?: () => Dataset;
}

/** A run that is cut short at the moments ends as one that is not, to the last bit. */
async function expectSame({ options, moments, base = () => model, of = () => data }: Case): Promise<Outcome> {
  const run = async (cuts: readonly Moment[]) => {
    const out = join(await temporaryFolder(), "run");
    return await continued({ model: base(), data: of(), options: { ...COMMON, ...options, out } }, cuts);
  };
  const whole = await run([]);
  expect(await run(moments)).toEqual(whole);
  return whole;
}

describe("k epochs and the rest with a resume are a run without, bit for bit:", () => {
  test.each<readonly [string, Case]>([
    ["head", { options: { strategy: "head" }, moments: [{ epoch: 2 }, { step: 10 }] }],
    [
      "head with views",
      { options: { strategy: "head", views: 2, augmentation: "light" }, moments: [{ step: 4 }, { epoch: 3 }] },
    ],
    ["last", { options: { strategy: "last" }, moments: [{ epoch: 2 }, { step: 7 }] }],
    ["last:2", { options: { strategy: "last:2" }, moments: [{ step: 5 }, { epoch: 3 }] }],
    ["full", { options: { strategy: "full" }, moments: [{ step: 1 }, { epoch: 2 }, { step: 11 }] }],
    ["auto", { options: { strategy: "auto" }, moments: [{ step: 7 }] }],
    [
      "gradual, in each phase and between two",
      {
        options: { strategy: "gradual", epochs: 2 },
        moments: [
          { phase: "last", step: 2 },
          { phase: "last", epoch: 2 },
          { phase: "all", step: 4 },
        ],
      },
    ],
  ])("%s", async (_, given) => {
    await expectSame(given);
  });
});

describe("so are runs with", () => {
  test.each<readonly [string, Case]>([
    [
      "a new view of each image in every epoch, and mixup or CutMix",
      {
        options: { strategy: "full", augmentation: "strong", mixup: 0.4, cutMix: 1, epochs: 3 },
        moments: [{ step: 2 }, { epoch: 2 }],
      },
    ],
    [
      "an average of the weights, and one of the best epochs",
      { options: { strategy: "last", averageDecay: 0.9, soup: 3 }, moments: [{ step: 5 }, { epoch: 3 }] },
    ],
    [
      "a learning rate that falls on plateaus, and early stopping",
      {
        options: {
          strategy: "head",
          keepHead: false, // the probe is hard to beat
          schedule: { name: "plateau", patience: 1, factor: 0.3 },
          learningRate: 0.4,
          patience: 4,
          epochs: 30,
        },
        moments: [{ epoch: 3 }, { step: 14 }, { epoch: 6 }],
      },
    ],
    [
      "statistics of batches",
      {
        options: { strategy: "full", batchNorm: "train" },
        moments: [{ step: 4 }, { epoch: 3 }],
        base: () => norm,
      },
    ],
    [
      "statistics of the new images, rates by stage, a limit of the norm and a pull to the start",
      {
        options: {
          strategy: "full",
          batchNorm: "adapt",
          layerDecay: 0.5,
          headRate: 3,
          clipNorm: 0.5,
          startPenalty: 0.1,
        },
        moments: [{ step: 4 }],
        base: () => norm,
      },
    ],
    [
      "rows that are computed in every epoch",
      {
        options: { strategy: "last", memoryBytes: 0, views: 2, augmentation: "light", epochs: 3 },
        moments: [{ step: 4 }, { epoch: 2 }],
      },
    ],
    [
      "several labels, and an optimizer with a memory of its own kind",
      {
        options: { strategy: "last", optimizer: "lion", learningRate: 0.001, classWeights: "balanced" },
        moments: [{ step: 5 }],
        of: () => asMultiLabel(data),
      },
    ],
    ["numbers", { options: { strategy: "head", mixup: 0.3 }, moments: [{ step: 5 }], of: () => asRegression(data) }],
  ])("%s", async (_, given) => {
    await expectSame(given);
  });
});

test("a probe, and any run that was interrupted before its first step, begins again", async () => {
  const probe = { cache: false, check: false, strategy: "probe" } as const;
  for (const options of [probe, { ...COMMON, strategy: "full", epochs: 1 }] as const) {
    const out = join(await temporaryFolder(), "run");
    const given = { model, data, options: { ...options, out } };
    const controller = new AbortController();
    const onProgress = (event: Progress) => event.kind === "features" && event.done === 5 && controller.abort();
    const started = fineTune(model, data, { ...given.options, signal: controller.signal, onProgress });
    await expect(started).rejects.toMatchObject({ code: "ABORTED", message: expect.not.stringContaining("--resume") });
    const { result, ...rest } = await finished(given, true);
    const whole = await finished({
      ...given,
      options: { ...given.options, out: join(await temporaryFolder(), "run") },
    });
    expect({ result, ...rest }).toEqual(whole);
  }
});

test("a run that dies before its images were looked at closely looks at them when it goes on", async () => {
  const out = join(await temporaryFolder(), "run");
  const given = { model, data, options: { ...COMMON, strategy: "head", check: true, out } as const };
  const onProgress = (event: Progress) => {
    if (event.kind === "features") throw new Error("dead");
  };
  await expect(fineTune(model, data, { ...given.options, onProgress })).rejects.toThrow("dead");
  expect(await readdir(out)).not.toContain("check.json");
  expect((await finished(given, true)).files).toContain("check.json");
});

describe("a run that dies without a word", () => {
  test("goes on from its last checkpoint, and its record has no line twice", async () => {
    await expectSame({
      options: { strategy: "gradual", epochs: 2, checkpointSeconds: 0, tensorBoard: true },
      moments: [
        { phase: "last", step: 4, dies: true },
        { phase: "last", epoch: 2, dies: true },
        { phase: "all", step: 2, dies: true },
        { phase: "all", epoch: 2, dies: true },
      ],
    });
  });

  test("shows each point of its curves once, as a run that has lived does", async () => {
    const options = { ...COMMON, strategy: "gradual", epochs: 3, tensorBoard: true } as const;
    const curves = async (moments: readonly Moment[], checkpointSeconds: number) => {
      const out = join(await temporaryFolder(), "run");
      await continued({ model, data, options: { ...options, checkpointSeconds, out } }, moments);
      const board = join(out, "tensorboard");
      return Object.fromEntries((await readdir(board)).map((phase) => [phase, readRun(join(board, phase))]));
    };
    const whole = await curves([], 1e6);
    expect(Object.keys(whole)).toEqual(["1-last", "2-all"]);
    const moments: readonly Moment[] = [
      { phase: "last", step: 8, dies: true },
      { phase: "all", step: 8, dies: true },
      { phase: "all", epoch: 3, dies: true },
    ];
    expect(await curves(moments, 0)).toEqual(whole);
    expect(await curves(moments, 1e6)).toEqual(whole); // without a checkpoint it begins again
  });

  test("loses at most what came after its last checkpoint, of which the last ones are kept", async () => {
    const out = join(await temporaryFolder(), "run");
    const options = { ...COMMON, strategy: "last", checkpointSeconds: 0, keepCheckpoints: 3, out } as const;
    const given = { model, data, options };
    await cutShort(given, { step: 8, dies: true });
    const names = (await readdir(join(out, "checkpoints"))).filter((name) => /^\d/.test(name)).sort();
    expect(names).toEqual(["000000-000005", "000000-000006", "000000-000007"].map((name) => `${name}.safetensors`));
    const told = await cutShort(given, { step: 9 }, true);
    expect(told).toContainEqual({ kind: "plan", text: "resume    after 2 epochs and 6 images of phase 1" });
  });

  test("never loses more than the seconds between two checkpoints", async () => {
    const out = join(await temporaryFolder(), "run");
    const options = {
      ...COMMON,
      strategy: "last",
      epochs: 100_000,
      checkpointSeconds: 0.2,
      patience: 100_000,
      out,
    } as const;
    let began: number | undefined;
    const onProgress = (event: Progress) => {
      if (event.kind !== "step") return;
      began ??= Date.now();
      if (Date.now() - began > 900) throw new Error("dead");
    };
    await expect(fineTune(model, data, { ...options, onProgress })).rejects.toThrow("dead");
    const died = Date.now();
    const [newest] = (await readdir(join(out, "checkpoints")))
      .filter((name) => /^\d/.test(name))
      .sort()
      .reverse();
    const { mtimeMs } = await stat(join(out, "checkpoints", newest!));
    expect(died - mtimeMs).toBeLessThan(200 + 300); // and a step, and what saving takes on a busy machine
  });
});

describe("a damaged checkpoint", () => {
  /** A run with two checkpoints, of steps 6 and 7. */
  async function withCheckpoints() {
    const out = join(await temporaryFolder(), "run");
    const options = { ...COMMON, strategy: "last", checkpointSeconds: 0, out } as const;
    await cutShort({ model, data, options }, { step: 8, dies: true });
    const folder = join(out, "checkpoints");
    const files = (await readdir(folder)).filter((name) => /^\d/.test(name)).sort();
    expect(files).toHaveLength(2);
    return { options, files: files.map((name) => join(folder, name)) };
  }

  test.each<readonly [string, (file: string) => Promise<void>, RegExp]>([
    ["with a flipped bit", flip, /SHA-256|checksum/i],
    ["cut off", async (file) => await truncate(file, 1000), /./],
    ["empty", async (file) => await writeFile(file, ""), /./],
  ])("%s is skipped with a word, and the one before is taken", async (_, damage, reason) => {
    const { options, files } = await withCheckpoints();
    await damage(files[1]!);
    const told: Progress[] = [];
    const parts = await finished(
      { model, data, options: { ...options, onProgress: (event) => told.push(event) } },
      true,
    );
    const warnings = told.flatMap((event) => (event.kind === "warning" ? [event.text] : []));
    expect(warnings).toEqual([expect.stringContaining(`the checkpoint ${files[1]} is skipped: `)]);
    expect(warnings[0]).toMatch(reason);
    expect(told).toContainEqual({ kind: "plan", text: "resume    after 2 epochs of phase 1" });
    const out = join(await temporaryFolder(), "run");
    expect(parts).toEqual(await finished({ model, data, options: { ...options, out } }));
  });

  test("beside no good one ends the run, and everything stays where it is", async () => {
    const { options, files } = await withCheckpoints();
    for (const file of files) await flip(file);
    const before = await readdir(join(options.out, "checkpoints"));
    await expect(fineTune(model, data, { ...options, resume: true })).rejects.toMatchObject({
      code: "BAD_MODEL",
      message: expect.stringMatching(
        /^no checkpoint in .* can be used: .* Put the damaged files back if there is a copy of them\. Otherwise start the run again/s,
      ),
    });
    expect(await readdir(join(options.out, "checkpoints"))).toEqual(before);
    expect(await readdir(options.out)).not.toContain("run.lock");
  });
});

describe("a damaged snapshot", () => {
  /** A run that has died, with every snapshot damaged. */
  async function damaged(strategy: "last" | "gradual", moment: Moment) {
    const out = join(await temporaryFolder(), "run");
    const options = { ...COMMON, strategy, checkpointSeconds: 0, keepHead: false, soup: 1, out } as const;
    await cutShort({ model, data, options }, { ...moment, dies: true });
    const folder = join(out, "checkpoints");
    const snapshots = (await readdir(folder)).filter((name) => name.startsWith("snapshot-"));
    expect(snapshots.length).toBeGreaterThan(0);
    for (const name of snapshots) await flip(join(folder, name));
    const warnings: string[] = [];
    const onProgress = (event: Progress) => event.kind === "warning" && warnings.push(event.text);
    return { out, options: { ...options, onProgress }, warnings, snapshots, folder };
  }

  test("of the best epoch so far is left out with a word, and the next epoch takes its place", async () => {
    const { options, warnings } = await damaged("last", { step: 8 });
    const { history, phases, lines } = await finished({ model, data, options }, true);
    expect(warnings).toContainEqual(
      expect.stringMatching(
        /^the weights of epoch [12], one of the best so far, are lost: its snapshot "epoch [12]" cannot be used: .* SHA-256 .*\. The run goes on without them: what it keeps in the end is the best of what is left\.$/,
      ),
    );
    const left = history.slice(2).map(({ validation }) => validation["loss"]!);
    expect(phases[0]).toMatchObject({ epochs: 4, bestEpoch: 3 + left.indexOf(Math.min(...left)) });
    expect(lines.trim().split("\n")).toHaveLength(4);
  });

  test("of the best epoch when all are trained leaves the last one", async () => {
    const { options, warnings } = await damaged("last", { end: true });
    const { phases } = await finished({ model, data, options }, true);
    expect(warnings.filter((text) => text.includes("are lost"))).toEqual([
      expect.stringMatching(/^the weights of epoch/),
    ]);
    expect(phases[0]).toMatchObject({ epochs: 4, bestEpoch: 4 });
  });

  test("of a phase that has ended cannot be left out: an older checkpoint is taken", async () => {
    const { options, warnings } = await damaged("gradual", { phase: "all", step: 1 });
    const { phases, history } = await finished({ model, data, options }, true);
    expect(warnings).toContainEqual(expect.stringMatching(/^the checkpoint .*000001-000000\.safetensors is skipped: /));
    expect(phases.map(({ phase, epochs }) => [phase, epochs])).toEqual([
      ["last", 4],
      ["all", 4],
    ]);
    expect(history).toHaveLength(8);
  });

  test("of a phase that has ended, in all checkpoints, ends the run with advice", async () => {
    const { options, out, snapshots } = await damaged("gradual", { phase: "all", step: 5 });
    await expect(fineTune(model, data, { ...options, resume: true })).rejects.toMatchObject({
      code: "BAD_MODEL",
      message: expect.stringMatching(
        /can be used: its snapshot "phase 0" .* Put the damaged files back if there is a copy of them\. Otherwise start the run again/,
      ),
    });
    expect(await readdir(join(out, "checkpoints"))).toEqual(expect.arrayContaining(snapshots));
  });
});

/** Changes one bit in the middle of a file. */
async function flip(file: string): Promise<void> {
  const bytes = await readFile(file);
  bytes[bytes.length >> 1]! ^= 4;
  await writeFile(file, bytes);
}

test("a split that was drawn again because of copies is the one that goes on", async () => {
  const folder = await writeColorImages(join(await temporaryFolder(), "images"), 7);
  for (const color of ["blue", "green", "red"])
    for (const i of [1, 2, 3, 4]) await copyFile(join(folder, color, "0.png"), join(folder, color, `copy-${i}.png`));
  const copied = await imageFolder(folder);
  await expectSame({
    options: { strategy: "head", check: true, epochs: undefined, checkpointSeconds: 0 },
    moments: [{ step: 2 }, { epoch: 2, dies: true }],
    of: () => copied,
  });
});
