/** How operators of opsets 7 to 17 are written in opset 18. The sources are the "changes" of the ONNX operator pages. */
import type { DType } from "../tensor/dtype.ts";
import { numberToFloat16 } from "../tensor/float16.ts";
import { float32, type Tensor, tensor, toNumbers } from "../tensor/tensor.ts";
import { type Attributes, floatOf, int, intOf, intsOf, string, stringOf } from "./attributes.ts";
import type { Node, Value, ValueType } from "./graph.ts";
import { clampedInt64 } from "./int64.ts";

/** What a rule may ask and add. */
export interface UpgradeContext {
  /** A name that no value or node has, made from the node's name and a hint. */
  fresh(node: Node, hint: string): Value;
  /** Adds an initializer under a fresh name. */
  constant(node: Node, hint: string, tensor: Tensor): Value;
  /** The tensor of an initializer. */
  tensor(value: Value): Tensor | undefined;
  typeOf(value: Value): ValueType | undefined;
  /** Whether a node or the graph's outputs read a value. */
  isUsed(value: Value): boolean;
  /** Notes that a node cannot be upgraded; all such nodes are reported together. */
  refuse(node: Node, reason: string): void;
}

/** One change of an operator: how a node of an opset `before` that version is written from then on. */
export interface Upgrade {
  readonly before: number;
  apply(node: Node, u: UpgradeContext): readonly Node[];
}

/** The node with input `index` set; inputs between the last one and `index` are absent. */
function withInput(node: Node, index: number, value: Value): Node {
  const inputs = [...node.inputs];
  while (inputs.length < index) inputs.push("");
  inputs[index] = value;
  return { ...node, inputs };
}

function without(node: Node, ...names: readonly string[]): Node {
  const attributes: Attributes = Object.fromEntries(
    Object.entries(node.attributes).filter(([name]) => !names.includes(name)),
  );
  return { ...node, attributes };
}

function withAttributes(node: Node, attributes: Attributes): Node {
  return { ...node, attributes: { ...node.attributes, ...attributes } };
}

/** A scalar of the element type of a value: float16 values take float16 bounds. */
function scalarLike(u: UpgradeContext, like: Value, value: number): Tensor {
  const dtype: DType = u.typeOf(like)?.dtype ?? "float32";
  if (dtype === "float16") return tensor(dtype, [], Uint16Array.of(numberToFloat16(value)));
  if (dtype === "float64") return tensor(dtype, [], Float64Array.of(value));
  return float32([], [value]);
}

/** A list attribute becomes an int64 input. */
function listBecomesInput(before: number, attribute: string, index: number): Upgrade {
  return {
    before,
    apply(node, u) {
      const values = intsOf(node, attribute, undefined);
      const bare = without(node, attribute);
      // An empty list of axes is an absent one.
      return [
        values && values.length > 0 ? withInput(bare, index, u.constant(node, attribute, clampedInt64(values))) : bare,
      ];
    },
  };
}

const reduceAxes = [listBecomesInput(18, "axes", 1)];

/** Softmax, LogSoftmax and Hardmax worked on the input flattened to a matrix at `axis` (1 by default). */
const flattened: Upgrade = {
  before: 13,
  apply(node, u) {
    const [x = ""] = node.inputs;
    const shape = u.typeOf(x)?.shape;
    const axis = intOf(node, "axis", 1);
    const at = axis < 0 && shape ? axis + shape.length : axis;
    // With nothing but sizes of 1 behind the axis, the axis is the rows of the matrix.
    const isPlain = axis === -1 || (shape && at < shape.length && shape.slice(at + 1).every((dim) => dim === 1));
    if (isPlain) return [withAttributes(node, { axis: int(axis) })];
    const [matrix, result, sizes] = ["matrix", "result", "shape"].map((hint) => u.fresh(node, hint)) as [
      Value,
      Value,
      Value,
    ]; // three hints
    const plain = { domain: "", attributes: {} };
    return [
      { ...plain, op: "Flatten", name: matrix, inputs: [x], outputs: [matrix], attributes: { axis: int(axis) } },
      { ...withAttributes(node, { axis: int(-1) }), inputs: [matrix], outputs: [result] },
      { ...plain, op: "Shape", name: sizes, inputs: [x], outputs: [sizes] },
      { ...plain, op: "Reshape", name: u.fresh(node, "reshape"), inputs: [result, sizes], outputs: node.outputs },
    ];
  },
};

