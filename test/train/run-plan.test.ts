import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Dataset, Sample, Task } from "../../src/data/sample.ts";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { loadModel } from "../../src/models/load-model.ts";
import { Model } from "../../src/models/model.ts";
import { zeros } from "../../src/tensor/tensor.ts";
import type { FineTuneOptions } from "../../src/train/options.ts";
import { planRun } from "../../src/train/run-plan.ts";
import { TINY_INPUT, tinyGraph, writeTinyModel } from "../models/tiny.ts";

let model: Model;
let normalized: Model;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-run-plan-"));
  model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  normalized = await loadModel(await writeTinyModel(join(root, "norm.onnx"), { norm: true }));
});

/** Names of images: planning opens none. */
function images(perClass: number, { classes = ["a", "b"], task = "single-label" as Task } = {}): Dataset {
  const samples = Array.from({ length: 2 * classes.length * perClass }, (_, i): Sample => {
    const label = i % classes.length;
    return {
      file: `${i}.png`,
      path: `${i}.png`,
      target: task === "regression" ? classes.map(() => i) : [label],
      split: i < classes.length * perClass ? "train" : "validation",
      sha256: String(i).padStart(64, "0"),
      bytes: 100,
    };
  });
  return { root: "photos", task, classes, samples, skipped: [], notes: [], splitSource: "folders" };
}

const plan = (options: FineTuneOptions, data = images(50), base = model) => planRun(base, data, options);
const phasesOf = (...given: Parameters<typeof plan>) => plan(...given).phases.map(({ unfreeze }) => unfreeze);

describe("phases", () => {
  test.each<[FineTuneOptions, readonly string[]]>([
    [{}, ["head"]],
    [{ strategy: "probe" }, []],
    [{ strategy: "last" }, ["last"]],
    [{ strategy: "full" }, ["all"]],
    [{ unfreeze: "weight_2" }, ["weight_2"]],
  ])("of %o are %j, and in the recipe", (options, phases) => {
    expect(phasesOf(options)).toEqual(phases);
    expect(plan(options).recipe.phases).toEqual(phases);
  });

  test("of gradual are without those that a network with two stages would have twice", () => {
    expect(plan({ strategy: "gradual" }).recipe.phases).toEqual(["last", "all"]);
  });

  test("auto trains everything where there are 20 images of a class, else the last stage", () => {
    expect(phasesOf({ strategy: "auto" }, images(20))).toEqual(["all"]);
    expect(phasesOf({ strategy: "auto" }, images(19))).toEqual(["last"]);
    expect(phasesOf({ strategy: "auto" }, images(10, { task: "regression" }))).toEqual(["all"]); // 20 images
  });

  test("the recipe knows the task, the width of the features and the number of images", () => {
    expect(plan({}, images(50, { task: "regression" })).recipe).toMatchObject({
      loss: "mean-squared-error",
      optimizer: "sgd",
      learningRate: 0.01,
      epochs: 100,
    });
    expect(plan({ strategy: "full" }, images(200)).recipe).toMatchObject({ epochs: 12, batchSize: 16 }); // 300 updates of 25
  });
});

describe("a network that is too large for its images", () => {
  /** The tiny model with two fully connected layers of 51 million weights before its classifier. */
  function large(): Model {
    const tiny = tinyGraph({ classes: 0 });
    const b = new GraphBuilder("large", tiny);
    const wide = b.op("Relu", [
      b.op("Gemm", ["embedding", b.initializer("wide", zeros("float32", [6400, 8]))], { transB: int(1) }),
    ]);
    const deep = b.op("Relu", [
      b.op("Gemm", [wide, b.initializer("deep", zeros("float32", [8000, 6400]))], { transB: int(1) }),
    ]);
    const logits = b.op("Gemm", [deep, b.initializer("old", zeros("float32", [3, 8000]))], { transB: int(1) });
    const graph: Graph = b.build([{ name: logits, dtype: "float32", shape: ["batch", 3] }]);
    return new Model({
      name: "large",
      graph,
      metadata: new Map(),
      preprocessing: TINY_INPUT,
      preprocessingSource: "the file",
      labels: undefined,
    });
  }

  test("is left alone by auto, which says so, and trains with a warning where it was asked for", () => {
    const base = large();
    const left = plan({ strategy: "auto" }, images(50), base);
    expect([left.phases, left.recipe.phases, left.warnings]).toEqual([[], [], []]);
    expect(left.notes).toEqual([
      expect.stringMatching(/^strategy {2}auto: the probe alone, .*--strategy full trains it/),
    ]);
    const asked = plan({ strategy: "full" }, images(50), base);
    expect(asked.phases).toHaveLength(1);
    expect(asked.warnings).toEqual([
      expect.stringMatching(/^51\.3 million parameters train on 100 images, 51\.2 .*"deep"/),
    ]);
  });
});

