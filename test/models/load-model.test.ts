import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { saveGraph } from "../../src/graph/save.ts";
import { initialize } from "../../src/models/architectures/initializers.ts";
import { ARCHITECTURES } from "../../src/models/architectures/table.ts";
import { type LoadModelOptions, loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { atImageSize, namedPreprocessing } from "../../src/models/preprocessing.ts";
import { decodeModel } from "../../src/onnx/decode.ts";
import { joinChunks } from "../../src/onnx/encode.ts";
import { ModelProtoSchema, StringStringEntryProtoSchema } from "../../src/onnx/onnx-pb.ts";
import { toNumbers } from "../../src/tensor/tensor.ts";
import { writeSafetensors } from "../../src/weights/safetensors.ts";
import { assets, withAssets } from "../assets.ts";
import { temporaryFolder } from "../data/made.ts";
import { PREPROCESSING_RECORDS } from "./asset-records.ts";
import { TINY_PREPROCESSING, TINY_SIZE, tinyGraph, writeTinyModel } from "./tiny.ts";

const INPUT = { height: TINY_SIZE, width: TINY_SIZE, layout: "NCHW" } as const;

const modelPath = async (): Promise<string> => join(await temporaryFolder(), "tiny.onnx");

async function refusal(path: string, options?: LoadModelOptions): Promise<{ code: string; message: string }> {
  try {
    await loadModel(path, options);
  } catch (error) {
    expect(error).toMatchObject({ name: "RootstockError" });
    return error as { code: string; message: string };
  }
  throw new Error("was loaded");
}

const withMetadata = async (metadata: Readonly<Record<string, string>>): Promise<string> =>
  await writeTinyModel(await modelPath(), {}, metadata);

/** The tiny model with its first weight at `location`, a relative path that need not exist. */
async function writeExternal(path: string, location: string, offset = 0): Promise<void> {
  const proto = decodeModel(joinChunks(saveGraph(tinyGraph())), "tiny");
  const [weight] = proto.graph.initializer;
  const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
  const bytes = weight!.rawData;
  const file = join(dirname(path), location);
  if (!/^\/|\.\.|^C:/.test(location)) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, Buffer.concat([Buffer.alloc(offset), bytes]));
  }
  weight!.rawData = new Uint8Array(0);
  weight!.dataLocation = 1;
  weight!.externalData = [
    entry("location", location),
    entry("offset", `${offset}`),
    entry("length", `${bytes.length}`),
  ];
  await writeFile(path, toBinary(ModelProtoSchema, proto));
}

describe("loadModel", () => {
  test("reads the graph, its metadata, and what its input is made of", async () => {
    const path = await writeTinyModel(await modelPath());
    const model = await loadModel(path);
    expect(model).toMatchObject({ name: "tiny.onnx", labels: undefined, preprocessingSource: "the file's metadata" });
    expect(model.metadata.get("license")).toBe("CC0-1.0");
    expect(model.graph.nodes.map(({ op }) => op)).toEqual(tinyGraph().nodes.map(({ op }) => op));
    expect(model.input).toEqual({ name: "input", batch: undefined, ...INPUT });
    expect(model.preprocessing).toMatchObject({ inputSize: [16, 16], resize: { kind: "stretch" }, scale: 1 / 127.5 });
  });

  test("reads labels from the metadata, which the caller's replace", async () => {
    const labels = Array.from({ length: 10 }, (_, i) => `species ${i}`);
    const path = await withMetadata({ labels: JSON.stringify(labels) });
    expect((await loadModel(path)).labels).toEqual(labels);
    expect((await loadModel(path, { labels: ["mine"] })).labels).toEqual(["mine"]);
  });

  test.each(["cat,dog", "{}", "[]", "[1, 2]", '["a", null]', '"cat"', ""])("refuses the labels %j", async (labels) => {
    const path = await withMetadata({ labels });
    const message = 'metadata "labels" of tiny.onnx requires a JSON list of class names.';
    expect(await refusal(path)).toMatchObject({ code: "BAD_MODEL", message });
    expect((await loadModel(path, { labels: ["mine"] })).labels).toEqual(["mine"]);
  });
});

