import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { decodeModel } from "../../src/onnx/decode.ts";
import { GraphProtoSchema, ModelProtoSchema } from "../../src/onnx/onnx-pb.ts";
import { protoOfTensor } from "../../src/onnx/tensor-proto.ts";
import { float32 } from "../../src/tensor/tensor.ts";

const graph = create(GraphProtoSchema, {
  name: "g",
  initializer: [protoOfTensor("w", float32([64], new Float32Array(64).fill(1)))],
});
const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { opsetImport: [{ version: 18n }], graph }));

test("weights are views of the file, also of a Buffer in a larger pool", () => {
  const pool = Buffer.alloc(bytes.length + 16);
  pool.set(bytes, 8);
  const decoded = decodeModel(pool.subarray(8, 8 + bytes.length), "model.onnx");
  const raw = decoded.graph.initializer[0]!.rawData;
  expect(raw.buffer).toBe(pool.buffer);
  expect(Buffer.isBuffer(raw)).toBe(false);
  expect(raw).toEqual(new Uint8Array(new Float32Array(64).fill(1).buffer));
});

describe("refused", () => {
  const refusal = (message: string): unknown =>
    expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining(message) });

  test.each([
    ["an empty file", new Uint8Array(), "model.onnx is empty (0 bytes)"],
    ["a cut file", bytes.subarray(0, bytes.length - 1), "is not a readable ONNX file"],
    ["text", new TextEncoder().encode("<html>Not found</html>"), "is not a readable ONNX file (22 bytes)"],
    ["a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), "model.onnx"],
    [
      "a model without a graph",
      toBinary(ModelProtoSchema, create(ModelProtoSchema, { opsetImport: [{ version: 18n }] })),
      "a graph is missing",
    ],
    [
      "a model without an opset",
      toBinary(ModelProtoSchema, create(ModelProtoSchema, { graph })),
      "an opset version is missing",
    ],
  ])("%s", (_, file, message) => {
    expect(() => decodeModel(file, "model.onnx")).toThrow(refusal(message));
  });

  const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
  test.each([
    ["version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "Run `git lfs pull`."],
    ["PK\x03\x04\x00\x00archive/data.pkl", "it looks like a ZIP archive, such as a PyTorch checkpoint."],
    ["\x89HDF\r\n\x1a\n\x00", "it looks like an HDF5 file"],
    ["\x80\x02}q\x00", "it looks like a Python pickle"],
    ['@\x00\x00\x00\x00\x00\x00\x00{"__metadata__":{}}', "it looks like a safetensors file"],
    ["\n<!DOCTYPE html><title>404</title>", "it looks like an HTML page"],
    ['{ "error": "not found" }', "it looks like JSON."],
    ["Not Found, sorry", "it looks like text."],
  ])("another format, saying which: %j", (start, message) => {
    expect(() => decodeModel(ascii(start), "model.onnx")).toThrow(refusal(message));
  });

  test("keeping the cause", () => {
    try {
      decodeModel(bytes.subarray(0, bytes.length - 1), "model.onnx");
      expect.fail("the file is cut");
    } catch (error) {
      expect((error as Error).cause).toBeInstanceOf(Error);
    }
  });

  test("a file cut anywhere, or of random bytes, with no other error", () => {
    const files = Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length));
    for (let seed = 1; seed <= 500; seed++) {
      files.push(Uint8Array.from({ length: 64 }, (_, i) => Math.imul(seed * 65 + i, 2_654_435_761) >>> 24));
    }
    for (const file of files) {
      try {
        decodeModel(file, "model.onnx");
      } catch (error) {
        expect(error).toMatchObject({ name: "RootstockError", code: "BAD_MODEL" });
      }
    }
  });
});
