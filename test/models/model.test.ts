import { readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { loadModel } from "../../src/models/load-model.ts";
import { Model, type ModelParts, type Prediction, type PredictOptions } from "../../src/models/model.ts";
import { NAMED_PREPROCESSING, namedPreprocessing } from "../../src/models/preprocessing.ts";
import type { Provider } from "../../src/runtime/providers.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { assets, withAssets } from "../assets.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_SIZE, tinyGraph, writeColorImages } from "./tiny.ts";

function modelOf(parts: Partial<ModelParts> = {}): Model {
  return new Model({
    name: "tiny.onnx",
    graph: tinyGraph(),
    metadata: new Map(),
    preprocessing: namedPreprocessing("tf", { height: TINY_SIZE, width: TINY_SIZE, layout: "NCHW" }),
    preprocessingSource: "the test",
    labels: undefined,
    ...parts,
  });
}

/** The mean of red, green and blue as logits [n, 3], through a last operator. */
function colorGraph(last?: (b: GraphBuilder, logits: string) => string): Graph {
  const b = new GraphBuilder("colors");
  b.input({ name: "x", dtype: "float32", shape: ["n", 3, TINY_SIZE, TINY_SIZE] });
  const logits = b.op("Flatten", [b.op("GlobalAveragePool", ["x"])], { axis: int(1) });
  const output = last?.(b, b.mul(logits, b.constant(float32([3], [2, 4, 8])))) ?? logits;
  return b.build([{ name: output, dtype: "float32", shape: ["n", 3] }]);
}

/** Pictures of three colors, seven in all. */
async function sevenPictures(): Promise<string[]> {
  const root = await writeColorImages(await temporaryFolder(), 3);
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".png"));
  return files
    .sort()
    .slice(0, 7)
    .map((file) => join(root, file));
}

async function predictAll(model: Model, files: readonly string[], options: PredictOptions = {}): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  for await (const prediction of model.predictFiles(files, options)) predictions.push(prediction);
  return predictions;
}

const softmax = (logits: readonly number[]): number[] => {
  const total = logits.reduce((sum, x) => sum + Math.exp(x), 0);
  return logits.map((x) => Math.exp(x) / total);
};

