/** Cases of the gradient rules of convolutions. */
import { type Attributes, int, ints, string } from "../../../src/graph/attributes.ts";
import { type Case, x } from "./case.ts";

/** Shapes of X and W, and the attributes by name. */
type Row = readonly [x: readonly number[], w: readonly number[], attributes?: Window];
interface Window {
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
  readonly pads?: readonly number[];
  readonly group?: number;
  readonly auto?: "SAME_UPPER" | "SAME_LOWER" | "VALID";
  readonly output_padding?: readonly number[];
  readonly output_shape?: readonly number[];
}

const CONV: readonly Row[] = [
  // Kernels and strides over even and odd sizes.
  ...[1, 2, 3, 5].flatMap((k) =>
    [1, 2, 3].flatMap((s) =>
      [7, 8].map((size): Row => [[2, 3, size, size + 1], [4, 3, k, k], { strides: [s, s], pads: same(k) }]),
    ),
  ),
  [[1, 2, 15, 16], [3, 2, 7, 7], { strides: [2, 2], pads: [3, 3, 3, 3] }],
  [[2, 3, 5, 6], [4, 3, 3, 3], {}],
  [[2, 3, 4, 4], [5, 3, 4, 4], {}], // one window
  [[2, 17, 6, 6], [4, 17, 3, 3], { pads: [1, 1, 1, 1] }], // enough channels for matrix products
  [[2, 17, 7, 6], [4, 17, 2, 3], { strides: [2, 3], pads: [1, 0, 1, 2] }],
  // Strides beyond the kernel: some elements are in no window.
  [[2, 2, 9, 10], [3, 2, 2, 2], { strides: [4, 3] }],
  [[2, 2, 8, 8], [3, 2, 1, 1], { strides: [3, 2] }],
  [[2, 2, 8, 8], [3, 2, 1, 1], { strides: [2, 2], pads: [1, 0, 0, 1] }],
  // Kernels, strides, dilations and padding that differ by axis and side.
  [[2, 2, 7, 9], [3, 2, 1, 3], { strides: [2, 1], pads: [0, 1, 0, 1] }],
  [[2, 2, 7, 9], [3, 2, 3, 2], { dilations: [2, 3], pads: [1, 0, 2, 3] }],
  [[2, 2, 9, 8], [3, 2, 3, 3], { strides: [2, 3], dilations: [1, 2], pads: [0, 2, 1, 3] }],
  [[2, 2, 11, 12], [3, 2, 3, 2], { strides: [3, 2], dilations: [2, 3] }],
  [[1, 2, 3, 4], [2, 2, 2, 3], { pads: [3, 4, 2, 5] }], // windows that lie in the padding alone
  [[1, 2, 4, 3], [2, 2, 2, 2], { strides: [2, 2], pads: [3, 2, 2, 3] }],
  // Automatic padding.
  ...(["SAME_UPPER", "SAME_LOWER", "VALID"] as const).flatMap((auto): Row[] => [
    [[2, 2, 6, 7], [3, 2, 3, 3], { auto, strides: [2, 2] }],
    [[2, 2, 6, 7], [3, 2, 2, 4], { auto }],
    [[2, 2, 7, 8], [3, 2, 2, 2], { auto, strides: [3, 3] }],
  ]),
  // Groups: general, depthwise, depthwise with a multiplier.
  [[2, 4, 6, 6], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }],
  [[2, 6, 5, 6], [9, 2, 3, 2], { group: 3, strides: [2, 2], pads: [1, 0, 1, 1] }],
  [[2, 4, 6, 6], [6, 2, 1, 1], { group: 2 }],
  [[2, 4, 7, 6], [4, 1, 3, 3], { group: 4, pads: [1, 1, 1, 1] }],
  [[2, 4, 7, 6], [4, 1, 3, 3], { group: 4, pads: [1, 1, 1, 1], strides: [2, 2] }],
  [[2, 3, 7, 6], [6, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }],
  [[2, 3, 7, 8], [6, 1, 5, 3], { group: 3, pads: [2, 2, 1, 1], strides: [2, 1], dilations: [1, 2] }],
  [[2, 3, 7, 6], [3, 1, 1, 1], { group: 3, strides: [2, 2] }],
  // One and three dimensions.
  [[2, 3, 8], [4, 3, 3], { pads: [1, 1] }],
  [[2, 3, 9], [4, 3, 3], { strides: [2], dilations: [2], pads: [0, 2] }],
  [[2, 4, 9], [4, 1, 2], { group: 4, strides: [3] }],
  [
    [2, 3, 8],
    [4, 3, 1],
  ],
  [[1, 2, 4, 5, 6], [3, 2, 2, 3, 1], { pads: [1, 1, 0, 0, 1, 0] }],
  [[1, 2, 5, 4, 6], [3, 2, 3, 2, 2], { strides: [2, 1, 3], pads: [1, 0, 1, 1, 0, 0] }],
  [[1, 4, 4, 4, 4], [4, 2, 2, 2, 2], { group: 2, dilations: [1, 2, 1] }],
];