/** The bounds of Clip were attributes. */
const clip: Upgrade = {
  before: 11,
  apply(node, u) {
    return [
      ["min", "max"].reduce(
        (clipped, name, i) => {
          const bound = floatOf(node, name, undefined);
          if (bound === undefined) return clipped;
          return withInput(clipped, i + 1, u.constant(node, name, scalarLike(u, node.inputs[0]!, bound)));
        },
        without(node, "min", "max"),
      ),
    ];
  },
};

/** Pads and the value were attributes. */
const pad: Upgrade = {
  before: 11,
  apply(node, u) {
    const padded = withInput(
      without(node, "pads", "value"),
      1,
      u.constant(node, "pads", clampedInt64(intsOf(node, "pads", []))),
    );
    const value = floatOf(node, "value", 0);
    if (stringOf(node, "mode", "constant") !== "constant" || value === 0) return [padded];
    return [withInput(padded, 2, u.constant(node, "value", scalarLike(u, node.inputs[0]!, value)))];
  },
};

const slice: readonly Upgrade[] = ["starts", "ends", "axes"].map((name, i) => listBecomesInput(10, name, i + 1));

const topK: Upgrade = {
  before: 10,
  apply: (node, u) => [withInput(without(node, "k"), 1, u.constant(node, "k", clampedInt64([intOf(node, "k", 1)])))],
};

/** The ratio was an attribute; the mask had the type of the data before opset 10. */
const dropoutRatio: Upgrade = {
  before: 12,
  apply: (node, u) => [
    withInput(without(node, "ratio"), 1, u.constant(node, "ratio", float32([], [floatOf(node, "ratio", 0.5)]))),
  ],
};
const dropoutMask: Upgrade = {
  before: 10,
  apply(node, u) {
    const [x = ""] = node.inputs;
    const [y = "", mask = ""] = node.outputs;
    if (!u.isUsed(mask)) return [{ ...node, outputs: [y] }];
    const kept = u.fresh(node, "mask");
    const cast: Node = {
      op: "CastLike",
      domain: "",
      name: u.fresh(node, "cast"),
      inputs: [kept, x],
      outputs: [mask],
      attributes: {},
    };
    return [{ ...node, outputs: [y, kept] }, cast];
  },
};

/** Exporters list the outputs of training even for inference; `spatial` = 0 normalized every position on its own. */
const batchNormalization: Upgrade = {
  before: 14,
  apply(node, u) {
    if (node.outputs.slice(1).some(u.isUsed)) u.refuse(node, "its training outputs are used");
    if (intOf(node, "spatial", 1) === 0) u.refuse(node, "spatial=0");
    return [{ ...without(node, "spatial"), outputs: node.outputs.slice(0, 1) }];
  },
};

/** Without sizes, the number of parts must be said. */
const splitCount: Upgrade = {
  before: 18,
  apply: (node) => [node.inputs[1] ? node : withAttributes(node, { num_outputs: int(node.outputs.length) })],
};

/** Upsample reads position floor(i / scale), or between positions i / scale without half-pixel centres. */
const upsample: Upgrade = {
  before: 10,
  apply(node, u) {
    const { scales } = node.attributes;
    const input =
      scales?.kind === "floats"
        ? u.constant(node, "scales", float32([scales.value.length], scales.value))
        : node.inputs[1]!;
    const mode = stringOf(node, "mode", "nearest") === "nearest" ? "nearest" : "linear";
    return [asymmetric({ ...node, op: "Resize", attributes: {} }, input, mode, "floor")];
  },
};