describe("predicting", () => {
  test("gives the softmax of the logits, the best classes first, with their labels", async () => {
    const [blue] = await sevenPictures();
    await using model = modelOf({ graph: colorGraph(), labels: ["red", "green", "blue"] });
    const [prediction] = await predictAll(model, [blue!], { top: 2 });
    if (!prediction || !("top" in prediction)) throw new Error("was not predicted");
    expect(prediction.file).toBe(blue);
    const wanted = softmax([40 / 127.5 - 1, 60 / 127.5 - 1, 200 / 127.5 - 1]); // the colour of writeColorImages
    for (const [i, p] of prediction.probabilities.entries()) expect(Math.abs(p - wanted[i]!)).toBeLessThan(0.01);
    expect(prediction.top.map(({ label }) => label)).toEqual(["blue", "green"]);
    expect(prediction.top[0]!.probability).toBe(prediction.probabilities[2]);
    expect(await model.predict(blue!, { top: 2 })).toEqual(prediction.top);
  });

  test("numbers the classes where there are no labels, and returns five of them, or all of fewer", async () => {
    const files = await sevenPictures();
    await using many = modelOf();
    const top = await many.predict(files[0]!);
    expect(top).toHaveLength(5);
    for (const { label } of top) expect(label).toMatch(/^class \d$/);
    await using few = modelOf({ graph: colorGraph() });
    expect(await few.predict(files[0]!, { top: 100 })).toHaveLength(3);
  });

  test.each([
    ["softmax", (b: GraphBuilder, x: string): string => b.op("Softmax", [x], { axis: int(1) })],
    ["softmax", (b: GraphBuilder, x: string): string => b.op("Identity", [b.op("Softmax", [x], { axis: int(1) })])],
    ["sigmoid", (b: GraphBuilder, x: string): string => b.sigmoid(x)],
    ["sigmoid", (b: GraphBuilder, x: string): string => b.op("Flatten", [b.sigmoid(x)], { axis: int(1) })],
  ] as const)("takes an output that went through %s as it is", async (activation, last) => {
    const files = await sevenPictures();
    await using raw = modelOf({ graph: colorGraph((_, x) => x), metadata: new Map([["activation", activation]]) });
    await using done = modelOf({ graph: colorGraph(last) });
    expect([raw.activation, done.activation]).toEqual([activation, activation]);
    const [a, b] = [await predictAll(raw, files), await predictAll(done, files)];
    for (const [i, prediction] of a.entries()) {
      const other = b[i]!;
      if (!("top" in prediction && "top" in other)) throw new Error("was not predicted");
      const sum = prediction.probabilities.reduce((total, p) => total + p, 0);
      if (activation === "softmax") expect(sum).toBeCloseTo(1, 5);
      else expect(Math.abs(sum - 1)).toBeGreaterThan(0.01);
      for (const [j, p] of prediction.probabilities.entries()) expect(other.probabilities[j]).toBeCloseTo(p, 6);
    }
  });

  test("lists every class above one half of a model that says several, none where there is none", async () => {
    const [blue] = await sevenPictures();
    const metadata = new Map([["task", "multi-label-image-classification"]]);
    const parts = { metadata, labels: ["red", "green", "blue"] };
    await using several = modelOf({ ...parts, graph: colorGraph((_, x) => x) });
    expect([several.task, several.activation]).toEqual(["multi-label", "sigmoid"]);
    const [prediction] = await predictAll(several, [blue!], { top: 1 });
    if (!prediction || !("top" in prediction)) throw new Error("was not predicted");
    // Mean colors 40, 60, 200 of 255 become -0.69, -0.53, 0.57, times 2, 4 and 8.
    expect(prediction.top).toEqual([{ label: "blue", probability: prediction.probabilities[2] }]);
    expect(prediction.probabilities[0]).toBeCloseTo(1 / (1 + Math.exp(2 * 0.686)), 1);
    await using none = modelOf({ ...parts, graph: colorGraph((b, x) => b.sub(x, b.scalar(20))) });
    expect(await none.predict(blue!)).toEqual([]);
  });

  test("gives the values of a regression by name, as they are", async () => {
    const [blue] = await sevenPictures();
    const metadata = new Map([["task", "image-regression"]]);
    await using named = modelOf({ metadata, labels: ["r", "g", "b"], graph: colorGraph((_, x) => x) });
    expect([named.task, named.activation]).toEqual(["regression", "identity"]);
    const values = await named.predictValues(blue!);
    expect(Object.keys(values)).toEqual(["r", "g", "b"]);
    expect(values["b"]).toBeCloseTo(8 * (200 / 127.5 - 1), 0);
    await expect(named.predict(blue!)).rejects.toThrow(/gives values and no classes\. Call predictValues/);
    await using unnamed = modelOf({ metadata, graph: colorGraph() });
    expect(Object.keys(await unnamed.predictValues(blue!))).toEqual(["target 0", "target 1", "target 2"]);
    await using classes = modelOf({ graph: colorGraph() });
    await expect(classes.predictValues(blue!)).rejects.toThrow(/gives classes and no values\. Call predict/);
  });

  test("decides several classes by the thresholds of the file", async () => {
    const [blue] = await sevenPictures();
    const labels = ["red", "green", "blue"];
    const of = (thresholds: string) =>
      modelOf({
        metadata: new Map([
          ["task", "multi-label-image-classification"],
          ["thresholds", thresholds],
        ]),
        labels,
        graph: colorGraph((_, x) => x),
      });
    await using low = of("[0.1, 0.5, 0.5]"); // red has probability 0.2
    expect(low.thresholds).toEqual([0.1, 0.5, 0.5]);
    expect((await low.predict(blue!)).map(({ label }) => label)).toEqual(["blue", "red"]);
    await using high = of("[0.1, 0.5, 0.9999]");
    expect((await high.predict(blue!)).map(({ label }) => label)).toEqual(["red"]);
    await using other = of("[0.5, 0.5]");
    await expect(other.predict(blue!)).rejects.toMatchObject({
      code: "BAD_MODEL",
      message: expect.stringContaining('3 outputs, but metadata "thresholds" has 2 numbers'),
    });
    expect(() => of("[2]")).toThrow(/between 0 and 1, got "\[2\]"/);
    const single = modelOf({ metadata: new Map([["thresholds", "[2]"]]) }); // means nothing to it
    expect(single.thresholds).toBeUndefined();
  });

  describe("with test-time augmentation", () => {
    /** The mean of the left half of each image, as logits of two classes and as values. */
    function leftGraph(): Graph {
      const b = new GraphBuilder("left");
      b.input({ name: "x", dtype: "float32", shape: ["n", 3, TINY_SIZE, TINY_SIZE] });
      const int64 = (value: number) =>
        b.constant({ dtype: "int64", shape: [1], data: BigInt64Array.of(BigInt(value)) });
      const left = b.op("Slice", ["x", int64(0), int64(TINY_SIZE / 2), int64(3)]);
      const logits = b.op("Flatten", [b.op("GlobalAveragePool", [left])], { axis: int(1) });
      return b.build([{ name: logits, dtype: "float32", shape: ["n", 3] }]);
    }

    /** White on the left, black on the right; and its mirror image. */
    async function halves(): Promise<string[]> {
      const folder = await temporaryFolder();
      const row = Array.from({ length: 32 }, (_, x) => [x < 16 ? 255 : 0, 128, 0]).flat();
      const data = Uint8Array.from(Array.from({ length: 32 }, () => row).flat());
      const [file, mirrored] = [join(folder, "half.png"), join(folder, "mirrored.png")];
      await sharp(data, { raw: { width: 32, height: 32, channels: 3 } }).toFile(file);
      await sharp(data, { raw: { width: 32, height: 32, channels: 3 } })
        .flop()
        .toFile(mirrored);
      return [file, mirrored];
    }

    /** The probabilities of a prediction, with what was averaged to them. */
    function read(prediction: Prediction | undefined): { readonly mean: number[]; readonly views: number[][] } {
      if (!prediction || !("probabilities" in prediction)) throw new Error("was not predicted");
      return { mean: [...prediction.probabilities], views: (prediction.views ?? []).map((view) => [...view]) };
    }

    function expectClose(actual: readonly number[], expected: readonly number[]): void {
      for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 6);
    }

    test.each([0, 1])(
      "averages the probabilities of an image and its mirror image, with %d threads",
      async (decodeThreads) => {
        const files = await halves();
        const broken = join(await temporaryFolder(), "broken.png");
        await writeFile(broken, "");
        const all = [files[0]!, broken, files[1]!];
        await using model = modelOf({ graph: leftGraph() });
        const plain = await predictAll(model, all);
        const [first, second] = [read(plain[0]).mean, read(plain[2]).mean];
        expect(Math.abs(first[0]! - second[0]!)).toBeGreaterThan(0.2);
        const flipped = await predictAll(model, all, { testTimeAugmentation: "flip", decodeThreads });
        expect(flipped[1]).toEqual(plain[1]);
        for (const [prediction, views] of [
          [flipped[0], [first, second]],
          [flipped[2], [second, first]],
        ] as const) {
          const got = read(prediction);
          expectClose(
            got.mean,
            first.map((p, i) => (p + second[i]!) / 2),
          );
          expectClose(got.views.flat(), views.flat());
        }
        expect(await predictAll(model, all, { testTimeAugmentation: "none" })).toEqual(plain);
      },
    );

    test("averages values, in batches of any size", async () => {
      const files = await halves();
      const metadata = new Map([["task", "image-regression"]]);
      await using model = modelOf({ graph: leftGraph(), metadata, labels: ["r", "g", "b"] });
      const [left, right] = await Promise.all(files.map((file) => model.predictValues(file)));
      const many = Array.from({ length: 21 }, (_, i) => files[i % 2]!);
      for (const prediction of await predictAll(model, many, { testTimeAugmentation: "flip" })) {
        if (!("values" in prediction)) throw new Error("not predicted");
        for (const [name, value] of Object.entries(prediction.values))
          expect(value).toBeCloseTo((left![name]! + right![name]!) / 2, 5);
      }
    });
  });

  test("is the same for any number of decoding threads", async () => {
    const files = await sevenPictures();
    await using model = modelOf();
    const wanted = await predictAll(model, files, { decodeThreads: 0, threads: 1 });
    expect(new Set(wanted.map((p) => ("top" in p ? p.probabilities.join() : ""))).size).toBe(7);
    for (const decodeThreads of [1, 2]) expect(await predictAll(model, files, { decodeThreads })).toEqual(wanted);
  });

  test.each([1, 4])("is the same for a file whose batch is fixed to %d", async (batch) => {
    const files = await sevenPictures();
    await using free = modelOf();
    await using fixed = modelOf({ graph: tinyGraph({ batch }) });
    expect(fixed.input.batch).toBe(batch);
    expect(await predictAll(fixed, files, { threads: 1 })).toEqual(await predictAll(free, files, { threads: 1 }));
  });

  test("keeps the place of a file that cannot be decoded and goes on", async () => {
    const files = await sevenPictures();
    await using model = modelOf();
    const wanted = await predictAll(model, files, { threads: 1 });
    const broken = join(await temporaryFolder(), "broken.jpg");
    await writeFile(broken, "<html></html>");
    const got = await predictAll(model, files.with(3, broken));
    expect(got[3]).toEqual({ file: broken, error: expect.stringContaining("is not an image") });
    expect(got.toSpliced(3, 1)).toEqual(wanted.toSpliced(3, 1));
  });

  test("one file that cannot be decoded is an error that reads as a sentence", async () => {
    const file = join(await temporaryFolder(), "empty.jpg");
    await writeFile(file, "");
    await using model = modelOf();
    await expect(model.predict(file)).rejects.toMatchObject({
      code: "BAD_DATA",
      message: `${file} is empty (0 bytes).`,
    });
  });
});

