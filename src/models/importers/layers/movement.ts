/** Layers that move, add, drop or repeat elements. */
import { z } from "zod";
import { RootstockError } from "../../../errors.ts";
import { int, ints, string } from "../../../graph/attributes.ts";
import { float32, sizeOf } from "../../../tensor/tensor.ts";
import {
  asMap,
  axisOf,
  checkSize,
  type KerasTensor,
  ofMap,
  plainTensor,
  type Size,
  shapeText,
  storedAxis,
  toPlain,
} from "../keras-tensor.ts";
import { fields, type LayerCall, layerRule, onlyInput } from "../layer-rule.ts";

const formatConfig = z.object({ data_format: fields.isChannelsFirst });

/** [h, w, c] → [h w c]. A map stays as it lies: the dense layer behind it takes its rows in that order. */
export const flatten = layerRule(formatConfig, {
  apply: (call, { data_format: first }) => {
    const { b, name } = call;
    const given = onlyInput(call);
    // A channels_first Flatten puts the channels last before it flattens.
    const swap = first && given.shape.length === 3;
    const t: KerasTensor = swap
      ? { ...asPlanes(toPlain(b, given)), shape: [given.shape[1], given.shape[2], given.shape[0]] }
      : given;
    if (t.shape.length === 1) return t;
    const isKnown = t.shape.every((size) => size !== undefined);
    const known = isKnown ? (t.shape as readonly number[]) : undefined; // every size was compared
    const size = known && sizeOf(known);
    if (t.form !== "planes" || !known) {
      return plainTensor(b.op("Flatten", [toPlain(b, t).value], { axis: int(1) }, name), [size]);
    }
    const value = b.op("Flatten", [t.value], { axis: int(1) }, name);
    const [h, w, c] = known as readonly [number, number, number]; // planes have three axes
    return { value, shape: [size], form: h * w === 1 ? "plain" : { flattened: [c, h, w] } };
  },
});

/** A tensor [c, h, w] of Keras, which lies as planes do. */
function asPlanes(t: KerasTensor): KerasTensor {
  return { ...t, form: "planes" };
}

const reshapeConfig = z.object({ target_shape: z.array(z.int().min(-1)).max(16) });

export const reshape = layerRule(reshapeConfig, {
  apply: (call, { target_shape: target }) => reshapedTo(call, onlyInput(call), target),
});

/** Another shape for the same elements, in Keras' order. One size may be -1. */
export function reshapedTo(call: LayerCall, given: KerasTensor, target: readonly number[]): KerasTensor {
  const { b, name, where } = call;
  const isKnown = given.shape.every((size) => size !== undefined);
  const total = isKnown ? sizeOf(given.shape as readonly number[]) : undefined; // every size was compared
  const rest = sizeOf(target.filter((size) => size !== -1));
  const free = total === undefined || rest === 0 ? undefined : total / rest;
  const shape = target.map((size): Size => (size === -1 ? free : size));
  const fits = total === undefined || (Number.isInteger(free) && (target.includes(-1) || rest === total));
  if (!fits || target.filter((size) => size === -1).length > 1)
    throw new RootstockError("SHAPE_MISMATCH", `${where} cannot make ${shapeText(given.shape)} [batch, ${target}].`);
  checkSize(shape, where);
  // The order of a vector's elements is the same on any axis: squeeze-and-excitation reshapes [c] to [1, 1, c].
  const channels = shape.at(-1);
  if (shape.length === 3 && shape[0] === 1 && shape[1] === 1 && channels !== undefined && total === channels)
    return {
      value: b.op("Reshape", [oneAxis(call, given), b.ints([0, channels, 1, 1])], {}, name),
      shape,
      form: "planes",
    };
  const { value } = toPlain(b, given);
  return plainTensor(b.op("Reshape", [value, b.ints([0, ...shape.map((size) => size ?? -1)])], {}, name), shape);
}

/** The tensor's value with its elements in Keras' order. A map of one position is that as it lies. */
function oneAxis({ b }: LayerCall, t: KerasTensor) {
  return t.form === "planes" && t.shape[0] === 1 && t.shape[1] === 1 ? t.value : toPlain(b, t).value;
}

const permuteConfig = z.object({ dims: z.array(z.int().min(1)).min(1).max(16) });

