import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { toNumbers } from "../../src/tensor/tensor.ts";
import { memorySource } from "../../src/weights/byte-source.ts";
import { toFloat32 } from "../../src/weights/elements.ts";
import { eachDataset, type Hdf5Dataset, type Hdf5Group, isHdf5, openHdf5 } from "../../src/weights/hdf5.ts";
import { goldenPath, goldenTensors } from "./golden.ts";

const EXPECTED = goldenTensors("hdf5.json");

function open(name: string): Hdf5Group {
  return openHdf5(memorySource(name, readFileSync(goldenPath(name))));
}

function dataset(group: Hdf5Group, path: string): Hdf5Dataset {
  const object = group.get(path);
  if (object?.kind !== "dataset") throw new Error(`${path} is ${object?.kind}`);
  return object;
}

describe("reads datasets as h5py wrote them", () => {
  test.each(Object.keys(EXPECTED["kinds.h5"]!))("%s, behind a user block", (name) => {
    const { dtype, shape, values } = EXPECTED["kinds.h5"]![name]!;
    const found = dataset(open("kinds.h5"), name);
    expect({ dtype: found.dtype, shape: found.shape }).toEqual({ dtype, shape });
    const tensor = found.read();
    expect(toNumbers(tensor.dtype === "float16" ? toFloat32(tensor) : tensor)).toEqual(values);
  });

  test.each(["many.h5", "tracked.h5", "keras3.weights.h5", "keras3-latest.weights.h5"])("%s", (name) => {
    const found = new Map<string, Hdf5Dataset>();
    eachDataset(open(name), (path, object) => found.set(path, object));
    for (const [path, { values }] of Object.entries(EXPECTED[name]!))
      expect(toNumbers(found.get(path)!.read()), path).toEqual(values);
  });
});

test("lists groups by name, and reaches into them by path", () => {
  const root = open("keras3.weights.h5");
  expect(root.names).toEqual(["layers", "optimizer"]);
  expect(root.get("layers")).toMatchObject({ kind: "group", names: ["dropout", "layer_0", "layer_1"] });
  expect(root.get("layers/layer_1/vars/3")).toMatchObject({ kind: "dataset", shape: [4], dtype: "float32", bytes: 16 });
  expect(root.get("layers/layer_9")).toBeUndefined();
  expect(root.get("layers/layer_1/vars/3/deeper")).toBeUndefined();
});

test("lists a group with more links than fit into its header by name, and with few in the order of making", () => {
  expect(open("many.h5").names).toEqual(Object.keys(EXPECTED["many.h5"]!));
  expect(open("tracked.h5").names).toEqual(["t2", "t0", "t1"]);
});

describe("attributes", () => {
  test("of text, of fixed and variable length", () => {
    const group = open("keras2-weights.h5");
    expect(group.attribute("layer_names")).toEqual(["input_1", "conv2d", "block1_conv1", "inner_model"]);
    const model = open("keras2-model.h5");
    expect(JSON.parse(String(model.attribute("model_config")?.[0]))).toEqual({
      class_name: "Sequential",
      config: { name: "ü" },
    });
    expect(model.attribute("nothing")).toBeUndefined();
  });

  test("that are too many for the header", () => {
    const group = open("many.h5");
    for (let i = 0; i < 20; i++) expect(group.attribute(`a${i}`)).toEqual([`value ${i}`]);
  });
});

describe("refused", () => {
  test.each([
    ["external", "are in another file, which is not followed"],
    ["lzf", "is packed by lzf, which is not supported"],
    ["unwritten", "was never written"],
    ["sparse", "has 1 of its 262144 chunks"],
  ])("the dataset %s", (name, message) => {
    const found = dataset(open("refused.h5"), name);
    expect(() => found.read()).toThrow(message);
    expect(() => found.read()).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
  });

  test("text", () => {
    const found = dataset(open("kinds.h5"), "text");
    expect(found.dtype).toBeUndefined();
    expect(() => found.read()).toThrow("elements of type variable text, not numbers");
  });

  test("links into other files, and links by path", () => {
    expect(open("refused.h5").names).toEqual(["external", "loop", "lzf", "sparse", "unwritten"]);
  });

  test("to go round in circles: a group that contains itself is visited once", () => {
    const paths: string[] = [];
    eachDataset(open("refused.h5"), (path) => paths.push(path));
    expect(paths).toEqual(["external", "lzf", "sparse", "unwritten"]);
  });

  test("what is no HDF5 file", () => {
    const source = memorySource("a.h5", new Uint8Array(3000));
    expect(isHdf5(source)).toBe(false);
    expect(() => openHdf5(source)).toThrow("the signature of the format is missing");
  });

  test("every truncation", () => {
    const bytes = readFileSync(goldenPath("keras2-weights.h5"));
    for (let length = 8; length < bytes.length; length += 97) {
      const source = memorySource("a.h5", bytes.subarray(0, length));
      expect(() => openHdf5(source), `${length} bytes`).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
    }
  });
});

test("reads a dataset again and again, without using up its steps", () => {
  const found = dataset(open("kinds.h5"), "chunked");
  for (let i = 0; i < 6000; i++) found.read();
});
