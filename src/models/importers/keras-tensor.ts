/** A value of the graph with the shape that Keras gives it: maps are [h, w, c] in Keras and [c, h, w] in the graph. */
import { RootstockError } from "../../errors.ts";
import { int } from "../../graph/attributes.ts";
import type { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";

/** A size; undefined where only running tells. */
export type Size = number | undefined;

/** A value in the graph and how its elements lie. */
export interface KerasTensor {
  readonly value: Value;
  /** In Keras' order of axes, without the batch. */
  readonly shape: readonly Size[];
  /**
   * "plain": as in Keras. "planes": [h, w, c] of Keras as [c, h, w]. `flattened`: one axis in Keras, which is a map
   * [c, h, w] read plane by plane here and pixel by pixel there.
   */
  readonly form: "plain" | "planes" | { readonly flattened: readonly [c: number, h: number, w: number] };
}

/** A map with its sizes in the graph's order. */
export interface ImageMap {
  readonly value: Value;
  readonly channels: number;
  readonly height: Size;
  readonly width: Size;
}

/** A value that lies as in Keras. */
export function plainTensor(value: Value, shape: readonly Size[]): KerasTensor {
  return { value, shape, form: "plain" };
}

/** The tensor with its elements in Keras' order. */
export function toPlain(b: GraphBuilder, t: KerasTensor): KerasTensor {
  if (t.form === "plain") return t;
  if (t.form === "planes") return plainTensor(b.transpose(t.value, [0, 2, 3, 1]), t.shape);
  const [c, h, w] = t.form.flattened;
  const map = b.reshape(t.value, b.ints([0, c, h, w]));
  return plainTensor(b.op("Flatten", [b.transpose(map, [0, 2, 3, 1])], { axis: int(1) }), t.shape);
}

/** A tensor [h, w, c] with its elements as [c, h, w]. */
export function toPlanes(b: GraphBuilder, t: KerasTensor): KerasTensor {
  if (t.form === "planes") return t;
  const { value, shape } = toPlain(b, t);
  const isVector = shape[0] === 1 && shape[1] === 1;
  const moved = isVector ? b.reshape(value, b.ints([0, shape[2] ?? -1, 1, 1])) : b.transpose(value, [0, 3, 1, 2]);
  return { value: moved, shape, form: "planes" };
}

/** The axis of the graph's value for an axis of Keras, which counts without the batch, from 0. */
export function storedAxis({ form }: KerasTensor, axis: number): number {
  return form === "planes" ? [2, 3, 1][axis]! : axis + 1;
}

/**
 * An axis as a layer gives it, which counts the batch as 0 and may count from the end, without the batch.
 * @throws RootstockError BAD_MODEL if there is no such axis, or it is the batch.
 */
export function axisOf(axis: number, { shape }: KerasTensor, where: string): number {
  const found = (axis < 0 ? axis + shape.length + 1 : axis) - 1;
  if (Number.isSafeInteger(found) && found >= 0 && found < shape.length) return found;
  throw new RootstockError(
    "BAD_MODEL",
    `${where} requires an axis of ${shapeText(shape)} other than the batch, got ${axis}.`,
  );
}

/** Feature maps of more numbers per image are refused. */
const MAX_ELEMENTS = 2 ** 31;

/** Looks at a tensor as a map. @throws RootstockError SHAPE_MISMATCH if it has other than three axes. */
export function asMap(b: GraphBuilder, t: KerasTensor, isChannelsFirst: boolean, where: string): ImageMap {
  const map = t.shape.length === 3 ? (isChannelsFirst ? toPlain : toPlanes)(b, t) : undefined;
  const [height, width, channels] = isChannelsFirst ? [t.shape[1], t.shape[2], t.shape[0]] : t.shape;
  if (map && channels !== undefined) return { value: map.value, channels, height, width };
  throw new RootstockError(
    "SHAPE_MISMATCH",
    `${where} requires a map of known channels, [batch, height, width, channels], got ${shapeText(t.shape)}.`,
  );
}

/** A map as a tensor of Keras. @throws RootstockError BAD_MODEL if it is empty or too large to compute. */
export function ofMap({ value, channels, height, width }: ImageMap, isChannelsFirst: boolean, where: string) {
  const shape = isChannelsFirst ? [channels, height, width] : [height, width, channels];
  checkSize(shape, where);
  return { value, shape, form: isChannelsFirst ? "plain" : "planes" } as const satisfies KerasTensor;
}

/** Refuses shapes that nothing can compute. @throws RootstockError BAD_MODEL */
export function checkSize(shape: readonly Size[], where: string): void {
  const elements = shape.reduce<number>((product, size = 1) => product * size, 1);
  if (shape.every((size) => size === undefined || size >= 1) && elements <= MAX_ELEMENTS) return;
  throw new RootstockError(
    "BAD_MODEL",
    `${where} would make a tensor ${shapeText(shape)} of ${elements} numbers per image: its input is too small for it, or the file is damaged.`,
  );
}

/** A shape of Keras as people write it. */
export function shapeText(shape: readonly Size[]): string {
  return `[batch${shape.map((size) => `, ${size ?? "any"}`).join("")}]`;
}
