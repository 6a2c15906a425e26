/** Graph → bytes of an ONNX file. */

import { create } from "@bufbuild/protobuf";
import { ATTRIBUTE_KIND } from "../onnx/attribute-kind.ts";
import type { DecodedModel } from "../onnx/decode.ts";
import { encodeModel } from "../onnx/encode.ts";
import { moveToExternalData } from "../onnx/external-data.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  type TypeProto,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../onnx/onnx-pb.ts";
import { dtypeCode, protoOfTensor } from "../onnx/tensor-proto.ts";
import type { Attribute } from "./attributes.ts";
import type { Graph, ValueInfo } from "./graph.ts";

/** The file format version (IR) that came with each opset, by the last opset it belongs to (onnx/onnx, Versioning). */
const IR_VERSIONS = [
  [18, 8n],
  [20, 9n],
  [22, 10n],
  [23, 11n],
  [24, 12n],
] as const;
const NEWEST_IR_VERSION = 13n;

/** Encodes a graph as chunks to be written in order; the weights among them are views, not copies. */
export function saveGraph(graph: Graph, metadata: ReadonlyMap<string, string> = new Map()): Uint8Array[] {
  return encodeModel(modelOf(graph, metadata));
}

/** A model and the file beside it that holds its weights: needed above 2 GB, where one protobuf message ends. */
export interface SavedGraph {
  readonly model: Uint8Array[];
  readonly weights: Uint8Array[];
}

/**
 * Encodes a graph as two files.
 * @param location path of the weights file relative to the model's folder, as the model will refer to it.
 */
export function saveGraphWithWeightsBeside(
  graph: Graph,
  location: string,
  metadata: ReadonlyMap<string, string> = new Map(),
): SavedGraph {
  const model = modelOf(graph, metadata);
  const weights = moveToExternalData(model.graph, location);
  return { model: encodeModel(model), weights };
}

function modelOf(graph: Graph, metadata: ReadonlyMap<string, string>): DecodedModel {
  const proto = create(GraphProtoSchema, {
    name: graph.name,
    input: graph.inputs.map(valueInfoProto),
    output: graph.outputs.map(valueInfoProto),
    initializer: [...graph.initializers].map(([name, tensor]) => protoOfTensor(name, tensor)),
    node: graph.nodes.map(({ op, domain, name, inputs, outputs, attributes }) =>
      create(NodeProtoSchema, {
        opType: op,
        domain,
        name,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
      }),
    ),
  });
  const model = create(ModelProtoSchema, {
    irVersion: irVersion(graph),
    producerName: "rootstock",
    graph: proto,
    opsetImport: [...graph.opsets].map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    metadataProps: [...metadata].map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  });
  return { ...model, graph: proto };
}

/** The oldest format that the graph's opset is defined in: what the most runtimes can read. */
function irVersion({ opsets }: Graph): bigint {
  return IR_VERSIONS.find(([opset]) => (opsets.get("") ?? 0) <= opset)?.[1] ?? NEWEST_IR_VERSION;
}

function valueInfoProto({ name, dtype, shape }: ValueInfo): ValueInfoProto {
  const dim = shape?.map((d) => ({
    value:
      typeof d === "number" ? { case: "dimValue" as const, value: BigInt(d) } : { case: "dimParam" as const, value: d },
  }));
  const value = { elemType: dtypeCode(dtype), ...(dim && { shape: { dim } }) };
  const type: TypeProto = create(TypeProtoSchema, { value: { case: "tensorType", value } });
  return create(ValueInfoProtoSchema, { name, type });
}

function attributeProto(name: string, attribute: Attribute): AttributeProto {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  switch (attribute.kind) {
    case "int":
      return create(AttributeProtoSchema, { name, type: ATTRIBUTE_KIND.int, i: toInt64(attribute.value) });
    case "float":
      return create(AttributeProtoSchema, { name, type: ATTRIBUTE_KIND.float, f: attribute.value });
    case "string":
      return create(AttributeProtoSchema, { name, type: ATTRIBUTE_KIND.string, s: bytes(attribute.value) });
    case "ints":
      return create(AttributeProtoSchema, { name, type: ATTRIBUTE_KIND.ints, ints: attribute.value.map(toInt64) });
    case "floats":
      return create(AttributeProtoSchema, { name, type: ATTRIBUTE_KIND.floats, floats: [...attribute.value] });
    case "strings":
      return create(AttributeProtoSchema, { name, type: ATTRIBUTE_KIND.strings, strings: attribute.value.map(bytes) });
    case "tensor":
      return create(AttributeProtoSchema, { name, type: ATTRIBUTE_KIND.tensor, t: protoOfTensor("", attribute.value) });
    case "opaque":
      return attribute.value;
  }
}

/** "To the end" is written as the largest int64, which a double rounds up by one. */
function toInt64(value: number): bigint {
  return value >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(value);
}
