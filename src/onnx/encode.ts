/**
 * Protobuf messages → bytes of an ONNX file, as a list of chunks in which the weights are views of the caller's arrays.
 * A general encoder copies each tensor once per nesting level (tensor, graph, model); here the few bytes around the
 * weights are framed by hand, and everything else is left to the library.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { DecodedModel } from "./decode.ts";
import { GraphProtoSchema, ModelProtoSchema, type TensorProto, TensorProtoSchema } from "./onnx-pb.ts";

const MODEL_GRAPH = 7;
const GRAPH_INITIALIZER = 5;
const TENSOR_RAW_DATA = 9;

/** Encodes a model as chunks to be written one after the other. */
export function encodeModel(model: DecodedModel): Uint8Array[] {
  const { graph, ...rest } = model;
  const initializers = graph.initializer.flatMap(encodeInitializer);
  const body = toBinary(GraphProtoSchema, { ...graph, initializer: [] });
  const size = initializers.reduce((sum, chunk) => sum + chunk.length, body.length);
  return [toBinary(ModelProtoSchema, create(ModelProtoSchema, rest)), frame(MODEL_GRAPH, size), body, ...initializers];
}

/** Joins chunks into one array: the only copy of the weights. */
export function joinChunks(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function encodeInitializer(tensor: TensorProto): Uint8Array[] {
  const head = toBinary(TensorProtoSchema, { ...tensor, rawData: new Uint8Array() });
  if (tensor.rawData.length === 0) return [frame(GRAPH_INITIALIZER, head.length), head];
  const lead = frame(TENSOR_RAW_DATA, tensor.rawData.length);
  const size = head.length + lead.length + tensor.rawData.length;
  return [frame(GRAPH_INITIALIZER, size), head, lead, tensor.rawData];
}

/** Tag and length that precede a field of `size` bytes. */
function frame(field: number, size: number): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(size).finish();
}
