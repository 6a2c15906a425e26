/** Parts of tensors: `x[..., ::-1]`, `x[:, 2:5, 1]`. */
import { z } from "zod";
import { axisOf, plainTensor, storedAxis, toPlain } from "../keras-tensor.ts";
import type { LayerCall } from "../layer-rule.ts";
import { argument, type FunctionRule, tensorArgument, unsupported } from "./function-call.ts";

const slice = z.object({ start: z.int().nullish(), stop: z.int().nullish(), step: z.int().nullish() });
const part = z.union([
  z.int(),
  z.object({ class_name: z.literal("__ellipsis__") }).transform(() => "rest" as const),
  z.object({ class_name: z.literal("__slice__"), config: slice }).transform(({ config }) => config),
  slice,
]);
type Part = z.infer<typeof part>;
const TO_THE_END = 2 ** 31 - 1;

/** x[..., a:b:c], x[..., 2]: slices and single positions of axes other than the batch. */
export const getItem: FunctionRule = (call) => {
  const { b, name, where } = call;
  const given = tensorArgument(call, 0, "tensor", "x");
  const key = argument(call, 1, "slice_spec", "key");
  const { data: parts } = z
    .union([z.array(part), part.transform((one) => [one])])
    .safeParse(key.kind === "constant" ? key.value : undefined);
  if (!parts) throw unsupported(call, "slices and whole numbers");
  const t = typeof given.form === "object" ? toPlain(b, given) : given;
  const rank = t.shape.length + 1;
  const at = parts.indexOf("rest");
  const [front, back] = at < 0 ? [parts, []] : [parts.slice(0, at), parts.slice(at + 1)];
  if (front.length + back.length > rank || back.includes("rest")) throw unsupported(call, `at most ${rank} slices`);
  const chosen = [
    ...front.map((one, i) => [i, one] as const),
    ...back.map((one, i) => [rank - back.length + i, one] as const),
  ];
  const picked = chosen.filter((entry): entry is [number, Exclude<Part, "rest">] => isCut(entry[1]));
  const lengths = [...t.shape];
  const cuts = picked.map(([axis, one]) => {
    const own = axisOf(axis, t, where);
    const cut = cutOf(call, one, t.shape[own]);
    lengths[own] = cut.length;
    return { ...cut, own, axis: storedAxis(t, own), drops: typeof one === "number" };
  });
  const list = (get: (cut: (typeof cuts)[number]) => number) => b.ints(cuts.map(get));
  const inputs = [t.value, list((c) => c.start), list((c) => c.stop), list((c) => c.axis), list((c) => c.step)];
  const dropped = cuts.filter(({ drops }) => drops);
  const sliced = cuts.length === 0 ? t.value : b.op("Slice", inputs, {}, dropped.length > 0 ? `${name}/slice` : name);
  if (dropped.length === 0) return { ...t, value: sliced, shape: lengths };
  // One channel of a map is a matrix in both orders of axes; other cases go by Keras' order.
  const isChannel = dropped.length === 1 && dropped[0]!.own === t.shape.length - 1;
  const base =
    isChannel || t.form === "plain" ? { ...t, value: sliced } : toPlain(b, { ...t, value: sliced, shape: lengths });
  const axes = dropped.map(({ own }) => storedAxis(base, own));
  const shape = lengths.filter((_, i) => !dropped.some(({ own }) => own === i));
  return plainTensor(b.op("Squeeze", [base.value, b.ints(axes)], {}, name), shape);
};

/** Whether a part of an index takes less than everything. */
function isCut(one: Part): boolean {
  if (one === "rest") return false;
  if (typeof one === "number") return true;
  return (one.start ?? 0) !== 0 || (one.stop ?? undefined) !== undefined || (one.step ?? 1) !== 1;
}

interface Cut {
  readonly start: number;
  readonly stop: number;
  readonly step: number;
  readonly length: number;
}

/** ONNX's starts and ends for a part of an index, and how many positions it takes. */
function cutOf(call: LayerCall, one: Exclude<Part, "rest">, size: number | undefined): Cut {
  if (size === undefined) throw unsupported(call, "an axis of known size");
  if (typeof one === "number") {
    const start = one < 0 ? one + size : one;
    if (start < 0 || start >= size) throw unsupported(call, `a position from 0 to ${size - 1}, got ${one}`);
    return { start, stop: start + 1, step: 1, length: 1 };
  }
  const step = one.step ?? 1;
  if (step === 0) throw unsupported(call, "a step other than 0");
  const clamp = (value: number): number => {
    const position = value < 0 ? value + size : value;
    return step > 0 ? Math.min(Math.max(position, 0), size) : Math.min(Math.max(position, -1), size - 1);
  };
  const start = typeof one.start === "number" ? clamp(one.start) : step > 0 ? 0 : size - 1;
  const stop = typeof one.stop === "number" ? clamp(one.stop) : step > 0 ? size : -1;
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length === 0) throw unsupported(call, "a slice that is not empty");
  return { start, stop: stop < 0 ? -TO_THE_END : stop, step, length };
}
