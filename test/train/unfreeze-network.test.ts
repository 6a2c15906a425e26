import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { saveGraph } from "../../src/graph/save.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { fineTune } from "../../src/train/fine-tune.ts";
import type { FineTuneOptions, Progress } from "../../src/train/options.ts";
import { sizeNote } from "../../src/train/unfreeze-network.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_PREPROCESSING, tinyGraph, writeColorImages, writeTinyModel } from "../models/tiny.ts";

let model: Model;
let data: Awaited<ReturnType<typeof imageFolder>>;
const run = (options: FineTuneOptions) => fineTune(model, data, { cache: false, epochs: 3, ...options });

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-unfreeze-"));
  model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  data = await imageFolder(await writeColorImages(join(root, "images"), 20));
});

/** Which of the pretrained weights a run has changed. */
async function changed(options: FineTuneOptions): Promise<string[]> {
  const out = join(await temporaryFolder(), "run");
  await run({ ...options, keepHead: false, out });
  const { initializers } = (await loadModel(join(out, "model.onnx"))).graph;
  return [...tinyGraph().initializers].flatMap(([name, before]) => {
    const after = initializers.get(name);
    return after && String(after.data) !== String(before.data) ? [name] : [];
  });
}

describe("what trains", () => {
  test("nothing of the backbone by default", async () => {
    expect(await changed({})).toEqual([]);
  });

  test("everything with all, the second convolution with its stage or its name", async () => {
    const all = ["weight", "weight_1", "weight_2"];
    expect(await changed({ unfreeze: "all", learningRate: 0.01 })).toEqual(all);
    expect(await changed({ unfreeze: "last", learningRate: 0.01 })).toEqual(["weight_2"]);
    expect(await changed({ unfreeze: "weight_2", learningRate: 0.01 })).toEqual(["weight_2"]);
    expect(await changed({ unfreeze: "weight_1", learningRate: 0.01 })).toEqual(["weight_1"]);
  });

  test("is said, and an unknown name is refused with those that exist", async () => {
    const events: Progress[] = [];
    await run({ unfreeze: "last", epochs: 1, onProgress: (event) => events.push(event) });
    expect(events.filter(({ kind }) => kind === "plan").map((event) => "text" in event && event.text)).toContainEqual(
      expect.stringMatching(/^unfreeze {2}last: 1 tensors with 432 parameters/),
    );
    expect(events.some(({ kind }) => kind === "step")).toBe(true);
    await expect(run({ unfreeze: "layer4" })).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });
});

test("training from the image beats the head alone on its own training loss", async () => {
  const head = await run({ epochs: 20, keepHead: false });
  const all = await run({ unfreeze: "all", epochs: 20, keepHead: false, learningRate: 0.01 });
  expect(all.metrics.loss).toBeLessThan(head.metrics.loss);
  expect(all.history.at(-1)!.trainLoss).toBeLessThan(head.history.at(-1)!.trainLoss);
});

test("a head that fine-tuning does not improve stays as it was", async () => {
  const ruined = await run({ unfreeze: "all", epochs: 2, learningRate: 0.5 });
  expect(ruined.bestEpoch).toBe(0);
  expect(ruined.history.every(({ best }) => !best)).toBe(true);
});

test("equal seeds give equal bytes for any number of threads, from memory, cache or disk", async () => {
  const bytes = async (options: FineTuneOptions) => {
    const out = join(await temporaryFolder(), "run");
    await run({ unfreeze: "last", keepHead: false, seed: 4, learningRate: 0.01, ...options, out });
    const { initializers } = (await loadModel(join(out, "model.onnx"))).graph;
    return [...initializers].map(([name, { data: values }]) => `${name} ${values}`).join("\n");
  };
  const cacheFolder = await temporaryFolder();
  const first = await bytes({ threads: 1 });
  expect(await bytes({ threads: 2 })).toBe(first);
  expect(await bytes({ cache: true, cacheFolder })).toBe(first);
  expect(await bytes({ cache: true, cacheFolder })).toBe(first);
  expect(await bytes({ memoryBytes: 0 })).toBe(first);
  expect(await bytes({ seed: 5 })).not.toBe(first);
});

describe("batch normalization", () => {
  /** Which values of a network with one normalization a run has changed, and what it said. */
  async function tuned(options: FineTuneOptions): Promise<{ names: string[]; notes: string[] }> {
    const folder = await temporaryFolder();
    await using norm = await loadModel(await writeTinyModel(join(folder, "norm.onnx"), { norm: true }));
    const notes: string[] = [];
    const onProgress = (event: Progress) => event.kind === "plan" && notes.push(event.text);
    const common = {
      cache: false,
      keepHead: false,
      epochs: 3,
      learningRate: 0.01,
      out: join(folder, "run"),
      onProgress,
    };
    await fineTune(norm, data, { ...common, ...options });
    const { initializers } = (await loadModel(join(folder, "run", "model.onnx"))).graph;
    const before = tinyGraph({ norm: true }).initializers;
    const names = [...before].flatMap(([name, { data: values }]) =>
      initializers.has(name) && String(initializers.get(name)!.data) !== String(values) ? [name] : [],
    );
    return { names, notes };
  }

  test("freeze trains scale and shift and leaves the statistics", async () => {
    const { names, notes } = await tuned({ unfreeze: "last" });
    expect(names).toEqual(["weight_2", "norm.scale", "norm.shift"]);
    expect(notes).toContainEqual("batchnorm freeze: 1 layers in the part that trains");
  });

  test("affine trains nothing but scale and shift", async () => {
    expect((await tuned({ unfreeze: "all", batchNorm: "affine" })).names).toEqual(["norm.scale", "norm.shift"]);
  });

  test("train updates the statistics, and the exported file predicts with them", async () => {
    const { names } = await tuned({ unfreeze: "last", batchNorm: "train" }); // export checks the file against training
    expect(names).toEqual(["weight_2", "norm.scale", "norm.shift", "norm.mean", "norm.var"]);
  });

  test("adapt measures the statistics anew, also where only the head trains", async () => {
    expect((await tuned({ batchNorm: "adapt" })).names).toEqual(["norm.mean", "norm.var"]);
    expect((await tuned({ unfreeze: "last", batchNorm: "adapt" })).names).toHaveLength(5);
  });

  test("a network without any says so, and a policy that needs one is refused", async () => {
    const events: Progress[] = [];
    await run({ unfreeze: "all", epochs: 1, onProgress: (event) => events.push(event) });
    expect(events).toContainEqual({
      kind: "plan",
      text: "batchnorm none in the part that trains: folded into its convolutions, or never there",
    });
    for (const batchNorm of ["affine", "train", "adapt"] as const)
      await expect(run({ unfreeze: "all", batchNorm })).rejects.toMatchObject({ code: "BAD_CONFIG" });
    await expect(run({ batchNorm: "train" })).rejects.toThrow('requires layers that train, got unfreeze "head"');
  });
});

