import { expect, test } from "vitest";
import { float16ToFloat32, float16ToNumber, numberToFloat16 } from "../../src/tensor/float16.ts";

const all = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
const isNaN16 = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;

test("every half-precision number survives the way to a number and back", () => {
  const wrong = [...all].filter((bits) => !isNaN16(bits) && numberToFloat16(float16ToNumber(bits)) !== bits);
  expect(wrong).toEqual([]);
});

test("every NaN is NaN", () => {
  const nans = [...all].filter(isNaN16);
  expect(nans.length).toBe(2046);
  expect(nans.every((bits) => Number.isNaN(float16ToNumber(bits)))).toBe(true);
  expect(isNaN16(numberToFloat16(Number.NaN))).toBe(true);
});

test("arrays convert as their elements do", () => {
  const wide = float16ToFloat32(all);
  expect([...all].filter((bits) => !Object.is(wide[bits], float16ToNumber(bits)))).toEqual([]);
});

test.each([
  [0x0000, 0],
  [0x8000, -0],
  [0x0001, 2 ** -24],
  [0x03ff, 1023 * 2 ** -24],
  [0x0400, 2 ** -14],
  [0x3c00, 1],
  [0xc000, -2],
  [0x7bff, 65_504],
  [0x7c00, Number.POSITIVE_INFINITY],
  [0xfc00, Number.NEGATIVE_INFINITY],
])("0x%s is a known number", (bits, value) => {
  expect(float16ToNumber(bits)).toBe(value);
  expect(numberToFloat16(value)).toBe(bits);
});

test("halfway between two neighbours goes to the even one, and a little more or less to the nearest", () => {
  const positive = [...all.subarray(0, 0x7bff)];
  const wrong = positive.filter((bits) => {
    const [low, high] = [float16ToNumber(bits), float16ToNumber(bits + 1)];
    const middle = (low + high) / 2; // exact in single precision
    const even = bits % 2 === 0 ? bits : bits + 1;
    const nudge = middle * 2 ** -20;
    return (
      numberToFloat16(middle) !== even ||
      numberToFloat16(middle - nudge) !== bits ||
      numberToFloat16(middle + nudge) !== bits + 1 ||
      numberToFloat16(-middle) !== (even | 0x8000)
    );
  });
  expect(wrong).toEqual([]);
});

test("what is too large is infinite, what is too small is zero", () => {
  expect(numberToFloat16(65_519.99)).toBe(0x7bff);
  expect(numberToFloat16(65_520)).toBe(0x7c00);
  expect(numberToFloat16(1e30)).toBe(0x7c00);
  expect(numberToFloat16(-1e300)).toBe(0xfc00);
  expect(numberToFloat16(2 ** -25)).toBe(0);
  expect(numberToFloat16(2 ** -25 * 1.01)).toBe(1);
  expect(numberToFloat16(-1e-30)).toBe(0x8000);
});
