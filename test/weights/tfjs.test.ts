import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { numberToFloat16 } from "../../src/tensor/float16.ts";
import { float32, type Tensor, tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { isTfjs, openTfjs } from "../../src/weights/tfjs.ts";
import { temporaryFolder } from "../data/made.ts";
import { type TfjsJson, type TfjsWeight, writeTfjs } from "./tfjs-files.ts";

const WEIGHTS: readonly TfjsWeight[] = [
  { name: "conv/kernel", tensor: float32([2, 3], [1, 2, 3, 4, 5, 6]) },
  { name: "conv/bias", tensor: float32([3], [-1, 0, 0.5]) },
  {
    name: "a/kernel",
    dtype: "float32",
    tensor: tensor("uint8", [3], Uint8Array.of(0, 100, 255)),
    quantization: { dtype: "uint8", scale: 0.5, min: -2 },
  },
  {
    name: "b/kernel",
    dtype: "float32",
    tensor: tensor("uint16", [2], Uint16Array.of(0, 65_535)),
    quantization: { dtype: "uint16", scale: 0.001, min: 1 },
  },
  {
    name: "c/kernel",
    dtype: "float32",
    tensor: tensor("float16", [2], Uint16Array.of(numberToFloat16(0.5), numberToFloat16(-3))),
    quantization: { dtype: "float16" },
  },
];
const WANTED = [
  [1, 2, 3, 4, 5, 6],
  [-1, 0, 0.5],
  [-2, 48, 125.5],
  [1, 66.535],
  [0.5, -3],
];

describe.each([1, 2, 7])("weights in %d files", (shards) => {
  test("are read by name, quantized ones widened", async () => {
    const folder = await writeTfjs(await temporaryFolder(), { class_name: "x" }, WEIGHTS, { shards });
    const { topology, tensors } = openTfjs(join(folder, "model.json"));
    expect(topology).toEqual({ class_name: "x" });
    expect(tensors.names).toEqual(WEIGHTS.map(({ name }) => name));
    const read: Tensor[] = tensors.names.map((name) => tensors.read(name));
    expect(read.map(({ dtype }) => dtype)).toEqual(new Array(5).fill("float32"));
    expect(read.map((t) => toNumbers(t).map((x) => Number(x.toFixed(4))))).toEqual(WANTED);
    expect(tensors.info("a/kernel")).toEqual({ dtype: "uint8", shape: [3], bytes: 3 });
    tensors.close();
  });
});

test("tells model.json from other JSON", () => {
  expect(isTfjs({ modelTopology: {}, weightsManifest: [] })).toBe(true);
  for (const json of [null, 1, [], {}, { weightsManifest: [] }]) expect(isTfjs(json)).toBe(false);
});

/** How model.json is changed, and what the message says. */
const REFUSED: readonly [string, (json: TfjsJson) => unknown, code: string, message: RegExp][] = [
  ["a graph model", (json) => ({ ...json, format: "graph-model" }), "UNSUPPORTED_OP", /graph model.*Keras model/],
  ["a graph model without format", (json) => ({ ...json, modelTopology: { node: [] } }), "UNSUPPORTED_OP", /graph/],
  ["a list", () => [1], "BAD_MODEL", /cannot be used/],
  ["no manifest", () => ({ modelTopology: {} }), "BAD_MODEL", /weightsManifest/],
  ...["../secret.bin", "/etc/passwd", "a/../../b", "C:\\x", "file:///x", "..\\x", "", "a\0b"].map(
    (path): (typeof REFUSED)[number] => [
      `a file called ${JSON.stringify(path)}`,
      withPath(path),
      "BAD_MODEL",
      /folder/,
    ],
  ),
  ["a missing file", withPath("gone.bin"), "BAD_MODEL", /gone\.bin/],
  ["weights beyond the files", withShape([1e6]), "BAD_MODEL", /ends at byte 4000000/],
  ["weights of impossible size", withShape([2 ** 40, 2 ** 40]), "BAD_MODEL", /which no tensor can have/],
  ["a negative size", withShape([-1]), "BAD_MODEL", /shape/],
  ["too few weights", withShape([1]), "BAD_MODEL", /describes 53 bytes of weights, and its files have 57|describes/],
  ["strings", withFirst({ dtype: "string" }), "BAD_MODEL", /dtype/],
  ["one name twice", withFirst({ name: "conv/bias" }), "BAD_MODEL", /"conv\/bias" twice/],
];

function withFirst(change: object): (json: TfjsJson) => unknown {
  return (json) => {
    Object.assign(json.weightsManifest[0]!.weights[0]!, change);
    return json;
  };
}

function withShape(shape: readonly number[]): (json: TfjsJson) => unknown {
  return withFirst({ shape });
}

function withPath(path: string): (json: TfjsJson) => unknown {
  return (json) => {
    json.weightsManifest[0]!.paths[0] = path;
    return json;
  };
}

test.each(REFUSED)("%s is refused", async (_what, edit, code, message) => {
  const folder = await writeTfjs(await temporaryFolder(), {}, WEIGHTS, { edit });
  expect(() => openTfjs(join(folder, "model.json"))).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  );
});

test("a quantized weight without its scale is refused when it is read", async () => {
  const weights = [{ ...WEIGHTS[2]!, quantization: { dtype: "uint8" } }];
  const { tensors } = openTfjs(join(await writeTfjs(await temporaryFolder(), {}, weights), "model.json"));
  expect(() => tensors.read("a/kernel")).toThrow(/require a scale and a min/);
});

test("text that is no JSON is refused", async () => {
  const path = join(await temporaryFolder(), "model.json");
  await writeFile(path, "{");
  expect(() => openTfjs(path)).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
});
