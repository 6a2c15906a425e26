/** Tells from its first bytes how a model file is to be read. */
import { open, stat } from "node:fs/promises";
import { isWholeModel } from "./importers/import-model.ts";

/**
 * - `onnx`: a graph with its weights.
 * - `layers`: a whole Keras or TensorFlow.js model, which lists its layers.
 * - `weights`: named tensors without a network.
 */
export type ModelFormat = "onnx" | "layers" | "weights";

/** Enough for a signature, or for the beginning of a JSON text. */
const HEAD = 64;

/** How the file is to be read; what is unknown is given to the reader of ONNX files, whose messages say what it is. */
export async function formatOfModel(path: string): Promise<ModelFormat> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory()) return (await isWholeModel(path)) ? "layers" : "onnx";
  if (!info?.isFile()) return "onnx";
  const file = await open(path);
  const head = new Uint8Array(HEAD);
  try {
    await file.read(head, 0, HEAD, 0);
  } finally {
    await file.close();
  }
  const isHdf5 = startsWith(head, [0x89, 0x48, 0x44, 0x46]);
  const isZip = startsWith(head, [0x50, 0x4b]);
  const isPickle = head[0] === 0x80 && head[1]! <= 5;
  const text = new TextDecoder().decode(head).trimStart();
  // safetensors: the length of the header in 8 bytes, then JSON.
  const isSafetensors = head[8] === 0x7b && head[7] === 0 && head[6] === 0;
  const isJson = text.startsWith("{") && path.endsWith(".json");
  if (isHdf5 || isZip || isJson) return (await isWholeModel(path)) ? "layers" : "weights";
  return isPickle || isSafetensors ? "weights" : "onnx";
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, i) => bytes[i] === byte);
}
