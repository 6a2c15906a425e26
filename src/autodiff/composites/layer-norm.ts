/** Layer normalization as exporters before opset 17 write it out, recognised at its last node. */
import { float, int, intOf } from "../../graph/attributes.ts";
import type { Node, Value } from "../../graph/graph.ts";
import type { Composite } from "./activations.ts";
import { type Formulas, numberOf, orders } from "./match.ts";

/** (x - mean(x)) / √(mean((x - mean(x))²) + epsilon) · scale + bias over the last axes; the bias may be missing. */
export function layerNorm(f: Formulas, root: Node): Composite | undefined {
  if (root.domain !== "") return undefined;
  if (root.op === "Mul") return scaled(f, root);
  if (root.op !== "Add") return undefined;
  for (const [product, bias] of orders(root)) {
    const mul = f.madeBy(product, "Mul");
    const found = mul && scaled(f, mul);
    if (found && fits(f, bias, found.inputs[0]!))
      return { ...found, inputs: [...found.inputs, bias], nodes: [...found.nodes, root] };
  }
  return undefined;
}

function scaled(f: Formulas, root: Node): Composite | undefined {
  for (const [value, scale] of orders(root)) {
    const found = standardized(f, value);
    if (!found || !fits(f, scale, found.x)) continue;
    const { x, axis, epsilon } = found;
    const attributes = { axis: int(axis), epsilon: float(epsilon) };
    const nodes = [...found.nodes, root];
    return { op: "LayerNormalization", inputs: [x, scale], attributes, saved: [], nodes };
  }
  return undefined;
}

interface Standardized {
  readonly x: Value;
  readonly axis: number;
  readonly epsilon: number;
  readonly nodes: readonly Node[];
}

/** difference / √(mean(difference²) + epsilon). */
function standardized(f: Formulas, value: Value): Standardized | undefined {
  const div = f.madeBy(value, "Div");
  const [difference, deviation] = div?.inputs ?? [];
  const sqrt = f.madeBy(deviation, "Sqrt");
  const add = f.madeBy(sqrt?.inputs[0], "Add");
  if (!div || !sqrt || !add) return undefined;
  for (const [variance, constant] of orders(add)) {
    const epsilon = numberOf(f, constant);
    const mean = f.madeBy(variance, "ReduceMean");
    const square = squared(f, mean?.inputs[0]);
    const [own, other] = [centred(f, difference), centred(f, square?.of)];
    if (epsilon === undefined || !mean || !square || !own || !other) continue;
    if (own.x !== other.x || own.axis !== other.axis || firstAxis(f, mean, own.x) !== own.axis) continue;
    const nodes = [div, sqrt, add, mean, square.node, ...own.nodes, ...other.nodes];
    return { x: own.x, axis: own.axis, epsilon, nodes: [...new Set(nodes)] };
  }
  return undefined;
}

function squared(f: Formulas, value: Value | undefined): { node: Node; of: Value } | undefined {
  const node = f.madeBy(value, "Pow") ?? f.madeBy(value, "Mul");
  const [x, y] = node?.inputs ?? [];
  const isSquare = node?.op === "Pow" ? numberOf(f, y) === 2 : x === y;
  return node && x !== undefined && isSquare ? { node, of: x } : undefined;
}

/** x - mean(x) over the last axes. */
function centred(f: Formulas, value: Value | undefined): Omit<Standardized, "epsilon"> | undefined {
  const sub = f.madeBy(value, "Sub");
  const x = sub?.inputs[0];
  const mean = f.madeBy(sub?.inputs[1], "ReduceMean");
  if (!sub || !mean || x === undefined || mean.inputs[0] !== x) return undefined;
  const axis = firstAxis(f, mean, x);
  return axis === undefined ? undefined : { x, axis, nodes: [sub, mean] };
}

/** The first of the axes that a reduction with keepdims takes, if they are the last ones. */
function firstAxis(f: Formulas, node: Node, x: Value): number | undefined {
  const rank = f.shapeOf(x)?.length;
  const axes = f.constant(node.inputs[1]);
  if (rank === undefined || !axes || axes.length === 0 || intOf(node, "keepdims", 1) !== 1) return undefined;
  const sorted = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  const first = sorted[0]!;
  return sorted.length === rank - first && sorted.every((axis, i) => axis === first + i) ? first : undefined;
}

/** Whether a parameter broadcasts to x and not x to it. */
function fits(f: Formulas, parameter: Value, x: Value): boolean {
  const [own, whole] = [f.shapeOf(parameter), f.shapeOf(x)];
  if (!own || !whole || own.length > whole.length) return false;
  return own.every((dim, i) => dim === 1 || dim === whole[whole.length - own.length + i]);
}