describe("the preprocessing", () => {
  const sources = async (options: LoadModelOptions, { own = true, beside = true } = {}): Promise<Model> => {
    const path = await modelPath();
    await writeTinyModel(path, {}, own ? { preprocessing: JSON.stringify(TINY_PREPROCESSING) } : {});
    const config = { do_normalize: true, image_mean: [0.1, 0.2, 0.3], image_std: [1, 2, 4], size: TINY_SIZE };
    if (beside) await writeFile(join(dirname(path), "preprocessor_config.json"), JSON.stringify(config));
    return await loadModel(path, options);
  };

  test("of the file's metadata goes before preprocessor_config.json beside it", async () => {
    expect(await sources({})).toMatchObject({
      preprocessingSource: "the file's metadata",
      preprocessing: { offset: -1, mean: [0, 0, 0] },
    });
  });

  test("of preprocessor_config.json is used where the metadata has none", async () => {
    expect(await sources({}, { own: false })).toMatchObject({
      preprocessingSource: "preprocessor_config.json",
      preprocessing: { offset: 0, mean: [0.1, 0.2, 0.3], std: [1, 2, 4], resize: { kind: "stretch" } },
    });
  });

  test("may be missing until it is needed", async () => {
    const model = await sources({}, { own: false, beside: false });
    expect(model).toMatchObject({ preprocessing: undefined, preprocessingSource: "nowhere" });
    expect(() => model.requirePreprocessing()).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
  });

  test("that the caller names, gives, or has in a file goes before both", async () => {
    const record = namedPreprocessing("caffe", INPUT);
    const file = join(await temporaryFolder(), "mine.json");
    await writeFile(file, JSON.stringify(record));
    expect(await sources({ preprocessing: "caffe" })).toMatchObject({
      preprocessing: record,
      preprocessingSource: "--preprocessing caffe",
    });
    expect(await sources({ preprocessing: record })).toMatchObject({
      preprocessing: record,
      preprocessingSource: "the caller",
    });
    expect(await sources({ preprocessing: file })).toMatchObject({
      preprocessing: record,
      preprocessingSource: `--preprocessing ${file}`,
    });
  });

  test("that is neither a name nor a file lists the names", async () => {
    const error = await refusal(await writeTinyModel(await modelPath()), { preprocessing: "imagnet" });
    expect(error.code).toBe("BAD_CONFIG");
    expect(error.message).toContain(
      "--preprocessing imagnet: required is one of imagenet, tf, caffe, unit, none, or a JSON file",
    );
  });

  test("that is broken is refused wherever it stands, also where a good one stands elsewhere", async () => {
    const path = await withMetadata({ preprocessing: '{"resize": 16, "std": [1, 0, 1]}' });
    await writeFile(join(dirname(path), "preprocessor_config.json"), '{"size": 16, "do_resize": true}');
    expect(await refusal(path)).toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringMatching(/^metadata "preprocessing" of tiny\.onnx is not .*std\.1: /),
    });
    const other = await withMetadata({});
    await writeFile(join(dirname(other), "preprocessor_config.json"), "{");
    expect(await refusal(other)).toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringMatching(/^preprocessor_config\.json requires JSON/),
    });
    expect((await loadModel(other, { preprocessing: "tf" })).preprocessing).toEqual(namedPreprocessing("tf", INPUT));
  });

  test("that makes another input than the model's is refused with both sizes", async () => {
    const path = await withMetadata({ preprocessing: JSON.stringify({ ...TINY_PREPROCESSING, resize: 32 }) });
    expect(await refusal(path)).toMatchObject({
      code: "BAD_CONFIG",
      message: "the preprocessing from the file's metadata makes 32x32 NCHW, the model's input is 16x16 NCHW.",
    });
  });
});

describe("weights beside the file", () => {
  test("are read, from subfolders and at offsets too", async () => {
    const wanted = [...tinyGraph().initializers.values()].map(toNumbers);
    for (const [location, offset] of [
      ["tiny.data", 0],
      ["parts/weights.bin", 64],
    ] as const) {
      const path = await modelPath();
      await writeExternal(path, location, offset);
      expect([...(await loadModel(path)).graph.initializers.values()].map(toNumbers)).toEqual(wanted);
    }
  });

  test.each(["../secret", "a/../../secret", "/etc/passwd", "..\\secret", "C:\\secret"])(
    "at %j are refused, since that is outside the folder",
    async (location) => {
      const path = await modelPath();
      await writeFile(join(dirname(path), "secret"), new Uint8Array(10_000));
      await writeExternal(path, location);
      expect(await refusal(path)).toMatchObject({
        code: "BAD_MODEL",
        message: expect.stringContaining("which is outside the model's folder. Refused."),
      });
    },
  );

  test("that are missing or too short are named", async () => {
    const path = await modelPath();
    await writeExternal(path, "tiny.data");
    const data = join(dirname(path), "tiny.data");
    await writeFile(data, (await readFile(data)).subarray(0, 20));
    expect((await refusal(path)).message).toMatch(/requires bytes 0 to 648 of "tiny\.data", which has 20/);
    await rm(data);
    expect((await refusal(path)).message).toMatch(
      /^tiny\.onnx keeps weights in "tiny\.data" beside it, which cannot be/,
    );
  });
});

