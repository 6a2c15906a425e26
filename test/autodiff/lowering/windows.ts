/** Convolutions at which lowerings are compared with the reference: each special case small, and some of real models. */
import type { WindowAttributes } from "../../../src/autodiff/gradient-operators.ts";

export interface Row {
  readonly name: string;
  readonly n: number;
  /** Channels of X and of Y. */
  readonly c: number;
  readonly m: number;
  readonly window: WindowAttributes;
}

function row(
  name: string,
  [n, c, m]: readonly [number, number, number],
  size: readonly number[],
  kernel: readonly number[],
  window: Partial<WindowAttributes> = {},
): Row {
  const ones = kernel.map(() => 1);
  const pads = [...kernel, ...kernel].map(() => 0);
  return { name, n, c, m, window: { kernel, size, strides: ones, dilations: ones, pads, group: 1, ...window } };
}

const PAD1 = [1, 1, 1, 1];
const TWO = [2, 2];

/** Few channels, and enough of them for the lowerings that need many. */
const CHANNELS = [
  [2, 3, 4],
  [2, 17, 5],
] as const;

export const SMALL: readonly Row[] = [
  ...CHANNELS.flatMap((nm): Row[] => [
    row("1x1", nm, [5, 6], [1, 1]),
    row("1x1, stride 2, even", nm, [6, 8], [1, 1], { strides: TWO }),
    row("1x1, stride 3 and 2, odd", nm, [7, 9], [1, 1], { strides: [3, 2] }),
    row("1x1, padded", nm, [5, 4], [1, 1], { strides: TWO, pads: [1, 0, 0, 2] }),
    row("3x3", nm, [6, 5], [3, 3], { pads: PAD1 }),
    row("3x3, no padding", nm, [6, 5], [3, 3]),
    row("3x3, stride 2, even", nm, [8, 6], [3, 3], { strides: TWO, pads: PAD1 }),
    row("3x3, stride 2, odd", nm, [7, 9], [3, 3], { strides: TWO, pads: PAD1 }),
    row("2x3, sides differ", nm, [7, 6], [2, 3], { strides: [1, 2], pads: [0, 2, 3, 1] }),
    row("3x2, dilated", nm, [9, 8], [3, 2], { dilations: [2, 3], pads: [1, 2, 0, 1] }),
    row("3x3, dilated, stride 2 and 3", nm, [11, 12], [3, 3], {
      dilations: [2, 1],
      strides: [2, 3],
      pads: [2, 0, 1, 1],
    }),
    row("2x2, stride 3: gaps", nm, [8, 10], [2, 2], { strides: [3, 3] }),
    row("padding beyond the kernel", nm, [3, 4], [2, 2], { pads: [3, 2, 4, 2] }),
    row("cropped", nm, [7, 8], [3, 2], { pads: [-1, 0, -2, -1] }),
    row("cropped, stride 2", nm, [9, 8], [3, 2], { pads: [-1, 1, 0, -2], strides: TWO }),
    row("one window", nm, [4, 3], [4, 3]),
    row("1-D", nm, [9], [3], { strides: [2], pads: [1, 0] }),
    row("3-D", nm, [4, 5, 3], [2, 3, 1], { strides: [1, 2, 1], pads: [1, 0, 0, 0, 1, 0] }),
  ]),
  row("two groups", [2, 4, 6], [6, 5], [3, 3], { group: 2, pads: PAD1 }),
  row("three groups, stride 2", [2, 6, 9], [7, 8], [3, 2], { group: 3, strides: TWO, pads: [1, 0, 1, 1] }),
  row("two groups, 1x1", [3, 4, 6], [4, 4], [1, 1], { group: 2 }),
  row("depthwise", [2, 5, 5], [6, 7], [3, 3], { group: 5, pads: PAD1 }),
  row("depthwise, stride 2, even", [2, 5, 5], [6, 8], [3, 3], { group: 5, strides: TWO, pads: PAD1 }),
  row("depthwise, stride 2, odd", [2, 5, 5], [7, 9], [5, 5], { group: 5, strides: TWO, pads: [2, 2, 2, 2] }),
  row("depthwise, multiplier 2", [2, 3, 6], [6, 7], [3, 3], { group: 3, pads: PAD1 }),
  row("depthwise, multiplier 3, stride 2", [2, 2, 6], [7, 6], [3, 2], { group: 2, strides: [2, 1], dilations: [1, 2] }),
  row("depthwise, cropped", [2, 3, 3], [7, 8], [2, 2], { group: 3, strides: TWO, pads: [-1, 0, -1, 1] }),
];

export const OF_MODELS: readonly Row[] = [
  row("ResNet stem, 7x7 stride 2", [1, 3, 64], [112, 112], [7, 7], { strides: TWO, pads: [3, 3, 3, 3] }),
  row("ResNet, 3x3 at 56", [1, 64, 64], [56, 56], [3, 3], { pads: PAD1 }),
  row("ResNet, 3x3 stride 2 at 28", [1, 64, 128], [28, 28], [3, 3], { strides: TWO, pads: PAD1 }),
  row("ResNet, 1x1 256 to 128", [1, 256, 128], [28, 28], [1, 1]),
  row("ResNet, 1x1 stride 2", [1, 128, 256], [28, 28], [1, 1], { strides: TWO }),
  row("MobileNet, depthwise 96 at 14", [4, 96, 96], [14, 14], [3, 3], { group: 96, pads: PAD1 }),
  row("MobileNet, depthwise 96 stride 2 at 28", [2, 96, 96], [28, 28], [3, 3], { group: 96, strides: TWO, pads: PAD1 }),
  row("ConvNeXt, depthwise 7x7", [1, 96, 96], [14, 14], [7, 7], { group: 96, pads: [3, 3, 3, 3] }),
  row("ResNeXt, 32 groups", [1, 128, 128], [28, 28], [3, 3], { group: 32, pads: PAD1 }),
];
