/** Layers that join several tensors into one. */
import { z } from "zod";
import { RootstockError } from "../../../errors.ts";
import { int } from "../../../graph/attributes.ts";
import type { GraphBuilder } from "../../../graph/builder.ts";
import type { Value } from "../../../graph/graph.ts";
import {
  axisOf,
  checkSize,
  type KerasTensor,
  type Size,
  shapeText,
  storedAxis,
  toPlain,
  toPlanes,
} from "../keras-tensor.ts";
import { type LayerCall, type LayerRule, layerRule } from "../layer-rule.ts";

const noConfig = z.object({});

/** Brings tensors of the same number of axes into one form: planes if one of them is. */
export function aligned(b: GraphBuilder, inputs: readonly KerasTensor[]): readonly KerasTensor[] {
  const [first] = inputs;
  const isSame = inputs.every(({ form }) => JSON.stringify(form) === JSON.stringify(first?.form));
  if (isSame) return inputs;
  const isMaps = inputs.every(({ shape }) => shape.length === 3) && inputs.some(({ form }) => form === "planes");
  return inputs.map((t) => (isMaps ? toPlanes(b, t) : toPlain(b, t)));
}

/** The shape of a combination element by element, by NumPy's rules. */
export function broadcast(shapes: readonly (readonly Size[])[], where: string): Size[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => (axis < rank - shape.length ? 1 : shape[axis - rank + shape.length]));
    const known = new Set(sizes.filter((size) => size !== undefined && size !== 1));
    if (known.size <= 1) return [...known][0] ?? (sizes.includes(undefined) ? undefined : 1);
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `${where} requires shapes that go together, got ${shapes.map(shapeText).join(" and ")}.`,
    );
  });
}

/** Two tensors or more. @throws RootstockError BAD_MODEL */
function several({ inputs, where }: LayerCall): readonly KerasTensor[] {
  if (inputs.length >= 1) return inputs;
  throw new RootstockError("BAD_MODEL", `${where} requires inputs, got none. The file is damaged.`);
}

/** Combines tensors element by element. */
function merge(combine: (call: LayerCall, values: readonly Value[]) => Value): LayerRule {
  return layerRule(noConfig, {
    apply: (call) => {
      const inputs = several(call);
      if (inputs.some(({ shape }) => shape.length !== inputs[0]!.shape.length))
        throw new RootstockError(
          "SHAPE_MISMATCH",
          `${call.where} requires tensors with the same number of axes, got ${inputs.map(({ shape }) => shapeText(shape)).join(" and ")}.`,
        );
      const tensors = aligned(call.b, inputs);
      const shape = broadcast(
        tensors.map((t) => t.shape),
        call.where,
      );
      const value = combine(
        call,
        tensors.map((t) => t.value),
      );
      return { ...tensors[0]!, value, shape };
    },
  });
}

/** A chain of operators with two inputs, as differentiation and inference know them best; the last has the layer's name. */
const chained =
  (op: string) =>
  ({ b, name }: LayerCall, values: readonly Value[]): Value =>
    values
      .slice(1)
      .reduce((x, y, i) => b.op(op, [x, y], {}, i === values.length - 2 ? name : `${name}/part`), values[0]!);

export const addLayer = merge(chained("Add"));
export const subtractLayer = merge(chained("Sub"));
export const multiplyLayer = merge(chained("Mul"));
export const maximumLayer = merge(chained("Max"));
export const minimumLayer = merge(chained("Min"));
export const averageLayer = merge((call, values) => {
  const sum = chained("Add")({ ...call, name: `${call.name}/sum` }, values);
  return call.b.op("Mul", [sum, call.b.scalar(1 / values.length)], {}, call.name);
});

const concatenateConfig = z.object({ axis: z.int("requires one axis").default(-1) });

export const concatenate = layerRule(concatenateConfig, {
  apply: (call, { axis }) => joined(call, several(call), axis),
});

/** Tensors one after the other along an axis, which counts the batch. */
export function joined({ b, name, where }: LayerCall, inputs: readonly KerasTensor[], axis: number): KerasTensor {
  // A map that is read plane by plane is no part of a longer vector.
  const tensors = aligned(b, inputs).map((t) => (typeof t.form === "object" ? toPlain(b, t) : t));
  const first = tensors[0]!;
  const along = axisOf(axis, first, where);
  const rank = first.shape.length;
  if (tensors.some(({ shape }) => shape.length !== rank))
    throw new RootstockError(
      "SHAPE_MISMATCH",
      `${where} requires tensors with the same number of axes, got ${tensors.map(({ shape }) => shapeText(shape)).join(" and ")}.`,
    );
  const others = broadcast(
    tensors.map(({ shape }) => shape.map((size, i) => (i === along ? 1 : size))),
    where,
  );
  const sizes = tensors.map(({ shape }) => shape[along]);
  const length = sizes.every((size) => size !== undefined) ? sizes.reduce((sum, size) => sum + size, 0) : undefined;
  const shape = others.map((size, i) => (i === along ? length : size));
  checkSize(shape, where);
  const values = tensors.map((t) => t.value);
  const value = b.op("Concat", values, { axis: int(storedAxis(first, along)) }, name);
  return { ...first, value, shape };
}