describe("a model refuses to predict", () => {
  const refusal = async (parts: Partial<ModelParts>): Promise<{ code: string; message: string }> => {
    const files = await sevenPictures();
    await using model = modelOf(parts);
    try {
      await model.predict(files[0]!);
    } catch (error) {
      return error as { code: string; message: string };
    }
    throw new Error("predicted");
  };

  test("without a preprocessing, and lists the choices", async () => {
    const error = await refusal({ preprocessing: undefined });
    expect(error.code).toBe("BAD_CONFIG");
    for (const name of Object.keys(NAMED_PREPROCESSING)) expect(error.message).toContain(`--preprocessing ${name}`);
    expect(() => modelOf({ preprocessing: undefined }).requirePreprocessing()).toThrow(/^tiny\.onnx does not say/);
  });

  test("with another number of labels than outputs", async () => {
    expect(await refusal({ labels: ["a", "b"] })).toMatchObject({
      code: "BAD_MODEL",
      message: "tiny.onnx has 10 outputs but 2 labels. Pass the right labels.",
    });
  });

  test("where the output is no row of scores", async () => {
    const b = new GraphBuilder("map");
    b.input({ name: "x", dtype: "float32", shape: ["n", 3, TINY_SIZE, TINY_SIZE] });
    const graph = b.build([{ name: b.op("Relu", ["x"], {}, "map"), dtype: "float32" }]);
    expect(await refusal({ graph })).toMatchObject({
      code: "BAD_MODEL",
      message: 'prediction requires a classifier with output [n, classes], got "map" [n, 3, 16, 16].',
    });
  });

  test("where the graph takes no picture", () => {
    const graph = { ...tinyGraph(), inputs: [] };
    expect(() => modelOf({ graph })).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
  });
});

