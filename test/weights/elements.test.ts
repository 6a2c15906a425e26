import { describe, expect, test } from "vitest";
import { float32, int64, tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { countElements, tensorOfBytes, toFloat32 } from "../../src/weights/elements.ts";

test("widens bfloat16 exactly, also infinities and the smallest numbers", () => {
  const bits = Uint16Array.of(0x3fc0, 0xff80, 0x0001, 0x8000);
  const t = tensorOfBytes("bfloat16", [4], new Uint8Array(bits.buffer));
  expect(t.dtype).toBe("float32");
  expect(toNumbers(t)).toEqual([1.5, -Infinity, 2 ** -133, -0]);
});

test("reverses the bytes of elements that a big-endian machine wrote", () => {
  const bytes = Uint8Array.of(0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0);
  expect(toNumbers(tensorOfBytes("float32", [2], bytes, false))).toEqual([1.5, -2]);
});

test("makes every true value of a boolean 1", () => {
  expect(toNumbers(tensorOfBytes("bool", [3], Uint8Array.of(0, 2, 255)))).toEqual([0, 1, 1]);
});

test.each([
  ["float32", float32([2], [0.1, 2]), [Math.fround(0.1), 2]],
  ["float64", tensor("float64", [1], Float64Array.of(0.1)), [Math.fround(0.1)]],
  ["float16", tensor("float16", [2], Uint16Array.of(0x3e00, 0xc000)), [1.5, -2]],
  ["bfloat16", tensor("bfloat16", [1], Uint16Array.of(0x3fc0)), [1.5]],
  ["int64", int64([7, -8]), [7, -8]],
  ["uint8", tensor("uint8", [1], Uint8Array.of(200)), [200]],
] as const)("converts %s to float32", (_dtype, t, values) => {
  expect(toFloat32(t)).toEqual(float32([values.length], values));
});

test("refuses bytes that do not fit the shape", () => {
  expect(() => tensorOfBytes("float32", [2], new Uint8Array(7))).toThrow("requires 2 elements, got 1");
});

describe("countElements", () => {
  test.each([
    [[], 1],
    [[3, 0, 2], 0],
    [[2, 3], 6],
  ])("of [%s] is %d", (shape, count) => expect(countElements(shape, "t")).toBe(count));

  test.each([[[-1]], [[1.5]], [["3"]], [[2 ** 40, 2 ** 40]], [[Number.NaN]], [new Array(65).fill(1)]])(
    "refuses %j",
    (shape) => expect(() => countElements(shape, "t")).toThrow("which no tensor can have"),
  );
});
