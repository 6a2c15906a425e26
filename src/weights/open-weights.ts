/** Opens a weights file of any supported format: what it holds decides, not its name. */
import { messageOf, RootstockError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { fileSource } from "./file-source.ts";
import { isHdf5 } from "./hdf5.ts";
import { jsonExcess } from "./json-scan.ts";
import { KERAS_WEIGHTS } from "./keras-archive.ts";
import { openKerasH5 } from "./keras-h5.ts";
import { headerLength, openSafetensors } from "./safetensors.ts";
import { openSharded } from "./sharded.ts";
import { sniffForeign } from "./sniff-weights.ts";
import type { TensorSource } from "./tensor-source.ts";
import { openTorchLegacy } from "./torch-legacy.ts";
import { openTorchZip } from "./torch-zip.ts";
import { openEntry, readZip } from "./zip.ts";

export interface OpenWeightsOptions {
  /**
   * Where in a PyTorch checkpoint the state dict is, such as "ema" or "model.state_dict". Without it, the usual places
   * are searched, and the source's notes say which was taken.
   */
  readonly stateDict?: string | undefined;
}

const HEAD_BYTES = 1024;
const MAX_INDEX_BYTES = 2 ** 26;

/**
 * Opens a file of weights: safetensors (also an index of shards), PyTorch (zip, older files, pickled modules), or
 * Keras HDF5 (`.h5`, `.weights.h5`, `.keras`). Tensors are read when they are asked for. Close it after that.
 * @throws RootstockError BAD_MODEL if it is something else, which the message names, or damaged.
 */
export async function openWeights(path: string, options: OpenWeightsOptions = {}): Promise<TensorSource> {
  const source = fileSource(path);
  const index = readIndex(source);
  if (index === undefined) return openWeightsIn(source, options);
  source.close();
  return openSharded(path, index, (shard) => openWeightsIn(fileSource(shard), options));
}

/**
 * Opens weights that are not in a file of their own: in memory, or part of something. An index of shards is refused,
 * since it has no folder. The tensor source takes over `source`, which is closed if this fails.
 * @throws RootstockError BAD_MODEL as `openWeights`
 */
export function openWeightsIn(source: ByteSource, { stateDict }: OpenWeightsOptions = {}): TensorSource {
  try {
    return openSource(source, stateDict);
  } catch (error) {
    source.close();
    if (error instanceof RootstockError) throw error;
    const message = `${source.name} cannot be read: ${messageOf(error)}. It is damaged.`;
    throw new RootstockError("BAD_MODEL", message, { cause: error });
  }
}

function openSource(source: ByteSource, stateDict: string | undefined): TensorSource {
  const head = source.read(0, Math.min(source.size, HEAD_BYTES));
  if (isHdf5(source)) return openKerasH5(source).tensors;
  if (head[0] === 0x50 && head[1] === 0x4b) return openArchive(source, stateDict);
  if (head[0] === 0x80 && head[1]! <= 5) return openTorchLegacy(source, stateDict);
  if (headerLength(head) !== undefined) return openSafetensors(source);
  const what = sniffForeign(source, head, jsonIn(source));
  throw new RootstockError("BAD_MODEL", `${source.name} holds no weights that can be read: it ${what}.`);
}

function openArchive(source: ByteSource, stateDict: string | undefined): TensorSource {
  const entries = readZip(source);
  const keras = entries.get(KERAS_WEIGHTS);
  if (keras) return openKerasH5({ ...openEntry(source, keras), close: () => source.close() }).tensors;
  if ([...entries.keys()].some((name) => name.endsWith("/data.pkl"))) return openTorchZip(source, entries, stateDict);
  const isNumpy = [...entries.keys()].some((name) => name.endsWith(".npy"));
  const what = isNumpy ? "NumPy arrays" : `${entries.size} files, none of which PyTorch or Keras wrote`;
  throw new RootstockError(
    "BAD_MODEL",
    `${source.name} holds no weights that can be read: it is a zip archive of ${what}.`,
  );
}

/** The index of shards in a file, if it is one. */
function readIndex(source: ByteSource): object | undefined {
  const json = jsonIn(source);
  return typeof json === "object" && json !== null && "weight_map" in json ? json : undefined;
}

/** The contents if they are JSON and of a size that an index may have. */
function jsonIn(source: ByteSource): unknown {
  const head = source.read(0, Math.min(source.size, HEAD_BYTES));
  if (!/^\s*\{/.test(new TextDecoder().decode(head)) || source.size > MAX_INDEX_BYTES) return undefined;
  const text = source.read(0, source.size);
  if (jsonExcess(text, { depth: 64 })) return undefined; // a model's topology nests deeper than an index
  try {
    return JSON.parse(new TextDecoder().decode(text));
  } catch {
    return undefined;
  }
}
