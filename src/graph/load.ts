/** ONNX messages → Graph: one namespace, unique node names, topological order, the internal opset, constants folded. */

import { listed, RootstockError } from "../errors.ts";
import { ATTRIBUTE_KIND, DATA_LOCATION } from "../onnx/attribute-kind.ts";
import { type DecodedModel, decodeModel } from "../onnx/decode.ts";
import { type ReadExternal, resolveExternalData } from "../onnx/external-data.ts";
import type { AttributeProto, GraphProto, NodeProto, ValueInfoProto } from "../onnx/onnx-pb.ts";
import { dtypeOfCode, tensorOfProto } from "../onnx/tensor-proto.ts";
import type { Attribute } from "./attributes.ts";
import { foldConstants } from "./fold.ts";
import type { Dim, Graph, Node, ValueInfo } from "./graph.ts";
import { keepPaddingOfMaxPools } from "./padded-pooling.ts";
import { sortNodes } from "./traverse.ts";
import { upgradeOpset } from "./upgrade.ts";
import { checkValues } from "./validate.ts";

/** A graph with what its file says about it. */
export interface GraphFile {
  readonly graph: Graph;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface LoadGraphOptions {
  /** Name of the file, for messages. @default "the model" */
  readonly name?: string | undefined;
  /** Reads a file beside the model that holds external weights. Without it such models are refused. */
  readonly readExternal?: ReadExternal | undefined;
}

/**
 * Loads an ONNX file. Weights are views of `bytes`, not copies.
 * @throws RootstockError BAD_MODEL if the file is damaged; UNSUPPORTED_OP if its opset or operators cannot be upgraded.
 */
export function loadGraph(bytes: Uint8Array, { name = "the model", readExternal }: LoadGraphOptions = {}): GraphFile {
  const model = decodeModel(bytes, name);
  const metadata = new Map(model.metadataProps.map(({ key, value }) => [key, value]));
  resolveExternalData(model.graph, readExternal ?? (() => refuseExternal(name)));
  return { graph: keepPaddingOfMaxPools(foldConstants(upgradeOpset(graphOf(model, name)))), metadata };
}

function graphOf(model: DecodedModel, where: string): Graph {
  if (model.functions.length > 0) {
    const names = listed(model.functions.map((f) => f.name));
    throw new RootstockError(
      "UNSUPPORTED_OP",
      `${where} defines model-local functions (${names}). Inline them (onnx.inliner) and load it again.`,
    );
  }
  const { graph } = model;
  const initializers = new Map(graph.initializer.map((proto) => [proto.name, tensorOfProto(proto)] as const));
  // Before IR version 4, initializers were listed among the inputs too.
  const inputs = graph.input.filter(({ name }) => !initializers.has(name)).map((info) => valueInfoOf(info, where));
  const outputs = graph.output.map((info) => valueInfoOf(info, where));
  const nodes = sortNodes(uniquelyNamed(graph.node));
  const opsets = new Map(
    model.opsetImport.map(({ domain, version }) => [domain === "ai.onnx" ? "" : domain, Number(version)]),
  );
  if (outputs.length === 0)
    throw new RootstockError("BAD_MODEL", `${where} declares no output, so it computes nothing. Export it again.`);
  checkValues({ nodes, inputs, outputs, initializers }, where);
  return { name: graph.name || "graph", inputs, outputs, nodes, initializers, opsets };
}

function valueInfoOf({ name, type }: ValueInfoProto, where: string): ValueInfo {
  const tensorType = type?.value.case === "tensorType" ? type.value.value : undefined;
  const dtype = tensorType && dtypeOfCode(tensorType.elemType);
  if (!dtype) throw new RootstockError("BAD_MODEL", `${where}: "${name}" is not a tensor of a supported element type.`);
  // A dimension without value and name is unknown on its own: a name that no other dimension has. Exporters also write
  // -1 as the value, or "?" as the name of several dimensions that are not equal.
  const dims = tensorType.shape?.dim.map(({ value }, i): Dim => {
    if (value.case === "dimValue" && value.value >= 0n) return Number(value.value);
    return value.case === "dimParam" && value.value !== "" && value.value !== "?" ? value.value : `${name}.${i}`;
  });
  return { name, dtype, shape: dims };
}

function uniquelyNamed(protos: readonly NodeProto[]): Node[] {
  const taken = new Set<string>();
  return protos.map((proto) => {
    const base = proto.name || proto.output.find((name) => name !== "") || proto.opType;
    let name = base;
    for (let i = 2; taken.has(name); i++) name = `${base}_${i}`;
    taken.add(name);
    const attributes = Object.fromEntries(proto.attribute.map((a) => [a.name, attributeOf(a)]));
    const domain = proto.domain === "ai.onnx" ? "" : proto.domain;
    return { op: proto.opType, domain, name, inputs: proto.input, outputs: proto.output, attributes };
  });
}

function attributeOf(proto: AttributeProto): Attribute {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  switch (proto.type) {
    case ATTRIBUTE_KIND.int:
      return { kind: "int", value: Number(proto.i) };
    case ATTRIBUTE_KIND.float:
      return { kind: "float", value: proto.f };
    case ATTRIBUTE_KIND.string:
      return { kind: "string", value: text(proto.s) };
    case ATTRIBUTE_KIND.ints:
      return { kind: "ints", value: proto.ints.map(Number) };
    case ATTRIBUTE_KIND.floats:
      return { kind: "floats", value: proto.floats };
    case ATTRIBUTE_KIND.strings:
      return { kind: "strings", value: proto.strings.map(text) };
    case ATTRIBUTE_KIND.tensor:
      if (proto.t && proto.t.dataLocation === DATA_LOCATION.embedded && dtypeOfCode(proto.t.dataType)) {
        return { kind: "tensor", value: tensorOfProto(proto.t) };
      }
      return { kind: "opaque", value: proto, captures: [] };
    default:
      return { kind: "opaque", value: proto, captures: [proto.g].flatMap((g) => (g ? capturesOf(g) : [])) };
  }
}

/** Values that a subgraph uses without defining them: they come from the graph around it. */
function capturesOf(graph: GraphProto): string[] {
  const defined = new Set([
    "",
    ...graph.input.map((i) => i.name),
    ...graph.initializer.map((t) => t.name),
    ...graph.node.flatMap((n) => n.output),
  ]);
  const inner = graph.node.flatMap((node) => [
    ...node.input,
    ...node.attribute.flatMap((a) => (a.g ? capturesOf(a.g) : [])),
  ]);
  return [...inner, ...graph.output.map((o) => o.name)].filter((name) => !defined.has(name));
}

function refuseExternal(name: string): never {
  throw new RootstockError(
    "BAD_MODEL",
    `${name} keeps its weights in a file beside it: load it by path, or pass readExternal.`,
  );
}
