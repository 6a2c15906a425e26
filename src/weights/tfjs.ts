/**
 * Reads TensorFlow.js models that were saved as layers: a model.json with the topology and a manifest, and files of
 * weights beside it (tfjs-core, io/types.ts and io/weights_loader.ts). Quantized weights are widened.
 */
import { dirname, join } from "node:path";
import { z } from "zod";
import { RootstockError } from "../errors.ts";
import { bytesPerElement, type DType } from "../tensor/dtype.ts";
import { sizeOf, type Tensor, tensor } from "../tensor/tensor.ts";
import type { ByteSource } from "./byte-source.ts";
import { countElements, tensorOfBytes, toFloat32 } from "./elements.ts";
import { fileSource } from "./file-source.ts";
import { joinedSource } from "./joined-source.ts";
import { checkJson, readJson } from "./json-text.ts";
import { type TensorEntry, type TensorSource, tensorSource } from "./tensor-source.ts";

/** A TensorFlow.js layers model. */
export interface TfjsModel {
  /** Keras' description of the model: class_name and config, or a record with model_config. */
  readonly topology: unknown;
  /** Named as in the manifest: "conv2d/kernel". Closing them closes the files. */
  readonly tensors: TensorSource;
}

const MAX_SHARDS = 4096;
const MAX_TENSORS = 100_000;

const quantization = z.object({
  dtype: z.enum(["uint8", "uint16", "float16"]),
  scale: z.number().optional(),
  min: z.number().optional(),
});

const weight = z.object({
  name: z.string().min(1),
  shape: z.array(z.int().min(0)),
  dtype: z.enum(["float32", "int32", "bool"], "is float32, int32 or bool in networks for images"),
  quantization: quantization.optional(),
});

const modelJson = z.object({
  modelTopology: z.unknown().optional(),
  weightsManifest: z
    .array(z.object({ paths: z.array(z.string()).max(MAX_SHARDS), weights: z.array(weight).max(MAX_TENSORS) }))
    .max(MAX_SHARDS),
});

type Weight = z.infer<typeof weight>;

/** Whether JSON is that of a TensorFlow.js model of either kind. */
export function isTfjs(json: unknown): boolean {
  return typeof json === "object" && json !== null && "modelTopology" in json && "weightsManifest" in json;
}

/**
 * Opens a model.json and the files of weights that it names, which must be in its folder.
 * @throws RootstockError BAD_MODEL if a file is missing or damaged; UNSUPPORTED_OP for graph models.
 */
export function openTfjs(path: string): TfjsModel {
  const source = fileSource(path);
  let json: unknown;
  try {
    json = readJson(source);
  } finally {
    source.close();
  }
  if (isGraphModel(json))
    throw new RootstockError(
      "UNSUPPORTED_OP",
      `${path} is a TensorFlow.js graph model, which lists operators; a layers model is required. Save the Keras model that it was made from as .keras or .h5, or convert its SavedModel to ONNX (tf2onnx).`,
    );
  const { modelTopology, weightsManifest } = checkJson(modelJson, json, path);
  const open: ByteSource[] = [];
  const close = (): void => {
    for (const shard of open.splice(0)) shard.close();
  };
  try {
    const entries = new Map<string, TensorEntry>();
    for (const { paths, weights } of weightsManifest) {
      if (open.length + paths.length > MAX_SHARDS) throw bad(path, `it names more than ${MAX_SHARDS} files of weights`);
      const shards = paths.map((name) => {
        const shard = fileSource(join(dirname(path), withinFolder(name, path)));
        open.push(shard);
        return shard;
      });
      addGroup(entries, weights, joinedSource(shards, `${path}: ${paths[0] ?? "no file"}`));
    }
    const tensors = tensorSource({ format: "keras", origin: path, entries, close });
    return { topology: modelTopology, tensors };
  } catch (error) {
    close();
    throw error;
  }
}

/** Whether JSON is a TensorFlow.js graph model: a list of operators, not of layers. */
function isGraphModel(json: unknown): boolean {
  if (typeof json !== "object" || json === null) return false;
  const { format, modelTopology } = json as Readonly<Record<string, unknown>>; // was compared
  const isGraph = typeof modelTopology === "object" && modelTopology !== null && "node" in modelTopology;
  return format === "graph-model" || isGraph;
}

/** A path that stays in the folder: a model.json from elsewhere must not read other files. */
function withinFolder(name: string, where: string): string {
  const parts = name.split(/[\\/]/);
  const leaves = name === "" || name.includes("\0") || /^([\\/]|[a-z]+:)/i.test(name) || parts.includes("..");
  if (!leaves) return name;
  throw bad(where, `it names the file "${name.slice(0, 80)}", which is not in its folder`);
}

/** The weights of a group stand one after the other in its files, as if these were one. */
function addGroup(entries: Map<string, TensorEntry>, weights: readonly Weight[], source: ByteSource): void {
  let offset = 0;
  for (const item of weights) {
    const { name, shape } = item;
    if (entries.has(name)) throw bad(source.name, `it lists "${name}" twice`);
    const stored = item.quantization?.dtype ?? item.dtype;
    const bytes = countElements([...shape, bytesPerElement(stored)], `${source.name}: "${name}"`);
    if (offset + bytes > source.size)
      throw bad(source.name, `"${name}" ends at byte ${offset + bytes}, and its files have ${source.size}`);
    const at = offset;
    entries.set(name, { dtype: stored, shape, bytes, read: () => widened(item, source.read(at, bytes)) });
    offset += bytes;
  }
  if (offset !== source.size)
    throw bad(source.name, `its manifest describes ${offset} bytes of weights, and its files have ${source.size}`);
}

/** Quantized numbers are min + scale times what is stored. */
function widened({ name, shape, dtype, quantization }: Weight, bytes: Uint8Array): Tensor {
  if (!quantization) return tensorOfBytes(dtype, shape, bytes);
  const stored: DType = quantization.dtype;
  const small = toFloat32(tensorOfBytes(stored, shape, bytes));
  if (stored === "float16") return small;
  const { scale, min } = quantization;
  if (scale === undefined || min === undefined) throw bad(name, "quantized weights require a scale and a min");
  const wide = new Float32Array(sizeOf(shape));
  for (let i = 0; i < wide.length; i++) wide[i] = small.data[i]! * scale + min;
  return tensor("float32", shape, wide);
}

function bad(where: string, what: string): RootstockError {
  return new RootstockError("BAD_MODEL", `${where} cannot be read: ${what}.`);
}