describe("views", () => {
  const viewsOf = (...given: Parameters<typeof plan>) =>
    plan(...given).phases.map(({ augment }) => [augment.views, augment.augmentation !== undefined]);

  test("are kept in phases that have a frozen part; what trains from the image on sees new ones in every epoch", () => {
    expect(viewsOf({ strategy: "last", views: 3 })).toEqual([[3, true]]);
    expect(viewsOf({ strategy: "gradual", views: 3 }).at(0)).toEqual([3, true]);
    expect(viewsOf({ strategy: "gradual", views: 3 }).at(-1)).toEqual([0, true]);
    expect(viewsOf({ strategy: "full" })).toEqual([[0, true]]);
    expect(viewsOf({ strategy: "full", augmentation: "none" })).toEqual([[0, false]]);
  });

  test("of the features are those of a head that trains; everything else starts from clean ones", () => {
    expect(plan({ views: 5 }).augment.views).toBe(5);
    expect(plan({ strategy: "head" }).augment.views).toBe(8);
    for (const strategy of ["probe", "last", "gradual", "full"] as const)
      expect(plan({ strategy }).augment).toEqual({ augmentation: undefined, views: 0, notes: [] });
  });

  test.each<[FineTuneOptions, string]>([
    [{ strategy: "full", views: 2 }, "views requires a frozen part"],
    [{ strategy: "probe", views: 2 }, "views requires something that trains, got views 2 and a probe"],
    [{ strategy: "last", views: 2, augmentation: "none" }, "views requires an augmentation"],
  ])("are refused with %o", (options, message) => {
    expect(() => plan(options)).toThrow(
      expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(message) }),
    );
  });
});

describe("the notes", () => {
  test("say what each phase trains, and how images vary, once", () => {
    const { notes } = plan({ strategy: "gradual" });
    expect(notes.filter((note) => note.startsWith("unfreeze"))).toEqual([
      expect.stringContaining("last: 1 tensors with 432 parameters"),
      expect.stringContaining("all: 3 tensors with 600 parameters, from the image on"),
    ]);
    expect(new Set(notes.filter((note) => note.startsWith("augment"))).size).toBe(
      notes.filter((note) => note.startsWith("augment")).length,
    );
  });

  test("say where statistics are measured for a head alone", () => {
    const note = "batchnorm statistics of 1 layers measured on the training images";
    expect(plan({ batchNorm: "adapt" }, images(50), normalized).notes).toContain(note);
    expect(plan({ batchNorm: "adapt", strategy: "probe" }, images(50), normalized).notes).toContain(note);
    expect(plan({ batchNorm: "adapt", strategy: "full" }, images(50), normalized).notes).not.toContain(note);
  });
});

describe("is refused before anything is computed:", () => {
  test.each<[string, FineTuneOptions, string]>([
    ["a part that is not there", { unfreeze: "layer9" }, "no parameter has such a name"],
    ["more stages than there are", { strategy: "last:9" }, "N from 1 to"],
    ["BatchNormalization that is not there", { batchNorm: "adapt" }, "--batch-norm adapt requires BatchNormalization"],
    ["a policy for it", { batchNorm: "train", strategy: "full" }, "requires BatchNormalization"],
    ["weights of other classes", { classWeights: [1, 2, 3] }, "a number for each of 2 classes, got 3"],
    ["weights in the loss", { loss: { name: "cross-entropy", classWeights: [1] } }, "classWeights requires 2 numbers"],
    ["weights far apart", { classWeights: [1e-9, 1], unfreeze: "all" }, "from 0.000001 to 1000000"],
  ])("%s", (_, options, message) => {
    expect(() => plan(options)).toThrow(
      expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining(message) }),
    );
  });

  test("a target that is none of the task", () => {
    const { samples, ...data } = images(5);
    const wrong = samples.map((sample, i) => (i === 3 ? { ...sample, target: [2] } : sample));
    expect(() => plan({}, { ...data, samples: wrong })).toThrow(
      expect.objectContaining({ code: "BAD_DATA", message: expect.stringContaining("3.png") }),
    );
  });
});