describe("a path that is no model", () => {
  test("because nothing is there", async () => {
    const path = await modelPath();
    expect(await refusal(path)).toMatchObject({ code: "BAD_MODEL", message: `no model file at ${path}.` });
  });

  test("because it is a folder", async () => {
    const folder = await temporaryFolder();
    expect(await refusal(folder)).toMatchObject({
      code: "BAD_MODEL",
      message: `${folder} is a folder; an .onnx file is required.`,
    });
  });

  test("because a file stands where a folder is named", async () => {
    const path = await writeTinyModel(await modelPath());
    expect(await refusal(join(path, "inner.onnx"))).toMatchObject({
      code: "BAD_MODEL",
      message: expect.stringContaining("cannot read"),
    });
  });

  test("because it is empty", async () => {
    const path = await modelPath();
    await writeFile(path, "");
    expect(await refusal(path)).toMatchObject({
      code: "BAD_MODEL",
      message: "tiny.onnx is empty (0 bytes): an ONNX file is required.",
    });
  });

  test.each([
    ["text", "This is no model.\n".repeat(20)],
    ["a web page", "<!DOCTYPE html><html><body>404</body></html>"],
    ["a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"],
    ["JSON", '{"format": "layers-model"}'],
    ["zeros", "\0".repeat(1000)],
  ])("because it is %s", async (_, content) => {
    const path = await modelPath();
    await writeFile(path, content);
    const error = await refusal(path);
    expect(error.code).toBe("BAD_MODEL");
    expect(error.message).toMatch(/^tiny\.onnx (is not a readable ONNX file|holds no ONNX model)/);
  });

  test("because it is cut off anywhere", async () => {
    const path = await modelPath();
    const whole = joinChunks(saveGraph(tinyGraph()));
    for (let share = 1; share < 20; share++) {
      await writeFile(path, whole.subarray(0, Math.floor((whole.length * share) / 20)));
      expect((await refusal(path)).code).toBe("BAD_MODEL");
    }
  });

  test("because it takes no picture", async () => {
    const path = await modelPath();
    const graph = tinyGraph();
    const inputs = [...graph.inputs, { name: "text", dtype: "float32" as const, shape: ["n", 3] }];
    await writeFile(path, saveGraph({ ...graph, inputs }));
    expect(await refusal(path)).toMatchObject({
      code: "BAD_MODEL",
      message: expect.stringContaining("a vision model requires one float32 input [n, 3, h, w]"),
    });
  });
});

withAssets("real models", () => {
  test.each(Object.entries(PREPROCESSING_RECORDS))(
    "%s loads with its documented preprocessing",
    async (file, wanted) => {
      const model = await loadModel(join(assets!, "models", file));
      expect(model.preprocessing).toEqual(wanted);
      expect(model.preprocessingSource).toBe(wanted ? "the file's metadata" : "nowhere");
    },
  );
});

test("an image size other than the weights' scales the preprocessing, where the network takes it", async () => {
  const folder = await temporaryFolder();
  const { parameters } = ARCHITECTURES.resnet20_cifar10.build();
  const path = join(folder, "resnet20.safetensors");
  await writeSafetensors(path, initialize(parameters, 1));
  const model = await loadModel(path, { preprocessing: "imagenet", imageSize: [64, 64] });
  expect(model.graph.inputs[0]!.shape).toEqual(["batch", 3, 64, 64]);
  expect(model.preprocessing).toMatchObject({ inputSize: [64, 64], resize: { kind: "shortest-edge", size: 73 } });
  expect(atImageSize(model.preprocessing!, [128, 96])).toMatchObject({ inputSize: [128, 96], resize: { size: 146 } });
  await expect(loadModel(path, { preprocessing: "imagenet", imageSize: [0, 8] })).rejects.toMatchObject({
    code: "BAD_CONFIG",
  });
  await expect(loadModel(await writeTinyModel(await modelPath()), { imageSize: [999, 999] })).rejects.toThrow(
    /makes 999x999 NCHW, the model's input is/,
  );
});
