import { describe, expect, test } from "vitest";
import { PORTABLE } from "../../../src/autodiff/lowering/portable.ts";
import { convolve } from "./forward.ts";
import { convolutionGradients, dot, operandsOf, runLowered, worstError } from "./reference.ts";
import { OF_MODELS, SMALL } from "./windows.ts";

describe("ConvGradX, lowered, agrees with loops in float64", () => {
  test.each(SMALL.map((row) => [`${row.name}, ${row.c} channels`, row] as const))("%s", async (_name, row) => {
    const { w, dy, x } = operandsOf(row);
    const dx = await runLowered("ConvGradX", [dy, w], row.window, PORTABLE);
    expect(dx.shape).toEqual(x.shape);
    expect(worstError(dx, convolutionGradients(row).dx)).toBeLessThan(1e-6);
  });

  test.each(OF_MODELS.map((row) => [row.name, row] as const))("%s", async (_name, row) => {
    const { w, dy, x } = operandsOf(row);
    const dx = await runLowered("ConvGradX", [dy, w], row.window, PORTABLE);
    expect(dx.shape).toEqual(x.shape);
    expect(worstError(dx, convolutionGradients(row).dx)).toBeLessThan(2e-6);
  });
});

test.each(
  [...SMALL, ...OF_MODELS]
    .filter(({ window }) => window.pads.every((p) => p >= 0)) // Conv refuses negative padding
    .map((row) => [`${row.name}, ${row.c} channels`, row] as const),
)("<Conv X, dY> = <X, ConvGradX dY>: %s", async (_name, row) => {
  const { x, w, dy } = operandsOf(row);
  const y = await convolve(x, w, row.window);
  const dx = await runLowered("ConvGradX", [dy, w], row.window, PORTABLE);
  const scale = Math.sqrt(dot(y, y) * dot(dy, dy));
  expect(Math.abs(dot(y, dy) - dot(x, dx)) / scale).toBeLessThan(1e-6);
});

test("ConvGradX of an empty batch is empty", async () => {
  for (const row of SMALL.filter(({ name }) => ["3x3", "3x3, stride 2, odd", "depthwise"].includes(name))) {
    const { w, dy, x } = operandsOf({ ...row, n: 0 });
    expect((await runLowered("ConvGradX", [dy, w], row.window, PORTABLE)).shape).toEqual(x.shape);
  }
});
