/** Forms of operators that rules of movement, indexing, sampling and products refuse, each by name. */
import { expect, test } from "vitest";
import { gradient } from "../../src/autodiff/gradient.ts";
import type { VJP_RULES } from "../../src/autodiff/rules/table.ts";
import { type Attributes, int, string } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Dim, Value } from "../../src/graph/graph.ts";
import { float32, int64, type Tensor } from "../../src/tensor/tensor.ts";

/** A constant, the shape of a computed list of whole numbers, or nothing. */
type Other = Tensor | readonly Dim[] | undefined;
type Row = readonly [keyof typeof VJP_RULES, readonly Dim[], readonly Other[], Attributes, string];

const IMAGE = [1, 2, 3, 4];
const SCALES = float32([4], [1, 1, 2, 2]);
const ROWS: readonly Row[] = [
  ["Cast", [2], [], { to: int(7) }, "Cast to a whole-number type"],
  ["Slice", [3, 4], [int64([0]), int64([2]), [1]], {}, "axes that are computed"],
  ["Slice", [3, 4], [["n"], ["n"]], {}, "an unknown number of axes"],
  ["Pad", [3], [[2]], { mode: string("edge") }, "mode=edge with pads that are computed"],
  ["Pad", ["n"], [int64([1, 1])], { mode: string("reflect") }, "mode=reflect along an axis of unknown size"],
  [
    "Pad",
    [3],
    [int64([0, 3])],
    { mode: string("reflect") },
    "mode=reflect with more pads than there are elements to copy",
  ],
  ["Pad", [3], [int64([-1, 3])], { mode: string("wrap") }, "mode=wrap with more pads than there are elements to copy"],
  ["Resize", IMAGE, [undefined, undefined, [4]], {}, "sizes that are not known numbers"],
  [
    "Resize",
    IMAGE,
    [undefined, undefined, [4]],
    { keep_aspect_ratio_policy: string("not_larger") },
    "keep_aspect_ratio_policy=not_larger with sizes that are computed",
  ],
  ["Resize", [1, 2, "h", 4], [undefined, SCALES], {}, "sizes that are not known numbers"],
  [
    "Resize",
    IMAGE,
    [float32([8], [0, 0, 0, 0, 1, 1, 1, 1]), SCALES],
    { coordinate_transformation_mode: string("tf_crop_and_resize") },
    "coordinate_transformation_mode=tf_crop_and_resize",
  ],
  ["GridSample", [1, 2, 3, 4, 5], [float32([1, 1, 1, 1, 3], [0, 0, 0])], {}, "5 axes"],
  ["GridSample", [1, 2, "h", 4], [float32([1, 1, 1, 2], [0, 0])], {}, "sizes that are not known numbers"],
  ["RoiAlign", IMAGE, [float32([1, 4], [0, 0, 2, 2]), int64([0])], { mode: string("max") }, "mode=max"],
  ["ScatterElements", [3], [int64([0]), float32([1], [2])], { reduction: string("mul") }, "reduction=mul"],
  ["ScatterND", [3], [int64([0], [1, 1]), float32([1], [2])], { reduction: string("max") }, "reduction=max"],
  ["Einsum", [3, 3], [], { equation: string("ii->i") }, 'a repeated letter in one operand of "ii->i"'],
];

test.each(ROWS)("%s of %j", (op, shape, others, attributes, reason) => {
  const b = new GraphBuilder(op);
  b.input({ name: "x", dtype: "float32", shape });
  const names = others.map((other, i): Value => {
    if (other === undefined) return "";
    return "data" in other ? b.constant(other) : b.input({ name: `list${i}`, dtype: "int64", shape: other });
  });
  const y = b.op(op, ["x", ...names], attributes);
  b.named("ReduceSum", [b.cast(y, "float32")], "loss", { keepdims: int(0) });
  const graph = b.build([{ name: "loss", dtype: "float32", shape: [] }]);
  expect(() => gradient(graph, { of: "loss", with: ["x"] })).toThrow(`${op} "${op.toLowerCase()}" (${reason})`);
});

test("Dropout in training without its mask", () => {
  const b = new GraphBuilder("dropout");
  b.input({ name: "x", dtype: "float32", shape: [3] });
  b.input({ name: "training", dtype: "bool", shape: [] });
  b.named("ReduceSum", [b.op("Dropout", ["x", "", "training"])], "loss", { keepdims: int(0) });
  const graph = b.build([{ name: "loss", dtype: "float32", shape: [] }]);
  expect(() => gradient(graph, { of: "loss", with: ["x"] })).toThrow(
    'Dropout "dropout" (training mode without its second output, the mask)',
  );
});
