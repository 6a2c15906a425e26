/** Where the windows of convolutions and pooling lie: TensorFlow's "same" and "valid". */
import { type Attributes, ints, string } from "../../graph/attributes.ts";
import type { ImageMap, Size } from "./keras-tensor.ts";

/** A pair of numbers for height and width. */
export type Pair = readonly [height: number, width: number];

export interface Windows {
  readonly kernel: Pair;
  readonly strides: Pair;
  /** @default [1, 1] */
  readonly dilations?: Pair | undefined;
  readonly padding: "valid" | "same";
}

/** Attributes of the operator, and the sizes of its output. */
export interface PlacedWindows {
  readonly attributes: Attributes;
  readonly height: Size;
  readonly width: Size;
}

/**
 * Places windows over a map. "same" gives ceil(size / stride) windows and puts the odd pixel of padding behind
 * (TensorFlow, nn.convolution); where the size is not known, the runtime finds the padding.
 */
export function placeWindows({ height, width }: ImageMap, options: Windows): PlacedWindows {
  const { kernel, strides, dilations = [1, 1], padding } = options;
  const [rows, columns] = [height, width].map((size, i) =>
    place(size, { kernel: (kernel[i]! - 1) * dilations[i]! + 1, stride: strides[i]!, padding }),
  ) as [Placed, Placed]; // two in, two out
  const shared = {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    ...(dilations.some((dilation) => dilation !== 1) && { dilations: ints(dilations) }),
  };
  const pads =
    rows.pads && columns.pads
      ? { pads: ints([rows.pads[0], columns.pads[0], rows.pads[1], columns.pads[1]]) }
      : { auto_pad: string("SAME_UPPER") };
  return { attributes: { ...shared, ...pads }, height: rows.size, width: columns.size };
}

interface Placed {
  readonly size: Size;
  /** Undefined where it depends on a size that is not known. */
  readonly pads: Pair | undefined;
}

interface Axis {
  /** What a window spans, with dilation. */
  readonly kernel: number;
  readonly stride: number;
  readonly padding: "valid" | "same";
}

function place(size: Size, { kernel, stride, padding }: Axis): Placed {
  if (padding === "valid")
    return { size: size === undefined ? undefined : Math.floor((size - kernel) / stride) + 1, pads: [0, 0] };
  if (size === undefined && stride > 1) return { size: undefined, pads: undefined };
  const windows = size === undefined ? undefined : Math.ceil(size / stride);
  const total =
    windows === undefined || size === undefined ? kernel - 1 : Math.max(0, (windows - 1) * stride + kernel - size);
  const before = Math.floor(total / 2);
  return { size: windows, pads: [before, total - before] };
}
