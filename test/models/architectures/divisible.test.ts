import { expect, test } from "vitest";
import { divisible } from "../../../src/models/architectures/divisible.ts";

test.each([
  [1, 8],
  [11, 16], // 8 would lose more than a tenth
  [12, 16],
  [16, 16],
  [17, 16],
  [44.8, 48], // 32 * 1.4
  [11.2, 16], // 32 * 0.35
  [1664, 1664],
])("%f channels become %i", (channels, expected) => {
  expect(divisible(channels)).toBe(expected);
});
