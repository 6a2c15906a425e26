import { expect, test } from "vitest";
import { checkLengths } from "../../src/optim/check-lengths.ts";

test("accepts arrays of one length, also of none", () => {
  expect(() => checkLengths("x", { a: new Float32Array(2), b: new Float32Array(2) })).not.toThrow();
  expect(() => checkLengths("x", { a: new Float32Array(0), b: new Float32Array(0) })).not.toThrow();
});

test("refuses others and says what it got", () => {
  const arrays = { a: new Float32Array(2), b: new Float32Array(2), c: new Float32Array(3) };
  expect(() => checkLengths("blend", arrays)).toThrow(
    expect.objectContaining({
      code: "SHAPE_MISMATCH",
      message: "blend requires a, b and c of one length, got 2, 2, 3.",
    }),
  );
});
