/** Graphs as text, one line per value: for people, for messages, and for tests that compare graphs. */
import { float16ToFloat32 } from "../tensor/float16.ts";
import { sizeOf, type Tensor, toNumbers } from "../tensor/tensor.ts";
import type { Attribute } from "./attributes.ts";
import { formatShape, type Graph, type Node, operatorKey, type Value, type ValueType } from "./graph.ts";
import { inferTypes } from "./infer-types.ts";
import { printable } from "./printable.ts";

/** Small constants are shown with their elements, up to this many. */
const SHOWN_ELEMENTS = 8;

/**
 * Prints a graph: inputs, initializers, one line per node such as
 * `%relu_3: float32[batch, 64, 56, 56] = Relu(%bn_2)`, then outputs. Unknown types are `?`. Control characters of names
 * are written as \u{...}.
 * @throws RootstockError SHAPE_MISMATCH if the inputs of a node cannot go together.
 */
export function printGraph(graph: Graph): string {
  const types = inferTypes(graph);
  const opsets = [...graph.opsets].map(([domain, version]) => `${domain || "onnx"} ${version}`).join(", ");
  const lines = [
    `graph ${graph.name} (${opsets})`,
    ...graph.inputs.map((input) => `  input %${input.name}: ${typeText(input)}`),
    ...[...graph.initializers].map(([name, tensor]) => `  ${name}: ${tensorText(tensor)}`),
    ...graph.nodes.map((node) => `  ${nodeText(node, types, graph.initializers)}`),
    ...graph.outputs.map(({ name }) => `  output %${name}: ${typeText(types.get(name))}`),
  ];
  return `${lines.map(printable).join("\n")}\n`;
}

function nodeText(node: Node, types: ReadonlyMap<Value, ValueType>, initializers: ReadonlyMap<Value, Tensor>): string {
  const outputs = node.outputs.map((name) => (name === "" ? "_" : `%${name}: ${typeText(types.get(name))}`));
  const inputs = node.inputs.map((name) => {
    if (name === "") return "_";
    return initializers.has(name) ? name : `%${name}`;
  });
  const attributes = Object.entries(node.attributes).map(([name, attribute]) => `${name}=${attributeText(attribute)}`);
  return `${outputs.join(", ")} = ${operatorKey(node)}(${[...inputs, ...attributes].join(", ")})`;
}

function typeText(type: ValueType | undefined): string {
  return type ? `${type.dtype}${type.shape ? formatShape(type.shape) : "?"}` : "?";
}

/** Type and shape; the elements too where they are few whole numbers, as in shapes and axes. */
function tensorText(t: Tensor): string {
  const isSmall =
    sizeOf(t.shape) <= SHOWN_ELEMENTS && (t.dtype === "int64" || t.dtype === "int32" || t.shape.length === 0);
  return `${typeText(t)}${isSmall ? ` = ${elements(t).join(", ")}` : ""}`;
}

/** The numbers that a tensor stands for: half precision is held as bits. */
function elements({ dtype, shape, data }: Tensor): readonly number[] {
  if (dtype === "float16") return [...float16ToFloat32(data as Uint16Array)]; // the array that belongs to float16
  if (dtype !== "bfloat16") return toNumbers({ dtype, shape, data });
  return [...new Float32Array(Uint32Array.from(data as Uint16Array, (bits) => bits << 16).buffer)]; // a float32's upper half
}

function attributeText(attribute: Attribute): string {
  switch (attribute.kind) {
    case "int":
    case "float":
      return String(attribute.value);
    case "string":
      return JSON.stringify(attribute.value);
    case "ints":
    case "floats":
      return `[${attribute.value.join(", ")}]`;
    case "strings":
      return `[${attribute.value.map((text) => JSON.stringify(text)).join(", ")}]`;
    case "tensor":
      return tensorText(attribute.value);
    case "opaque":
      return attribute.captures.length > 0
        ? `<captures ${attribute.captures.map((name) => `%${name}`).join(", ")}>`
        : "<opaque>";
  }
}
