/** Bytes of an ONNX file → protobuf messages. Weights stay views of the given bytes. */
import { fromBinary } from "@bufbuild/protobuf";
import { messageOf, RootstockError } from "../errors.ts";
import { type GraphProto, type ModelProto, ModelProtoSchema } from "./onnx-pb.ts";

/** A model message whose graph is present. */
export type DecodedModel = ModelProto & { graph: GraphProto };

/**
 * Decodes an ONNX file.
 * @param bytes the whole file. @param where its name, for messages.
 * @throws RootstockError BAD_MODEL if the bytes are not an ONNX model.
 */
export function decodeModel(bytes: Uint8Array, where: string): DecodedModel {
  if (bytes.length === 0)
    throw new RootstockError("BAD_MODEL", `${where} is empty (0 bytes): an ONNX file is required.`);
  let model: ModelProto;
  try {
    // A plain view: Buffer.subarray would hand out Buffers, whose slice() has other semantics.
    model = fromBinary(ModelProtoSchema, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (cause) {
    const size = `${bytes.length} bytes`;
    const message = `${where} is not a readable ONNX file (${size}): ${messageOf(cause)}. It may be truncated, or another format.`;
    throw new RootstockError("BAD_MODEL", message, { cause });
  }
  if (!model.graph || model.opsetImport.length === 0) {
    const missing = model.graph ? "an opset version" : "a graph";
    throw new RootstockError(
      "BAD_MODEL",
      `${where} holds no ONNX model: ${missing} is missing. Export it again as ONNX.`,
    );
  }
  return model as DecodedModel; // the graph was checked above
}
