/** Float pixels of pictures and tensors, whatever the order of the axes, and arithmetic on all of them. */
import { RootstockError } from "../../errors.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";
import type { Image } from "../image.ts";
import type { ChannelStatistics } from "./featurewise.ts";
import type { FloatPixels } from "./float-warp.ts";

/** Order of a tensor's axes, by Keras's names: [h, w, c] or [c, h, w]. */
export type DataFormat = "channels_last" | "channels_first";

/**
 * Returns the pixels of a picture as floats in the data format, or a view of a tensor in it.
 * @throws RootstockError SHAPE_MISMATCH unless the tensor has rank 3 and 1, 3 or 4 channels.
 */
export function pixelsOf(image: Image | Tensor<"float32">, format: DataFormat): FloatPixels {
  if ("shape" in image) return view(image, format);
  const { width, height, data } = image;
  const values = new Float32Array(data.length);
  const plane = width * height;
  for (let i = 0; i < plane; i++) {
    for (let channel = 0; channel < 3; channel++) {
      values[format === "channels_last" ? i * 3 + channel : channel * plane + i] = data[i * 3 + channel]!;
    }
  }
  return view(tensor("float32", format === "channels_last" ? [height, width, 3] : [3, height, width], values), format);
}

/** Returns the pixels as a tensor of rank 3, without copying. */
export function tensorOf({ data, rows, columns, channels }: FloatPixels, format: DataFormat): Tensor<"float32"> {
  return tensor("float32", format === "channels_last" ? [rows, columns, channels] : [channels, rows, columns], data);
}

/** Multiplies in place. */
export function scaleBy(data: Float32Array, factor: number): void {
  for (let i = 0; i < data.length; i++) data[i]! *= factor;
}

/** Subtracts each channel's mean in place, and with `divide` divides by its deviation plus 1e-6. */
export function standardizeChannels(
  { data, channels, strides }: FloatPixels,
  { mean, std }: ChannelStatistics,
  { divide }: { readonly divide: boolean },
): void {
  for (let i = 0; i < data.length; i++) {
    const channel = Math.floor(i / strides.channel) % channels;
    const centered = Math.fround(data[i]! - mean[channel]!);
    data[i] = divide ? centered / (std[channel]! + 1e-6) : centered;
  }
}

/** Returns the mean and the deviation of all values. */
export function momentsOf(data: Float32Array): { readonly mean: number; readonly std: number } {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  return { mean, std: Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length) };
}

function view({ shape, data }: Tensor<"float32">, format: DataFormat): FloatPixels {
  const last = format === "channels_last";
  const [rows = 0, columns = 0, channels = 0] = last ? shape : [shape[1], shape[2], shape[0]];
  if (shape.length !== 3 || ![1, 3, 4].includes(channels) || rows < 1 || columns < 1) {
    const wanted = last ? "[h, w, c]" : "[c, h, w]";
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `imageDataGenerator requires an image of shape ${wanted} with 1, 3 or 4 channels, got [${shape}]. See dataFormat.`,
    );
  }
  const strides = last
    ? { row: columns * channels, column: channels, channel: 1 }
    : { row: columns, column: 1, channel: rows * columns };
  return { data, rows, columns, channels, strides };
}
