import { describe, expect, test } from "vitest";
import { float32, type Tensor, zeros } from "../../src/tensor/tensor.ts";
import { memorySource } from "../../src/weights/byte-source.ts";
import { openSafetensors } from "../../src/weights/safetensors.ts";
import { openSealed, sealSafetensors } from "../../src/weights/sealed-safetensors.ts";

const TENSORS = new Map<string, Tensor>([
  ["b", float32([2], [1.5, -2])],
  ["none", zeros("float32", [0, 3])],
  ["a", float32([], [3])],
]);

function fileOf(tensors: ReadonlyMap<string, Tensor>, metadata: Record<string, string> = {}): Uint8Array {
  return Buffer.concat(sealSafetensors(tensors, metadata).chunks);
}

function verified(bytes: Uint8Array): Map<string, Tensor> {
  const file = openSealed(memorySource("w.safetensors", bytes));
  file.verify();
  return file.read();
}

test("reads what it wrote, with the sum that it said", () => {
  const { chunks, sha256 } = sealSafetensors(TENSORS, { note: "ü" });
  const file = openSealed(memorySource("w", Buffer.concat(chunks)));
  expect(file.sha256).toBe(sha256);
  expect(file.metadata.get("note")).toBe("ü");
  file.verify();
  expect([...file.read()]).toEqual([...TENSORS]);
});

test("is a safetensors file like any other", () => {
  const source = openSafetensors(memorySource("w", fileOf(TENSORS)));
  expect(source.read("b")).toEqual(TENSORS.get("b"));
});

test("holds no tensors, too", () => {
  expect(verified(fileOf(new Map(), { state: "{}" })).size).toBe(0);
});

test("the sum depends on tensors, names, and metadata, and on nothing else", () => {
  const sum = (tensors: ReadonlyMap<string, Tensor>, note: string): string => sealSafetensors(tensors, { note }).sha256;
  const sums = [
    sum(TENSORS, "x"),
    sum(TENSORS, "y"),
    sum(new Map([...TENSORS, ["a", float32([], [-3])]]), "x"),
    sum(new Map([...TENSORS, ["c", float32([0], [])]]), "x"),
  ];
  expect(new Set(sums).size).toBe(4);
  expect(sum(TENSORS, "x")).toBe(sums[0]);
});

test("texts and names that look like the sum's key are no obstacle", () => {
  const zero = "0".repeat(64);
  const key = `"sha256":"${zero}"`;
  const tensors = new Map([
    ["0", float32([1], [1])],
    [key, float32([1], [2])],
    ["sha256", float32([1], [3])],
    ["__proto__", float32([1], [4])],
  ]);
  const read = verified(fileOf(tensors, { [key]: key, state: JSON.stringify({ sha256: zero }) }));
  expect([...read]).toEqual([...tensors]);
});

test("every flip of a byte is noticed, every bit of it", () => {
  const bytes = fileOf(TENSORS, { note: "x" });
  expect(() => verified(bytes)).not.toThrow();
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
      bytes[at]! ^= mask;
      expect(() => verified(bytes), `byte ${at} ^ ${mask}`).toThrow();
      bytes[at]! ^= mask;
    }
  }
});

test("an end that is missing, or that is too long, is noticed", () => {
  const bytes = fileOf(TENSORS);
  for (let length = 0; length < bytes.length; length++)
    expect(() => verified(bytes.subarray(0, length)), `length ${length}`).toThrow();
  expect(() => verified(Buffer.concat([bytes, Uint8Array.of(0)]))).toThrow();
});

describe("says what is wrong", () => {
  test("with another sum", () => {
    const bytes = fileOf(TENSORS);
    bytes[bytes.length - 1]! ^= 1;
    expect(() => verified(bytes)).toThrow(
      expect.objectContaining({
        code: "CHECKSUM_MISMATCH",
        message: expect.stringContaining("w.safetensors is damaged"),
      }),
    );
  });

  test("without a sum", () => {
    const text = '{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}';
    const bytes = Buffer.concat([Buffer.from(BigUint64Array.of(BigInt(text.length)).buffer), Buffer.from(text)]);
    expect(() => verified(bytes)).toThrow("w.safetensors does not say its own SHA-256");
  });

  test("with more tensors than are read", () => {
    const none = zeros("float32", Array(60).fill(0));
    const tensors = new Map(Array.from({ length: 40_000 }, (_, i) => [`t${i}`, none] as const));
    expect(() => sealSafetensors(tensors, {})).toThrow(
      expect.objectContaining({ code: "BAD_CONFIG", message: expect.stringContaining("values") }),
    );
  });
});
