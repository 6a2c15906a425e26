import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { DType } from "../../src/tensor/dtype.ts";
import { float32, int64, type Tensor, zeros } from "../../src/tensor/tensor.ts";
import { memorySource } from "../../src/weights/byte-source.ts";
import { openWeights } from "../../src/weights/open-weights.ts";
import { encodeSafetensors, openSafetensors, writeSafetensors } from "../../src/weights/safetensors.ts";
import { temporaryFolder } from "../data/made.ts";
import { expectTensors, goldenPath, goldenTensors } from "./golden.ts";

test("reads what the reference implementation wrote", async () => {
  const source = await openWeights(goldenPath("kinds.safetensors"));
  expectTensors(source, goldenTensors("torch.json")["kinds.safetensors"]!);
  expect(source.format).toBe("safetensors");
  expect([...source.metadata]).toEqual([
    ["format", "pt"],
    ["note", "Ω"],
  ]);
  source.close();
});

test("writes what it reads, aligned, with names in their order", async () => {
  const path = join(await temporaryFolder(), "new", "weights.safetensors");
  const tensors = new Map<string, Tensor>([
    ["b.weight", float32([2, 2], [1, -2, 3.5, 4])],
    ["count", int64([7], [])],
    ["a", { ...zeros("uint8", [3]), data: Uint8Array.of(1, 2, 3) }],
    ["none", zeros("float32", [0, 4])],
  ]);
  await writeSafetensors(path, tensors, { by: "a test" });
  const source = await openWeights(path);
  expect(source.names).toEqual([...tensors.keys()]);
  for (const [name, tensor] of tensors) expect(source.read(name)).toEqual(tensor);
  expect(source.metadata.get("by")).toBe("a test");
  source.close();
  const bytes = await readFile(path);
  expect(bytes.readUInt32LE(0) % 8).toBe(0);
});

test("refuses to write a tensor under the metadata's name", () => {
  expect(() => encodeSafetensors(new Map([["__metadata__", float32([1], [1])]]))).toThrow('"__metadata__"');
});

/** A file with this header and `size` bytes of data. */
function made(header: unknown, size: number): Uint8Array {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, Buffer.alloc(size)]);
}

function record(
  begin: number,
  end: number,
  shape: unknown = [(end - begin) / 4],
  dtype: DType | string = "F32",
): unknown {
  return { dtype, shape, data_offsets: [begin, end] };
}

describe("refused", () => {
  const open = (bytes: Uint8Array): unknown => openSafetensors(memorySource("w.safetensors", bytes));

  test.each<[string, Uint8Array, string]>([
    ["overlapping tensors", made({ a: record(0, 8), b: record(4, 12) }, 12), '"b" overlaps "a"'],
    ["the same bytes twice", made({ a: record(0, 8), b: record(0, 8) }, 8), '"b" overlaps "a"'],
    ["a gap", made({ a: record(0, 8), b: record(12, 16) }, 16), 'between "a" and "b"'],
    ["bytes after the last", made({ a: record(0, 8) }, 12), "4 bytes of no tensor"],
    ["data that is cut off", made({ a: record(0, 8) }, 7), "truncated"],
    ["offsets outside", made({ a: record(0, 2 ** 52, [2 ** 50]) }, 8), "truncated"],
    ["offsets that are no counts", made({ a: record(-4, 4) }, 8), "no shape or no offsets"],
    [
      "an end before the begin",
      made({ a: { dtype: "F32", shape: [1], data_offsets: [8, 4] } }, 8),
      '"a" requires 4 bytes',
    ],
    ["a shape of another size", made({ a: record(0, 8, [3]) }, 8), "requires 12 bytes for [3] but has 8"],
    ["10^9 elements in 8 bytes", made({ a: record(0, 8, [1e9]) }, 8), "requires 4000000000 bytes"],
    ["a shape beyond numbers", made({ a: record(0, 8, [2 ** 40, 2 ** 40]) }, 8), "has the shape"],
    ["a negative dimension", made({ a: record(0, 8, [-2]) }, 8), "has the shape [-2]"],
    ["a type that is not read", made({ a: record(0, 2, [2], "F8_E4M3") }, 2), "element type F8_E4M3"],
    ["no record", made({ a: 3 }, 0), '"a" has no record'],
    ["no tensors", made({ __metadata__: {} }, 0), "holds no tensors"],
    ["a header that is a list", made("[]", 0), "does not start with"],
    ["a header that is cut off", made({ a: record(0, 8) }, 8).subarray(0, 30), "truncated"],
    ["a header that is no JSON", made("{nope}", 8), "no JSON text"],
    ["a header of brackets", made(`{"a":${"[".repeat(10_000)}`, 0), "nests more than 8 lists or objects"],
    ["a header of terabytes", Buffer.from("\x00\x00\x00\x00\x00\x01\x00\x00{", "latin1"), "100000000 are allowed"],
  ])("%s", (_what, bytes, message) => {
    expect(() => open(bytes)).toThrow(message);
    expect(() => open(bytes)).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
  });

  test("every tensor of an unknown type at once", () => {
    const bytes = made({ a: record(0, 2, [2], "F4"), b: record(2, 4, [2], "C64") }, 4);
    expect(() => open(bytes)).toThrow(/"a" has the element type F4.*"b" has the element type C64/);
  });

  test("a tensor that is not there, with those that are", () => {
    const source = openSafetensors(memorySource("w.safetensors", made({ a: record(0, 4) }, 4)));
    expect(() => source.read("b")).toThrow('w.safetensors has no tensor "b". It has a.');
    expect(() => source.info("__proto__")).toThrow('no tensor "__proto__"');
  });
});
