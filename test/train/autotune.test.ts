import { expect, test } from "vitest";
import { type GradientKey, keyText, variantsOf } from "../../src/autodiff/lowering/fast/choice.ts";
import { blockedLayout } from "../../src/runtime/blocked-layout.ts";
import { autotune, keysOf } from "../../src/train/autotune.ts";

const window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], size: [4, 4], group: 1 };
const pointwise: GradientKey = { kind: "dW1x1", x: [2, 32, 4, 4], dy: [2, 16, 4, 4], window };
const wide: GradientKey = {
  kind: "dWkxk",
  x: [2, 32, 4, 4],
  dy: [2, 16, 4, 4],
  window: { ...window, kernel: [3, 3], pads: [1, 1, 1, 1] },
};
/** Too few columns for more than one way. */
const narrow: GradientKey = { ...wide, x: [2, 8, 4, 4] };
const block = await blockedLayout();

test("collects each gradient of a plan once, where there is a choice", () => {
  const keys = keysOf((choose) => {
    for (const key of [pointwise, wide, narrow, pointwise])
      expect(choose(key, variantsOf(key)), "leaves the choice open").toBeUndefined();
  });
  expect(keys).toEqual([pointwise, wide]);
});

test("tells gradients of another shape, window or kind apart", () => {
  const keys = [
    pointwise,
    wide,
    narrow,
    { ...wide, kind: "dXstrided" as const },
    { ...wide, dy: [2, 32, 4, 4] as const },
    { ...wide, window: { ...wide.window, dilations: [2, 2] } },
    { ...wide, window: { ...wide.window, group: 2 } },
  ];
  expect(new Set(keys.map(keyText)).size).toBe(keys.length);
});

test.runIf(block !== undefined)("measures one of the variants that each gradient has", async () => {
  const table = await autotune([pointwise, wide], { block: block!, session: { threads: 1 }, rounds: 1 });
  expect(Object.keys(table)).toEqual([keyText(pointwise), keyText(wide)]);
  for (const key of [pointwise, wide]) expect(variantsOf(key)).toContain(table[keyText(key)]);
});

test("stops when it is told to", async () => {
  const measured = autotune([pointwise], { block: 16, signal: AbortSignal.abort() });
  await expect(measured).rejects.toMatchObject({ code: "ABORTED" });
});
