/** Normalization, learned and fixed: layers that scale and shift. */
import { z } from "zod";
import { RootstockError } from "../../../errors.ts";
import { float, int } from "../../../graph/attributes.ts";
import type { GraphBuilder } from "../../../graph/builder.ts";
import { float32, sizeOf } from "../../../tensor/tensor.ts";
import { axisOf, type KerasTensor, shapeText, storedAxis, toPlain } from "../keras-tensor.ts";
import { type LayerCall, layerRule, onlyInput, variables } from "../layer-rule.ts";
import { reshaped } from "../permute.ts";

/** One axis, which older files write as a list. */
const axisField = z.union([z.int(), z.tuple([z.int()]).transform(([axis]) => axis)]).default(-1);
const axesField = z.union([z.array(z.int()), z.int().transform((axis) => [axis])]);
const learned = { epsilon: z.number().positive().default(1e-3), center: z.boolean().default(true) };

/** The size of an axis, which its weights have too. */
function sizeAlong(t: KerasTensor, axis: number, where: string): number {
  const size = t.shape[axis];
  if (size !== undefined) return size;
  throw new RootstockError("SHAPE_MISMATCH", `${where} requires an axis of known size, got ${shapeText(t.shape)}.`);
}

/** Normalizations without weights are over no more numbers than this: a file must not make us allocate more. */
const MOST_CONSTANT = 2 ** 24;

/** A scale or shift that a layer goes without. */
function missing({ b, name, where }: LayerCall, part: string, shape: readonly number[], value: number) {
  const size = sizeOf(shape);
  if (size > MOST_CONSTANT)
    throw new RootstockError("BAD_MODEL", `${where} requires at most ${MOST_CONSTANT} numbers, got ${size}.`);
  return b.constant(float32(shape, new Float32Array(size).fill(value)), `${name}/${part}`);
}

const batchConfig = z.object({ ...learned, axis: axisField, scale: z.boolean().default(true) });

/** y = gamma (x - moving_mean) / sqrt(moving_variance + epsilon) + beta, along one axis. */
export const batchNormalization = layerRule(batchConfig, {
  variables: ({ scale, center }) => variables(scale && "gamma", center && "beta", "moving_mean", "moving_variance"),
  apply: (call, { axis, epsilon, scale, center }) => {
    const { b, name, where } = call;
    const given = onlyInput(call);
    const t = typeof given.form === "object" ? toPlain(b, given) : given;
    const along = axisOf(axis, t, where);
    const size = sizeAlong(t, along, where);
    const stored = storedAxis(t, along);
    const rank = t.shape.length + 1;
    // The operator normalizes axis 1.
    const order = Array.from({ length: rank }, (_, i) => i);
    order.splice(1, 0, ...order.splice(stored, 1));
    const inputs = [
      stored === 1 ? t.value : b.transpose(t.value, order),
      scale ? call.weight("gamma", [size]) : missing(call, "gamma", [size], 1),
      center ? call.weight("beta", [size]) : missing(call, "beta", [size], 0),
      call.weight("moving_mean", [size]),
      call.weight("moving_variance", [size]),
    ];
    const normal = b.op("BatchNormalization", inputs, { epsilon: float(epsilon) }, name);
    return {
      ...t,
      value:
        stored === 1
          ? normal
          : b.transpose(
              normal,
              order.map((_, i) => order.indexOf(i)),
            ),
    };
  },
});

const layerConfig = z.object({
  ...learned,
  axis: axesField.default([-1]),
  scale: z.boolean().default(true),
  rms_scaling: z.literal(false, "rms_scaling is not supported").optional(),
});

/** y = gamma (x - mean) / sqrt(variance + epsilon) + beta over the last axes. */
export const layerNormalization = layerRule(layerConfig, {
  variables: ({ scale, center }) => variables(scale && "gamma", center && "beta"),
  apply: (call, { axis, epsilon, scale, center }) => {
    const { b, name, where } = call;
    const t = toPlain(b, onlyInput(call));
    const axes = axis.map((one) => axisOf(one, t, where)).sort((x, y) => x - y);
    const first = t.shape.length - axes.length;
    if (axes.some((one, i) => one !== first + i))
      throw new RootstockError(
        "UNSUPPORTED_OP",
        `${where} requires the last axes, got axis=[${axis}] of ${shapeText(t.shape)}.`,
      );
    const shape = axes.map((one) => sizeAlong(t, one, where));
    const inputs = [t.value, scale ? call.weight("gamma", shape) : missing(call, "gamma", shape, 1)];
    if (center) inputs.push(call.weight("beta", shape));
    const value = b.op("LayerNormalization", inputs, { axis: int(first + 1), epsilon: float(epsilon) }, name);
    return { ...t, value };
  },
});