describe("the session of a model", () => {
  test("ends with release and starts again when it is needed", async () => {
    const [file] = await sevenPictures();
    const model = modelOf();
    const first = await model.predict(file!);
    await model.release();
    await model.release();
    expect(await model.predict(file!)).toEqual(first);
    await model.release();
  });

  test("that failed to start is tried anew, and releasing does not fail", async () => {
    const [file] = await sevenPictures();
    const model = modelOf();
    await expect(model.predict(file!, { provider: "nothing" as Provider })).rejects.toMatchObject({
      code: "BAD_CONFIG",
    });
    await model.release();
    await expect(model.predict(file!, { provider: "nothing" as Provider })).rejects.toMatchObject({
      code: "BAD_CONFIG",
    });
    expect(await model.predict(file!)).toHaveLength(5);
    await model.release();
  });
});

interface Expected {
  readonly width: number;
  readonly height: number;
  readonly reference: Readonly<Record<string, readonly { readonly index: number; readonly p: number }[]>>;
}

/**
 * Whether the recorded predictions saw the same pixels: their longer side was rounded and their crop's offset rounded
 * down, where ours are cut off and rounded half to even, as torchvision's. Otherwise the crop is shifted by a pixel.
 */
function sameWindow({ width, height }: Expected): boolean {
  const long = (256 * Math.max(width, height)) / Math.min(width, height);
  const offset = (Math.trunc(long) - 224) / 2;
  return Math.round(long) === Math.trunc(long) && (Number.isInteger(offset) || Math.floor(offset) % 2 === 0);
}

withAssets("photographs", () => {
  test.each(["squeezenet1_1", "mobilenetv2_1.0_224"])(
    "get from %s the recorded classes and probabilities",
    async (name) => {
      const photos = join(assets!, "photos");
      const expected = JSON.parse(readFileSync(join(photos, "expected.json"), "utf8")) as Record<string, Expected>;
      const labels = JSON.parse(readFileSync(join(assets!, "models/imagenet_classes.json"), "utf8")) as string[];
      const files = Object.keys(expected);
      await using model = await loadModel(join(assets!, "models", name, `${name}.onnx`), { labels });
      const predictions = await predictAll(
        model,
        files.map((file) => join(photos, file)),
      );
      const same: string[] = [];
      for (const [i, prediction] of predictions.entries()) {
        if (!("top" in prediction)) throw new Error(`${files[i]} was not classified`);
        const file = files[i]!;
        const recorded = expected[file]!.reference[name]!;
        const largest = Math.max(...recorded.map(({ index, p }) => Math.abs(prediction.probabilities[index]! - p)));
        // The record has three decimals: equal pixels differ by at most half of the last one.
        expect([file, largest < (sameWindow(expected[file]!) ? 0.001 : 0.1)]).toEqual([file, true]);
        if (!sameWindow(expected[file]!)) continue;
        same.push(file);
        expect([file, prediction.top[0]!.label]).toEqual([file, labels[recorded[0]!.index]]);
      }
      expect(files).toHaveLength(13);
      expect(same.sort()).toEqual(
        ["bald_eagle", "bird", "dog_bicycle_truck", "hot_dog", "kitten", "owl", "pelican"].map(
          (photo) => `${photo}.jpg`,
        ),
      );
    },
  );
});
