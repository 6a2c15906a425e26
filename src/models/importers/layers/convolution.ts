/** Convolutions and dense layers: the layers whose weights are kernels. */
import { z } from "zod";
import { RootstockError } from "../../../errors.ts";
import { type Attributes, int, ints } from "../../../graph/attributes.ts";
import type { Value } from "../../../graph/graph.ts";
import { sizeOf } from "../../../tensor/tensor.ts";
import { asMap, checkSize, type ImageMap, type KerasTensor, ofMap, type Size, shapeText } from "../keras-tensor.ts";
import { fields, type LayerCall, layerRule, onlyInput, variables } from "../layer-rule.ts";
import { permuted, reshaped } from "../permute.ts";
import { type Pair, placeWindows } from "../windows.ts";
import { activate, activationField } from "./activation.ts";

const windowFields = {
  kernel_size: fields.pair,
  strides: fields.pair.default([1, 1]),
  padding: fields.padding,
  data_format: fields.isChannelsFirst,
  dilation_rate: fields.pair.default([1, 1]),
  use_bias: z.boolean().default(true),
  activation: activationField,
};

const convConfig = z.object({ ...windowFields, filters: fields.count, groups: fields.count.default(1) });
const depthwiseConfig = z.object({ ...windowFields, depth_multiplier: fields.count.default(1) });
const separableConfig = depthwiseConfig.extend({ filters: fields.count });
const transposeConfig = z.object({
  ...windowFields,
  filters: fields.count,
  output_padding: z
    .union([fields.distance.transform((size): Pair => [size, size]), z.tuple([fields.distance, fields.distance])])
    .nullish(),
});
const denseConfig = z.object({
  units: z.int().min(1),
  use_bias: z.boolean().default(true),
  activation: activationField,
});

/** [h, w, in / groups, out] → [out, in / groups, h, w]. */
const OIHW = { form: "oihw", apply: (t: Parameters<typeof permuted>[0]) => permuted(t, [3, 2, 0, 1]) };

type Windowed = Pick<z.infer<typeof convConfig>, "kernel_size" | "strides" | "padding" | "dilation_rate">;

interface Kernel {
  readonly weight: Value;
  readonly bias: Value | undefined;
  readonly channels: number;
  readonly groups: number;
}

/** A Conv node over a map. */
function convolve({ b }: LayerCall, map: ImageMap, config: Windowed, kernel: Kernel, name: string): ImageMap {
  const { attributes, height, width } = placeWindows(map, {
    kernel: config.kernel_size,
    strides: config.strides,
    dilations: config.dilation_rate,
    padding: config.padding,
  });
  const inputs = [map.value, kernel.weight, ...(kernel.bias === undefined ? [] : [kernel.bias])];
  const value = b.op("Conv", inputs, { ...attributes, group: int(kernel.groups) }, name);
  return { value, channels: kernel.channels, height, width };
}

export const conv2d = layerRule(convConfig, {
  variables: (config) => variables("kernel", config.use_bias && "bias"),
  apply: (call, config, dialect) => {
    const { b, name, where } = call;
    const { filters, groups, data_format: first } = config;
    const map = asMap(b, onlyInput(call), first, where);
    const shape = [...config.kernel_size, Math.floor(map.channels / groups), filters];
    const weight = call.weight("kernel", shape, OIHW);
    const bias = config.use_bias ? call.weight("bias", [filters]) : undefined;
    const out = convolve(call, map, config, { weight, bias, channels: filters, groups }, name);
    return activate(ofMap(out, first, where), config.activation, call, dialect);
  },
});

/** Keras 3 calls the kernel of a depthwise layer "kernel" where Keras 2 calls it "depthwise_kernel". */
const DEPTHWISE = { names: ["depthwise_kernel", "kernel"] };

/** Channel i of the input becomes channels i m to i m + m - 1: [h, w, c, m] → [c m, 1, h, w]. */
function depthwise(call: LayerCall, map: ImageMap, { kernel_size: size, depth_multiplier: multiplier }: DepthConfig) {
  const channels = map.channels * multiplier;
  const weight = call.weight("depthwise_kernel", [...size, map.channels, multiplier], {
    form: "depthwise",
    apply: (kernel) => reshaped(permuted(kernel, [2, 3, 0, 1]), [channels, 1, ...size]),
  });
  return { weight, channels, groups: map.channels };
}
type DepthConfig = Pick<z.infer<typeof depthwiseConfig>, "kernel_size" | "depth_multiplier">;

export const depthwiseConv2d = layerRule(depthwiseConfig, {
  variables: (config) => [DEPTHWISE, ...variables(config.use_bias && "bias")],
  apply: (call, config, dialect) => {
    const { b, name, where } = call;
    const { data_format: first } = config;
    const map = asMap(b, onlyInput(call), first, where);
    const kernel = depthwise(call, map, config);
    const bias = config.use_bias ? call.weight("bias", [kernel.channels]) : undefined;
    const out = convolve(call, map, config, { ...kernel, bias }, name);
    return activate(ofMap(out, first, where), config.activation, call, dialect);
  },
});

export const separableConv2d = layerRule(separableConfig, {
  variables: (config) => [DEPTHWISE, ...variables("pointwise_kernel", config.use_bias && "bias")],
  apply: (call, config, dialect) => {
    const { b, name, where } = call;
    const { filters, data_format: first } = config;
    const map = asMap(b, onlyInput(call), first, where);
    const deep = convolve(call, map, config, { ...depthwise(call, map, config), bias: undefined }, `${name}/depthwise`);
    const weight = call.weight("pointwise_kernel", [1, 1, deep.channels, filters], OIHW);
    const bias = config.use_bias ? call.weight("bias", [filters]) : undefined;
    const point: Windowed = { kernel_size: [1, 1], strides: [1, 1], dilation_rate: [1, 1], padding: "valid" };
    const out = convolve(call, deep, point, { weight, bias, channels: filters, groups: 1 }, name);
    return activate(ofMap(out, first, where), config.activation, call, dialect);
  },
});

