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
    const reason = foreignFormat(bytes) ?? `${messageOf(cause)}. It may be truncated, or another format`;
    const message = `${where} is not a readable ONNX file (${size}): ${reason}.`;
    throw new RootstockError("BAD_MODEL", message, { cause });
  }
  if (!model.graph || model.opsetImport.length === 0) {
    const missing = model.graph ? "an opset version" : "a graph";
    const reason = foreignFormat(bytes) ?? `${missing} is missing. Export it again as ONNX`;
    throw new RootstockError("BAD_MODEL", `${where} holds no ONNX model: ${reason}.`);
  }
  return model as DecodedModel; // the graph was checked above
}

/** Other formats that are mistaken for ONNX, by the first bytes (read as Latin-1); the first that fits is meant. */
const FOREIGN_FORMATS: readonly (readonly [start: RegExp, what: string])[] = [
  [/^version https:\/\/git-lfs/, "it is a Git LFS pointer, not the file itself. Run `git lfs pull`"],
  [/^PK/, "it looks like a ZIP archive, such as a PyTorch checkpoint. Export the model as ONNX"],
  [/^\x89HDF/, "it looks like an HDF5 file, such as a Keras model. Export the model as ONNX"],
  [/^\x80/, "it looks like a Python pickle, such as a PyTorch checkpoint. Export the model as ONNX"],
  [/^.{8}\{"/s, "it looks like a safetensors file: weights without a graph. Export the model as ONNX"],
  [/^\s*<(!doctype|html|head|\?xml)/i, "it looks like an HTML page, such as the error page of a failed download"],
  [/^\s*[{[]\s*["[{]/, "it looks like JSON"],
  [/^[\t\n\r -~]{8,}$/, "it looks like text"],
];

/** What bytes that are no ONNX model look like, if that can be told. */
function foreignFormat(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  return FOREIGN_FORMATS.find(([pattern]) => pattern.test(start))?.[1];
}
