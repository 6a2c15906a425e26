import { describe, expect, test } from "vitest";
import { PORTABLE } from "../../../src/autodiff/lowering/portable.ts";
import { toNumbers } from "../../../src/tensor/tensor.ts";
import { convolve } from "./forward.ts";
import { convolutionGradients, dot, operandsOf, runLowered, worstError } from "./reference.ts";
import { OF_MODELS, SMALL } from "./windows.ts";

describe("ConvGradW, lowered, agrees with loops in float64", () => {
  test.each(SMALL.map((row) => [`${row.name}, ${row.c} channels`, row] as const))("%s", async (_name, row) => {
    const { x, dy, w } = operandsOf(row);
    const dw = await runLowered("ConvGradW", [x, dy], row.window, PORTABLE);
    expect(dw.shape).toEqual(w.shape);
    expect(worstError(dw, convolutionGradients(row).dw)).toBeLessThan(1e-6);
  });

  test.each(OF_MODELS.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    const { x, dy, w } = operandsOf(row);
    const dw = await runLowered("ConvGradW", [x, dy], row.window, PORTABLE);
    expect(dw.shape).toEqual(w.shape);
    expect(worstError(dw, convolutionGradients(row).dw)).toBeLessThan(2e-6);
  });
});

test.each(
  [...SMALL, ...OF_MODELS]
    .filter(({ window }) => window.pads.every((p) => p >= 0)) // Conv refuses negative padding
    .map((row) => [`${row.name}, ${row.c} channels`, row] as const),
)("<Conv W, dY> = <W, ConvGradW dY>: %s", async (_name, row) => {
  const { x, w, dy } = operandsOf(row);
  const y = await convolve(x, w, row.window);
  const dw = await runLowered("ConvGradW", [x, dy], row.window, PORTABLE);
  const scale = Math.sqrt(dot(y, y) * dot(dy, dy));
  expect(Math.abs(dot(y, dy) - dot(w, dw)) / scale).toBeLessThan(1e-6);
});

test("ConvGradW of an empty batch is zero", async () => {
  for (const row of SMALL.filter(({ name }) => ["1x1", "3x3", "two groups", "depthwise"].includes(name))) {
    const { x, dy, w } = operandsOf({ ...row, n: 0 });
    const dw = await runLowered("ConvGradW", [x, dy], row.window, PORTABLE);
    expect(dw.shape).toEqual(w.shape);
    expect(toNumbers(dw).every((value) => value === 0)).toBe(true);
  }
});
