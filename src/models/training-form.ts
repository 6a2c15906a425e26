/** Brings a backbone into the form that training needs: any number of images, known sizes, no accidentally shared vectors. */

import { int, intOf } from "../graph/attributes.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { foldConstants } from "../graph/fold.ts";
import type { Dim, Graph, Node, Shape, Value, ValueInfo, ValueType } from "../graph/graph.ts";
import { inferTypes } from "../graph/infer-types.ts";
import { int64, type Tensor, toNumbers } from "../tensor/tensor.ts";
import { reserveNames } from "./batch-sizes.ts";
import { imageInput } from "./image-input.ts";
import { untie } from "./parameters.ts";

/** Name of the number of images in every graph that trains. */
export const BATCH = "batch";

/**
 * The same backbone with its first axis named BATCH, and a copy of its own for every reader of a shared vector. A file
 * that fixes the number of images is freed of it where only constant targets of Reshape and class tokens say it again;
 * if more does, the number stays. Doing it twice changes nothing.
 * @param size height and width of the images, where the file leaves them open.
 */
export function trainingForm(backbone: Graph, size?: readonly [height: number, width: number]): Graph {
  const sized = size ? foldConstants(withImageSize(backbone, size)) : backbone;
  const batch = sized.inputs[0]?.shape?.[0];
  const named =
    typeof batch === "string" ? withDimNamed(sized, batch) : typeof batch === "number" ? freed(sized, batch) : sized;
  return untie(named);
}

/** Replaces open heights and widths of the image input by numbers. */
function withImageSize(graph: Graph, [height, width]: readonly [number, number]): Graph {
  const { layout } = imageInput(graph);
  const [h, w] = layout === "NCHW" ? [2, 3] : [1, 2];
  const [input] = graph.inputs;
  const shape = input!.shape!.map((dim, axis) => {
    if (typeof dim === "number" && dim > 0) return dim;
    return axis === h ? height : axis === w ? width : dim;
  });
  return { ...graph, inputs: [{ ...input!, shape }] };
}

function withDimNamed(graph: Graph, name: Dim): Graph {
  if (name === BATCH) return graph;
  const rename = (shape: Shape | undefined): Shape | undefined =>
    shape?.map((dim) => (dim === name ? BATCH : dim === BATCH ? `other ${BATCH}` : dim));
  return {
    ...graph,
    inputs: graph.inputs.map((info) => ({ ...info, shape: rename(info.shape) })),
    outputs: graph.outputs.map((info) => ({ ...info, shape: rename(info.shape) })),
  };
}

/** The graph for any number of images, if what it computes has the shapes of before for the number it had. */
function freed(graph: Graph, count: number): Graph {
  const before = inferTypes(graph);
  const first = (info: ValueInfo): ValueInfo => ({ ...info, shape: info.shape && [BATCH, ...info.shape.slice(1)] });
  const b = new GraphBuilder(graph.name, { ...graph, inputs: graph.inputs.map(first), nodes: [] });
  reserveNames(b, graph.nodes);
  const reshaped: Value[] = []; // what the targets that were changed apply to
  for (const node of graph.nodes) {
    const [x = ""] = node.inputs;
    const target =
      node.op === "Reshape" ? freeTarget(node, graph.initializers, before.get(x)?.shape, count) : undefined;
    if (target) reshaped.push(x);
    // The 0 of a target copies a size, which the attribute "allowzero" would forbid.
    if (target) b.node({ ...node, inputs: [x, b.constant(target, `${node.name}.shape`)], attributes: {} });
    else b.node(node.op === "Concat" && count === 1 ? withTokens(b, node, graph) : node);
  }
  const free = b.build(graph.outputs.map(first));
  return agrees(free, { before, count, reshaped }) ? free : graph;
}

/** A Concat whose constant parts, such as a class token, are repeated for every image: files for one image need not. */
function withTokens(b: GraphBuilder, node: Node, { initializers }: Graph): Node {
  const data = node.inputs.find((name) => !initializers.has(name));
  if (data === undefined) return node;
  const inputs = node.inputs.map((name) => {
    const part = initializers.get(name);
    if (part?.dtype !== "float32" || part.shape[0] !== 1) return name;
    const images = b.op("Slice", [b.op("Shape", [data]), b.ints([0]), b.ints([1]), b.ints([0])]);
    const sizes = b.op("Concat", [images, b.ints(part.shape.slice(1))], { axis: int(0) });
    return b.op("Expand", [name, sizes]);
  });
  return { ...node, inputs };
}

/** A target of Reshape that says the same without the number of images; undefined if it need not change, or cannot. */
function freeTarget(
  node: Node,
  initializers: ReadonlyMap<Value, Tensor>,
  from: Shape | undefined,
  count: number,
): Tensor | undefined {
  const constant = initializers.get(node.inputs[1] ?? "");
  const [first, ...rest] = constant ? toNumbers(constant) : [];
  if (first === undefined || first <= 0 || first % count !== 0) return undefined;
  if (rest.every((size) => size > 0)) return int64([-1, ...rest]);
  if (rest.includes(0) && intOf(node, "allowzero", 0) !== 0) return undefined;
  return first === count && from?.[0] === count ? int64([0, ...rest]) : undefined;
}

interface Former {
  /** Types for the number of images that the file fixed. */
  readonly before: ReadonlyMap<Value, ValueType>;
  readonly count: number;
  readonly reshaped: readonly Value[];
}

/**
 * Whether every value has the type that it had, with so many images. Values whose Reshape was changed must have the
 * images outermost: otherwise the new target would mix them.
 */
function agrees(free: Graph, { before, count, reshaped }: Former): boolean {
  let after: ReadonlyMap<Value, ValueType>;
  try {
    after = inferTypes(free);
  } catch {
    return false; // something is made for exactly so many images
  }
  const multiple = (dim: Dim | undefined): number | undefined => {
    if (dim === BATCH) return 1;
    const [factor, name, ...rest] = typeof dim === "string" ? dim.split("*") : []; // how the algebra of dimensions writes it
    return name === BATCH && rest.length === 0 && /^\d+$/.test(factor!) ? Number(factor) : undefined;
  };
  const at = (dim: Dim): Dim => {
    const factor = multiple(dim);
    return factor === undefined ? dim : factor * count;
  };
  if (after.get(free.outputs[0]!.name)?.shape?.[0] !== BATCH) return false;
  if (!reshaped.every((value) => multiple(after.get(value)?.shape?.[0]) !== undefined)) return false;
  return [...before].every(([value, { shape }]) => {
    const own = after.get(value)?.shape;
    if (!shape || !own) return shape === own;
    return shape.length === own.length && shape.every((dim, i) => typeof dim === "string" || at(own[i]!) === dim);
  });
}
