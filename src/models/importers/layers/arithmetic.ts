/** Arithmetic on tensors and numbers, and functions of each element: `x / 127.5 - 1`, `tf.nn.relu6(x)`. */
import { z } from "zod";
import { float32, sizeOf } from "../../../tensor/tensor.ts";
import { type KerasTensor, shapeText, toPlain } from "../keras-tensor.ts";
import type { LayerCall } from "../layer-rule.ts";
import { permuted, reshaped } from "../permute.ts";
import { activationFunction } from "./activation.ts";
import { argument, type FunctionRule, plainArgument, tensorArgument, unsupported } from "./function-call.ts";
import { aligned, broadcast } from "./merging.ts";

/** An operator on two arguments, of which one may be numbers. */
export function binary(op: string): FunctionRule {
  return (call) => {
    const { b, name, where } = call;
    const [x, y] = [argument(call, 0, "x", "x1", "a", "value"), argument(call, 1, "y", "x2", "b", "bias")];
    if (x.kind === "tensor" && y.kind === "tensor") {
      const pair = [x.tensor, y.tensor];
      if (x.tensor.shape.length !== y.tensor.shape.length)
        throw unsupported(
          call,
          `tensors with the same number of axes, got ${pair.map(({ shape }) => shapeText(shape))}`,
        );
      const [first, second] = aligned(b, pair) as [KerasTensor, KerasTensor]; // two in, two out
      const shape = broadcast([first.shape, second.shape], where);
      return { ...first, value: b.op(op, [first.value, second.value], {}, name), shape };
    }
    const given = [x, y].find((one) => one.kind === "tensor");
    const constant = [x, y].find((one) => one.kind === "constant");
    if (given?.kind !== "tensor" || constant?.kind !== "constant") throw unsupported(call, "tensors or numbers");
    const { t, value } = besides(call, given.tensor, constant.value);
    const inputs = x.kind === "tensor" ? [t.value, value] : [value, t.value];
    return { ...t, value: b.op(op, inputs, {}, name) };
  };
}

const tensorRecord = z.object({
  class_name: z.enum(["__tensor__", "__numpy__"]),
  config: z.object({ value: z.unknown().optional() }),
});

/** Numbers as a constant that goes with a tensor as it lies. */
function besides(call: LayerCall, given: KerasTensor, json: unknown): { t: KerasTensor; value: string } {
  const { b, name } = call;
  const { data: record } = tensorRecord.safeParse(json);
  const { shape, values } = numbers(call, record ? record.config.value : json);
  const t = values.length > 1 && typeof given.form === "object" ? toPlain(b, given) : given;
  const rank = t.shape.length + 1;
  const full = [...new Array<number>(Math.max(0, rank - shape.length)).fill(1), ...shape];
  const fits = full.length === rank && full.every((size, i) => size === 1 || (i > 0 && size === t.shape[i - 1]));
  if (!fits) throw unsupported(call, `numbers that go with ${shapeText(t.shape)}, got [${shape}]`);
  const laid = permuted(
    reshaped(float32(shape, values), full),
    t.form === "planes" ? [0, 3, 1, 2] : full.map((_, i) => i),
  );
  const constant = values.length === 1 ? float32([], values) : laid;
  return { t, value: b.constant(constant, `${name}/constant`) };
}

const MAX_NUMBERS = 65_536;

/** Nested lists of numbers as one list with its shape. */
function numbers(call: LayerCall, json: unknown): { shape: number[]; values: number[] } {
  const shape: number[] = [];
  for (let part = json; Array.isArray(part) && shape.length < 8; part = part[0]) shape.push(part.length);
  const values = [json].flat(8);
  const isRegular = values.length === sizeOf(shape) && values.length <= MAX_NUMBERS;
  if (isRegular && values.every((value) => typeof value === "number")) return { shape, values };
  throw unsupported(call, "numbers in a regular list");
}

/** A function of each element that is an activation too. */
export function elementwise(name: string): FunctionRule {
  return (call, config, dialect) => {
    // Arguments that change what it computes are not passed on.
    const isChanged = ["approximate", "max_value", "threshold", "alpha", "negative_slope", "axis"].some((key) => {
      const value = plainArgument(call, config, key);
      return value !== undefined && value !== null && value !== false && !(key === "axis" && value === -1);
    });
    if (isChanged) throw unsupported(call, `${name} without further arguments`);
    return activationFunction(name)!.apply(
      tensorArgument(call, 0, "x", "features", "logits"),
      call,
      dialect,
      call.name,
    );
  };
}