/** Resize-10 is Upsample that may also shrink; ONNX Runtime then reads position ceil(i / scale). */
const resizeInputs: Upgrade = {
  before: 11,
  apply(node, u) {
    const scales = u.tensor(node.inputs[1]!);
    const mode = stringOf(node, "mode", "nearest");
    const shrinks = scales !== undefined && toNumbers(scales).some((scale) => scale < 1);
    if (mode === "nearest" && shrinks && toNumbers(scales).some((scale) => scale > 1)) {
      u.refuse(node, "nearest mode both grows and shrinks");
    }
    return [asymmetric(node, node.inputs[1]!, mode, shrinks ? "ceil" : "floor")];
  },
};

function asymmetric(node: Node, scales: Value, mode: string, nearest: string): Node {
  const attributes: Attributes = {
    mode: string(mode),
    coordinate_transformation_mode: string("asymmetric"),
    ...(mode === "nearest" && { nearest_mode: string(nearest) }),
  };
  return { ...node, inputs: [node.inputs[0]!, "", scales], attributes };
}

/** Opset 13 dropped tf_half_pixel_for_nn, and absent scales are no longer written as an empty list. */
const resizeModes: Upgrade = {
  before: 13,
  apply(node, u) {
    const [x = "", roi = "", scales = "", sizes = ""] = node.inputs;
    const isEmpty = (value: Value): boolean => u.tensor(value)?.data.length === 0;
    const inputs = [x, isEmpty(roi) ? "" : roi, isEmpty(scales) ? "" : scales, ...(sizes ? [sizes] : [])];
    const kept = { ...node, inputs };
    if (stringOf(node, "coordinate_transformation_mode", "half_pixel") !== "tf_half_pixel_for_nn") return [kept];
    // floor((i + 0.5) / scale) is (i + 0.5) / scale - 0.5 rounded half up.
    if (stringOf(node, "nearest_mode", "round_prefer_floor") !== "floor")
      u.refuse(node, "tf_half_pixel_for_nn without nearest_mode=floor");
    return [
      withAttributes(kept, {
        coordinate_transformation_mode: string("half_pixel"),
        nearest_mode: string("round_prefer_ceil"),
      }),
    ];
  },
};

/** The default of RoiAlign became half_pixel. */
const roiAlign: Upgrade = {
  before: 16,
  apply: (node) => [withAttributes(node, { coordinate_transformation_mode: string("output_half_pixel") })],
};

/** Changes by operator, oldest first. An operator that is missing here means the same in opsets 7 to 18. */
export const UPGRADES: Readonly<Record<string, readonly Upgrade[]>> = {
  BatchNormalization: [batchNormalization],
  Clip: [clip],
  Dropout: [dropoutMask, dropoutRatio],
  Hardmax: [flattened],
  LogSoftmax: [flattened],
  Pad: [pad],
  ReduceL1: reduceAxes,
  ReduceL2: reduceAxes,
  ReduceLogSum: reduceAxes,
  ReduceLogSumExp: reduceAxes,
  ReduceMax: reduceAxes,
  ReduceMean: reduceAxes,
  ReduceMin: reduceAxes,
  ReduceProd: reduceAxes,
  ReduceSum: [listBecomesInput(13, "axes", 1)],
  ReduceSumSquare: reduceAxes,
  Resize: [resizeInputs, resizeModes],
  RoiAlign: [roiAlign],
  Scatter: [{ before: 11, apply: (node) => [{ ...node, op: "ScatterElements" }] }],
  Slice: slice,
  Softmax: [flattened],
  Split: [listBecomesInput(13, "split", 1), splitCount],
  Squeeze: [listBecomesInput(13, "axes", 1)],
  TopK: [topK],
  Unsqueeze: [listBecomesInput(13, "axes", 1)],
  Upsample: [upsample],
};