/** Axis i of the result is axis dims[i] of the input, counted from 1. */
export const permute = layerRule(permuteConfig, {
  apply: (call, { dims }) => {
    const { b, name, where } = call;
    const given = onlyInput(call);
    const t = typeof given.form === "object" ? toPlain(b, given) : given;
    const axes = dims.map((dim) => axisOf(dim, t, where));
    if (new Set(axes).size !== t.shape.length || axes.length !== t.shape.length)
      throw new RootstockError(
        "BAD_MODEL",
        `${where} requires each axis of ${shapeText(t.shape)} once, got [${dims}].`,
      );
    const perm = [0, ...axes.map((axis) => storedAxis(t, axis))];
    const value = perm.every((axis, i) => axis === i)
      ? t.value
      : b.op("Transpose", [t.value], { perm: ints(perm) }, name);
    return plainTensor(
      value,
      axes.map((axis) => t.shape[axis]),
    );
  },
});

const paddingConfig = z.object({ padding: fields.borders, data_format: fields.isChannelsFirst });

export const zeroPadding2d = layerRule(paddingConfig, {
  apply: (call, { padding: { top, bottom, left, right }, data_format: first }) => {
    const { b, name, where } = call;
    const map = asMap(b, onlyInput(call), first, where);
    const pads = b.ints([0, 0, top, left, 0, 0, bottom, right]);
    const value = b.op("Pad", [map.value, pads], {}, name);
    const [height, width] = [plus(map.height, top + bottom), plus(map.width, left + right)];
    return ofMap({ ...map, value, height, width }, first, where);
  },
});

const croppingConfig = z.object({ cropping: fields.borders, data_format: fields.isChannelsFirst });
const TO_THE_END = 2 ** 31 - 1;

export const cropping2d = layerRule(croppingConfig, {
  apply: (call, { cropping: { top, bottom, left, right }, data_format: first }) => {
    const { b, name, where } = call;
    const map = asMap(b, onlyInput(call), first, where);
    const ends = [bottom, right].map((size) => (size === 0 ? TO_THE_END : -size));
    const value = b.op("Slice", [map.value, b.ints([top, left]), b.ints(ends), b.ints([2, 3])], {}, name);
    const [height, width] = [plus(map.height, -top - bottom), plus(map.width, -left - right)];
    return ofMap({ ...map, value, height, width }, first, where);
  },
});

function plus(size: Size, more: number): Size {
  return size === undefined ? undefined : size + more;
}

const interpolation = z.enum(["nearest", "bilinear"], "requires nearest or bilinear").optional();
const upSamplingConfig = z.object({
  size: fields.pair.default([2, 2]),
  data_format: fields.isChannelsFirst,
  interpolation,
});

/** Repeats pixels, or interpolates between their centers. */
export const upSampling2d = layerRule(upSamplingConfig, {
  apply: (call, { size: [y, x], data_format: first, interpolation: mode = "nearest" }) => {
    const { b, name, where } = call;
    const map = asMap(b, onlyInput(call), first, where);
    const how =
      mode === "nearest"
        ? {
            mode: string("nearest"),
            nearest_mode: string("floor"),
            coordinate_transformation_mode: string("asymmetric"),
          }
        : { mode: string("linear"), coordinate_transformation_mode: string("half_pixel") };
    const scales = b.constant(float32([2], [y, x]), `${name}/scales`);
    const value = b.op("Resize", [map.value, "", scales], { ...how, axes: ints([2, 3]) }, name);
    const [height, width] = [times(map.height, y), times(map.width, x)];
    return ofMap({ ...map, value, height, width }, first, where);
  },
});

function times(size: Size, factor: number): Size {
  return size === undefined ? undefined : size * factor;
}

const no = (what: string) => z.literal(false, `${what} is not supported`).optional();
const resizingConfig = z.object({
  height: fields.count,
  width: fields.count,
  data_format: fields.isChannelsFirst,
  interpolation,
  crop_to_aspect_ratio: no("crop_to_aspect_ratio"),
  pad_to_aspect_ratio: no("pad_to_aspect_ratio"),
  antialias: no("antialias"),
});

/** TensorFlow's resize with half-pixel centers; its "nearest" takes the pixel in which the center lies. */
export const resizing = layerRule(resizingConfig, {
  apply: (call, { height, width, data_format: first, interpolation: mode = "bilinear" }) => {
    const { b, name, where } = call;
    const map = asMap(b, onlyInput(call), first, where);
    const how = {
      coordinate_transformation_mode: string("half_pixel"),
      mode: string(mode === "nearest" ? "nearest" : "linear"),
      ...(mode === "nearest" && { nearest_mode: string("round_prefer_ceil") }),
    };
    const value = b.op("Resize", [map.value, "", "", b.ints([height, width])], { ...how, axes: ints([2, 3]) }, name);
    return ofMap({ ...map, value, height, width }, first, where);
  },
});