const scaleConfig = z.object({ projection_dim: z.int().min(1) });

/** y = gamma x by channel: the class of its own that keras.applications has for ConvNeXt (arXiv:2201.03545). */
export const layerScale = layerRule(scaleConfig, {
  variables: () => [{ names: ["gamma", "layer_scale", "Variable", "variable"] }],
  apply: (call, { projection_dim: size }) => {
    const { b, name } = call;
    const given = onlyInput(call);
    const t = typeof given.form === "object" ? toPlain(b, given) : given;
    const isPlanes = t.form === "planes";
    const gamma = call.weight("gamma", [size], {
      form: isPlanes ? "planes" : "plain",
      apply: (weight) => (isPlanes ? reshaped(weight, [size, 1, 1]) : weight),
    });
    return { ...t, value: b.op("Mul", [t.value, gamma], {}, name) };
  },
});

const numbers = z.union([z.number().transform((value) => [value]), z.array(z.number()).min(1)]);
const rescalingConfig = z.object({ scale: numbers, offset: numbers.default([0]) });

/** y = x scale + offset, by channel or by one number. */
export const rescaling = layerRule(rescalingConfig, {
  apply: (call, { scale, offset }) => affine(call, onlyInput(call), { scale, offset }),
});

const nested: z.ZodType<readonly number[]> = z
  .union([z.number(), z.array(z.unknown())])
  .transform((value) => [value].flat(8))
  .pipe(z.array(z.number()).min(1));
const normalizationConfig = z.object({
  axis: axesField.nullish(),
  mean: nested.nullish(),
  variance: nested.nullish(),
  invert: z.boolean().default(false),
});

/** Keras never divides by less than this. */
const SMALLEST_DEVIATION = 1e-7;

/** y = (x - mean) / sqrt(variance), or the reverse; the statistics are those of the data it was adapted to. */
export const normalization = layerRule(normalizationConfig, {
  variables: ({ mean, variance }) => {
    const optional = Boolean(mean && variance);
    return ["mean", "variance"].map((name) => ({ names: [name], optional }));
  },
  apply: (call, { axis, mean, variance, invert }) => {
    const t = onlyInput(call);
    const axes = (axis ?? []).map((one) => axisOf(one, t, call.where));
    if (axes.length > 1 || (axes.length === 1 && axes[0] !== t.shape.length - 1))
      throw new RootstockError("UNSUPPORTED_OP", `${call.where} requires statistics of the last axis, or of all.`);
    const shape = axes.map((one) => sizeAlong(t, one, call.where));
    const given = (values: readonly number[] | null | undefined, name: string): readonly number[] =>
      values ?? [...call.tensor(name, shape).data];
    const [center, spread] = [given(mean, "mean"), given(variance, "variance")];
    const size = Math.max(center.length, spread.length);
    const at = (values: readonly number[], i: number): number => values[values.length === 1 ? 0 : i] ?? Number.NaN;
    const deviations = Array.from({ length: size }, (_, i) => Math.max(Math.sqrt(at(spread, i)), SMALLEST_DEVIATION));
    const means = deviations.map((_, i) => at(center, i));
    return affine(
      call,
      t,
      invert
        ? { scale: deviations, offset: means }
        : { scale: deviations.map((d) => 1 / d), offset: deviations.map((d, i) => -means[i]! / d) },
    );
  },
});

interface Affine {
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

/** x scale + offset, along the last axis of Keras where there are several numbers. */
function affine(call: LayerCall, given: KerasTensor, { scale, offset }: Affine): KerasTensor {
  const { b, name, where } = call;
  const isWide = scale.length > 1 || offset.length > 1;
  const t = isWide && typeof given.form === "object" ? toPlain(b, given) : given;
  const channels = t.shape.at(-1);
  for (const values of [scale, offset])
    if (values.length > 1 && values.length !== channels)
      throw new RootstockError(
        "SHAPE_MISMATCH",
        `${where} requires one number or one for each channel of ${shapeText(t.shape)}, got ${values.length}.`,
      );
  const scaled = b.op("Mul", [t.value, vector(b, t, scale, `${name}/scale`)], {}, `${name}/scaled`);
  return { ...t, value: b.op("Add", [scaled, vector(b, t, offset, `${name}/offset`)], {}, name) };
}

/** Numbers by channel so that they go with a value as it lies in the graph. */
function vector(b: GraphBuilder, { form }: KerasTensor, values: readonly number[], hint: string) {
  if (values.length === 1) return b.constant(float32([], values), hint);
  return b.constant(float32(form === "planes" ? [values.length, 1, 1] : [values.length], values), hint);
}