const TRANSPOSED: readonly Row[] = [
  ...[1, 2, 3].flatMap((s) => [1, 2, 3, 4].map((k): Row => [[2, 3, 4, 5], [3, 2, k, k], { strides: [s, s] }])),
  [[2, 3, 4, 5], [3, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] }],
  [[2, 3, 4, 5], [3, 2, 3, 3], { strides: [2, 3], output_padding: [1, 2] }], // Y is longer than its windows
  [[2, 3, 4, 5], [3, 2, 2, 3], { strides: [2, 1], pads: [0, 1, 1, 2], dilations: [2, 1] }],
  [[2, 3, 4, 4], [3, 2, 3, 3], { strides: [2, 2], output_shape: [8, 7] }],
  [[2, 3, 4, 4], [3, 2, 3, 3], { strides: [2, 2], output_shape: [8, 7], auto: "SAME_UPPER" }],
  [[2, 3, 4, 4], [3, 2, 3, 3], { strides: [2, 2], output_shape: [10, 9] }], // longer than its windows
  [[2, 3, 4, 4], [3, 2, 3, 2], { strides: [3, 3], output_shape: [14, 13] }], // by two
  [[2, 3, 4, 4], [3, 2, 3, 2], { strides: [3, 3], output_shape: [14, 13], auto: "SAME_UPPER" }],
  [[2, 3, 4, 4], [3, 2, 3, 4], { strides: [2, 2], auto: "SAME_UPPER" }],
  [[2, 3, 4, 4], [3, 2, 3, 4], { strides: [2, 2], auto: "SAME_LOWER" }],
  [[2, 3, 4, 4], [3, 2, 3, 2], { strides: [2, 2], auto: "VALID" }],
  [[2, 3, 4, 4], [3, 2, 3, 2], { strides: [2, 2], dilations: [2, 3], auto: "SAME_UPPER" }],
  [[2, 4, 4, 5], [4, 3, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }],
  [[2, 4, 4, 5], [4, 1, 4, 4], { group: 4, strides: [2, 2], pads: [1, 1, 1, 1] }], // bilinear upsampling
  [[2, 3, 5], [3, 4, 3], { strides: [2], output_padding: [1] }],
  [[1, 2, 3, 3, 2], [2, 3, 2, 2, 2], { strides: [2, 1, 2], pads: [0, 0, 0, 1, 0, 0] }],
];

export const CONVOLUTION: readonly Case[] = [
  ...CONV.map((row, i) => caseOf("Conv", row, i % 2 === 0 ? row[1][0] : undefined)),
  ...TRANSPOSED.map((row, i) =>
    caseOf("ConvTranspose", row, i % 2 === 0 ? row[1][1]! * (row[2]?.group ?? 1) : undefined),
  ),
];

/** The loss is a polynomial of degree 2 along a direction in X, W and B, where central differences are exact. */
function caseOf(op: "Conv" | "ConvTranspose", [xs, ws, window = {}]: Row, bias: number | undefined): Case {
  const inputs = [x(...xs), x(...ws), ...(bias === undefined ? [] : [x(bias)])];
  return { op, inputs, attributes: attributesOf(window), float32: true, step: 1, tolerance: 2e-4 };
}

function attributesOf({ auto, group, ...lists }: Window): Attributes {
  return {
    ...Object.fromEntries(Object.entries(lists).map(([name, values]) => [name, ints(values)])),
    ...(group !== undefined && { group: int(group) }),
    ...(auto !== undefined && { auto_pad: string(auto) }),
  };
}

function same(k: number): number[] {
  const begin = Math.floor((k - 1) / 2);
  return [begin, begin, k - 1 - begin, k - 1 - begin];
}
