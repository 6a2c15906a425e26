/** Cases of the gradient rules of pooling. */
import { type Attributes, int, ints, string } from "../../../src/graph/attributes.ts";
import { type Case, distinct, x } from "./case.ts";

interface Window {
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly pads?: readonly number[];
  readonly ceil_mode?: 0 | 1;
  readonly auto?: "SAME_UPPER" | "SAME_LOWER" | "VALID";
}
type Row = readonly [x: readonly number[], kernel: readonly number[], window?: Window];

/** What average and max pooling share. */
const BOTH: readonly Row[] = [
  [[2, 3, 6, 8], [2, 2], { strides: [2, 2] }],
  [[2, 3, 7, 9], [2, 2], { strides: [2, 2] }], // the last row and column are in no window
  [[2, 3, 7, 8], [3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }], // overlapping, as ResNet's stem
  [[2, 3, 6, 5], [3, 3], { pads: [1, 1, 1, 1] }],
  [
    [2, 3, 6, 5],
    [3, 2],
  ],
  [[2, 2, 9, 8], [5, 3], { pads: [2, 1, 2, 1] }],
  [[2, 2, 9, 8], [2, 1], { strides: [3, 2] }], // gaps between the windows
  [[2, 2, 6, 7], [3, 2], { strides: [1, 2], pads: [2, 0, 1, 1] }],
  [[2, 2, 7, 8], [3, 3], { strides: [2, 2], ceil_mode: 1 }],
  [[2, 2, 6, 6], [3, 3], { strides: [2, 2], ceil_mode: 1, pads: [1, 1, 1, 1] }],
  [[2, 2, 7, 8], [2, 2], { strides: [3, 3], ceil_mode: 1 }],
  ...(["SAME_UPPER", "SAME_LOWER", "VALID"] as const).flatMap((auto): Row[] => [
    [[2, 2, 6, 7], [3, 3], { auto, strides: [2, 2] }],
    [[2, 2, 6, 7], [2, 4], { auto }],
  ]),
  [[2, 2, 6, 8], [3, 3], { auto: "VALID", strides: [2, 2], ceil_mode: 1 }],
  [[2, 2, 2, 3], [3, 5], { strides: [2, 3], ceil_mode: 1 }], // a window larger than the map
  [[2, 3, 9], [3], { strides: [2], pads: [1, 0] }],
  [[2, 3, 8], [2], { strides: [2] }],
  [[1, 2, 4, 5, 6], [2, 3, 2], { strides: [2, 1, 2], pads: [1, 1, 0, 0, 1, 1] }],
];

const MAX: readonly Row[] = [
  ...BOTH,
  [[2, 2, 8, 9], [3, 2], { dilations: [2, 3] }],
  [[2, 2, 9, 9], [2, 2], { dilations: [3, 2], strides: [2, 2], pads: [1, 1, 1, 0], ceil_mode: 1 }],
  [[2, 2, 8], [2], { dilations: [5], strides: [4], ceil_mode: 1 }], // sticks out by more than a pad may
];

/** Wide apart by a step of central differences, so that no maximum changes its place. */
const FAR: Pick<Case, "float32" | "step" | "tolerance"> = { float32: true, step: 0.05, tolerance: 5e-4 };
/** Linear in X. */
const LINEAR: Pick<Case, "float32" | "step" | "tolerance"> = { float32: true, step: 1, tolerance: 2e-5 };

export const POOLING: readonly Case[] = [
  ...MAX.map(([shape, kernel, window]): Case => {
    return { op: "MaxPool", inputs: [distinct(...shape)], attributes: attributesOf(kernel, window) };
  }),
  {
    op: "MaxPool", // its second output, the places of the maxima, carries no gradient
    inputs: [distinct(2, 3, 6, 6)],
    attributes: attributesOf([2, 2], { strides: [2, 2] }),
    outputs: 2,
    counted: 1,
  },
  ...[0, 1].flatMap((includePads) =>
    BOTH.map(([shape, kernel, window]): Case => {
      const attributes = { ...attributesOf(kernel, window), count_include_pad: int(includePads) };
      return { op: "AveragePool", inputs: [x(...shape)], attributes, ...LINEAR };
    }),
  ),
  ...[
    [2, 3, 4, 5],
    [2, 3, 7],
    [1, 2, 2, 3, 4],
    [2, 3, 1, 1],
  ].flatMap((shape): Case[] => [
    { op: "GlobalAveragePool", inputs: [x(...shape)], ...LINEAR },
    { op: "GlobalMaxPool", inputs: [distinct(...shape)], ...FAR },
  ]),
];

function attributesOf(kernel: readonly number[], { auto, ceil_mode, ...lists }: Window = {}): Attributes {
  return {
    kernel_shape: ints(kernel),
    ...Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, ints(values)])),
    ...(ceil_mode !== undefined && { ceil_mode: int(ceil_mode) }),
    ...(auto !== undefined && { auto_pad: string(auto) }),
  };
}