describe("what the model cannot do is said before anything is written or computed", () => {
  test.each<readonly [string, FineTuneOptions]>([
    ["an unknown name", { unfreeze: "layer9.*" }],
    ["too many stages", { unfreeze: "last:99" }],
    ["a policy without normalization", { unfreeze: "all", batchNorm: "train" }],
    ["statistics that are not there", { batchNorm: "adapt" }],
    ["a policy for a head alone", { batchNorm: "affine" }],
    ["an unknown cut", { cut: "nowhere" }],
  ])("%s", async (_, options) => {
    const folder = await temporaryFolder();
    const events: Progress[] = [];
    const started = run({ ...options, out: join(folder, "run"), onProgress: (event) => events.push(event) });
    await expect(started).rejects.toMatchObject({ code: expect.stringMatching(/^BAD_(CONFIG|MODEL)$/) });
    expect(await readdir(folder)).toEqual([]);
    expect(events).toEqual([]);
  });
});

test("a file for images of any size trains with the pads that it computes from the size", async () => {
  const file = join(await temporaryFolder(), "open.onnx");
  await writeFile(file, saveGraph(openGraph(), new Map([["preprocessing", JSON.stringify(TINY_PREPROCESSING)]])));
  await using open = await loadModel(file);
  const out = join(await temporaryFolder(), "run");
  await fineTune(open, data, { cache: false, epochs: 2, unfreeze: "all", keepHead: false, learningRate: 0.01, out });
  const { initializers } = (await loadModel(join(out, "model.onnx"))).graph;
  for (const name of ["weight", "weight_1", "weight_2"])
    expect(String(initializers.get(name)!.data)).not.toBe(String(tinyGraph().initializers.get(name)!.data));
});

/** The tiny model for images [h, w]: before its second convolution it pads the width to whole windows of 7, by Mod. */
function openGraph(): Graph {
  const tiny = tinyGraph();
  const [relu, second] = [
    tiny.nodes.find(({ op }) => op === "Relu")!,
    tiny.nodes.filter(({ op }) => op === "Conv")[1]!,
  ];
  const b = new GraphBuilder("open", { ...tiny, inputs: [], nodes: [] });
  b.reserveNodes(tiny.nodes);
  b.input({ ...tiny.inputs[0]!, shape: ["batch", 3, "h", "w"] });
  for (const node of tiny.nodes) {
    b.node(node === second ? { ...node, inputs: ["padded", ...node.inputs.slice(1)] } : node);
    if (node !== relu) continue;
    const width = b.op("Slice", [b.op("Shape", [node.outputs[0]!]), b.ints([3]), b.ints([4])]);
    const rest = b.op("Mod", [b.neg(width), b.ints([7])]);
    b.named(
      "Pad",
      [node.outputs[0]!, b.op("Concat", [b.ints(new Array(7).fill(0)), rest], { axis: int(0) })],
      "padded",
    );
  }
  return b.build(tiny.outputs);
}

describe("a part that is too large for its images is said", () => {
  const network = (...sizes: readonly number[]) =>
    ({
      trainable: { parameters: new Map(sizes.map((size, i) => [`layer${i}`, { data: { length: size } }])) },
    }) as never;

  test("with its size, the largest of its parameters and what to do", () => {
    expect(sizeNote(network(16.8e6, 102.8e6), 240)).toBe(
      '119.6 million parameters train on 240 images, 102.8 million of them in "layer1": that is slow, and learns the ' +
        "images by heart. Consider --unfreeze head, or a pattern of parameter names without the largest.",
    );
  });

  test("but not of what is no larger than usual, or has enough images", () => {
    expect(sizeNote(network(25e6), 10)).toBeUndefined();
    expect(sizeNote(network(102.8e6), 200_000)).toBeUndefined();
  });
});

test("the run's record says what was unfrozen", async () => {
  const out = join(await temporaryFolder(), "run");
  await run({ unfreeze: "all", epochs: 1, out });
  expect(JSON.parse(await readFile(join(out, "config.json"), "utf8")).recipe).toMatchObject({
    phases: ["all"],
    batchNorm: "freeze",
    learningRate: 2e-4,
    batchSize: 16,
  });
});