/** The gradient of a convolution: Keras' kernel [h, w, out, in], ONNX's [in, out, h, w]. */
export const conv2dTranspose = layerRule(transposeConfig, {
  variables: (config) => variables("kernel", config.use_bias && "bias"),
  apply: (call, config, dialect) => {
    const { b, name, where } = call;
    const { filters, kernel_size: kernel, strides, dilation_rate: dilations, data_format: first } = config;
    const map = asMap(b, onlyInput(call), first, where);
    const weight = call.weight("kernel", [...kernel, filters, map.channels], {
      form: "iohw",
      apply: (t) => permuted(t, [3, 2, 0, 1]),
    });
    const bias = config.use_bias ? [call.weight("bias", [filters])] : [];
    const [rows, columns] = [map.height, map.width].map((size, i) =>
      transposed(size, {
        kernel: (kernel[i]! - 1) * dilations[i]! + 1,
        stride: strides[i]!,
        padding: config.padding,
        extra: config.output_padding?.[i],
      }),
    ) as [Transposed, Transposed]; // two in, two out
    const attributes: Attributes = {
      kernel_shape: ints(kernel),
      strides: ints(strides),
      dilations: ints(dilations),
      pads: ints([rows.pads[0], columns.pads[0], rows.pads[1], columns.pads[1]]),
      output_padding: ints([rows.behind, columns.behind]),
    };
    const value = b.op("ConvTranspose", [map.value, weight, ...bias], attributes, name);
    const out = { value, channels: filters, height: rows.size, width: columns.size };
    return activate(ofMap(out, first, where), config.activation, call, dialect);
  },
});

interface Transposed {
  readonly size: Size;
  readonly pads: Pair;
  /** Pixels that are added behind. */
  readonly behind: number;
}

/**
 * Keras' output sizes: n stride for "same", n stride + max(kernel - stride, 0) for "valid"; with `output_padding` they are
 * (n - 1) stride + kernel + output_padding, less twice half of the kernel for "same".
 */
function transposed(
  size: Size,
  axis: {
    readonly kernel: number;
    readonly stride: number;
    readonly padding: string;
    readonly extra: number | undefined;
  },
): Transposed {
  const { kernel, stride, padding, extra } = axis;
  const isSame = padding === "same";
  // What is added to (n - 1) stride, which is all that depends on n.
  const length =
    extra === undefined
      ? stride + (isSame ? 0 : Math.max(kernel - stride, 0))
      : kernel + extra - (isSame ? 2 * Math.floor(kernel / 2) : 0);
  const total = isSame ? Math.max(kernel - length, 0) : 0;
  const before = Math.floor(total / 2);
  return {
    size: size === undefined ? undefined : (size - 1) * stride + length,
    pads: [before, total - before],
    behind: Math.max(length - (kernel - total), 0),
  };
}

/** y = x W + b over the last axis: Gemm for vectors, a convolution of one pixel for maps. */
export const dense = layerRule(denseConfig, {
  variables: (config) => variables("kernel", config.use_bias && "bias"),
  apply: (call, config, dialect) => {
    const t = onlyInput(call);
    const width = t.shape.at(-1);
    if (width === undefined)
      throw new RootstockError(
        "SHAPE_MISMATCH",
        `${call.where} requires a known last axis, got ${shapeText(t.shape)}.`,
      );
    const shape = [...t.shape.slice(0, -1), config.units];
    checkSize(shape, call.where);
    const value = multiplied(call, t, { shape: [width, config.units], hasBias: config.use_bias });
    const form = t.form === "planes" ? "planes" : "plain";
    return activate({ value, shape, form }, config.activation, call, dialect);
  },
});

interface Product {
  /** Of the kernel: [in, out]. */
  readonly shape: readonly [number, number];
  readonly hasBias: boolean;
}

function multiplied(call: LayerCall, t: KerasTensor, { shape, hasBias }: Product): Value {
  const { b, name } = call;
  const [width, units] = shape;
  const withBias = (weight: Value): Value[] => (hasBias ? [weight, call.weight("bias", [units])] : [weight]);
  if (t.form === "planes") {
    const weight = call.weight("kernel", shape, {
      form: "pixel",
      apply: (kernel) => reshaped(permuted(kernel, [1, 0]), [units, width, 1, 1]),
    });
    return b.op("Conv", [t.value, ...withBias(weight)], { kernel_shape: ints([1, 1]) }, name);
  }
  if (t.shape.length > 1) {
    const [weight, bias] = withBias(call.weight("kernel", shape));
    if (bias === undefined) return b.op("MatMul", [t.value, weight!], {}, name);
    return b.op("Add", [b.op("MatMul", [t.value, weight!], {}, `${name}/product`), bias], {}, name);
  }
  if (typeof t.form === "object" && sizeOf(t.form.flattened) === width) {
    // The rows follow the pixels in Keras and the planes here.
    const [c, h, w] = t.form.flattened;
    const weight = call.weight("kernel", shape, {
      form: `flattened ${c}x${h}x${w}`,
      apply: (kernel) => reshaped(permuted(reshaped(kernel, [h, w, c, units]), [3, 2, 0, 1]), [units, width]),
    });
    return b.op("Gemm", [t.value, ...withBias(weight)], { transB: int(1) }, name);
  }
  const weight = call.weight("kernel", shape, { form: "oi", apply: (kernel) => permuted(kernel, [1, 0]) });
  return b.op("Gemm", [t.value, ...withBias(weight)], { transB: int(1) }, name);
}
