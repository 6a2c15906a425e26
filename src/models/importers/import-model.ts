/** Imports whole models that list their layers: Keras' `.h5` and `.keras` files, and TensorFlow.js layers models. */
import { existsSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { messageOf, RootstockError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Preprocessing } from "../../transforms/preprocessing.ts";
import type { ByteSource } from "../../weights/byte-source.ts";
import { fileSource } from "../../weights/file-source.ts";
import { isHdf5, openHdf5 } from "../../weights/hdf5.ts";
import { parseJson, readJson } from "../../weights/json-text.ts";
import { isKerasArchive, openKerasArchive } from "../../weights/keras-archive.ts";
import { openKerasH5 } from "../../weights/keras-h5.ts";
import type { TensorSource } from "../../weights/tensor-source.ts";
import { isTfjs, openTfjs } from "../../weights/tfjs.ts";
import { readZip } from "../../weights/zip.ts";
import { importGraph } from "./import-graph.ts";
import { parseKerasModel } from "./keras-config.ts";
import { isTeachableMachine, readTeachableMachine } from "./teachable-machine.ts";

/** A model that was read layer by layer. */
export interface ImportedModel {
  /** Takes an image [batch, channels, height, width]; weights are called "layer/variable". */
  readonly graph: Graph;
  readonly labels?: readonly string[] | undefined;
  /** How pixels become its input, where the file says: Keras models do not, Teachable Machine's do. */
  readonly preprocessing?: Preprocessing | undefined;
  readonly notes: readonly string[];
}

type Kind = "h5" | "archive" | "tfjs";

/** A TensorFlow.js model in a folder. */
const TFJS_FILE = "model.json";

/** Whether a file is a whole Keras or TensorFlow.js model, or a folder that holds one. Damaged files are not. */
export async function isWholeModel(path: string): Promise<boolean> {
  try {
    return kindOf(fileOf(path)) !== undefined;
  } catch (error) {
    if (error instanceof RootstockError) return false;
    throw error;
  }
}

/**
 * Reads such a model. Nothing that a file names is imported or run: layers are known by name.
 * @throws RootstockError UNSUPPORTED_OP naming every layer that is not supported; BAD_MODEL or SHAPE_MISMATCH if the
 * file is damaged.
 */
export async function importModel(path: string): Promise<ImportedModel> {
  const file = fileOf(path);
  const where = basename(file);
  let tensors: TensorSource | undefined;
  try {
    const kind = kindOf(file);
    if (!kind)
      throw new RootstockError(
        "BAD_MODEL",
        `${file} is no whole model: required is one of Keras (.h5, .keras), or a TensorFlow.js model.json with its weights.`,
      );
    const contents = READERS[kind](file);
    tensors = contents.tensors;
    const graph = importGraph(parseKerasModel(contents.topology, where), tensors, contents, where);
    return { graph, notes: [], ...(kind === "tfjs" && readBeside(file)) };
  } catch (error) {
    if (error instanceof RootstockError) throw error;
    // JSON that is nested too deeply for the stack, and the like.
    throw new RootstockError("BAD_MODEL", `${where} cannot be imported: ${messageOf(error)}. It is damaged.`, {
      cause: error,
    });
  } finally {
    tensors?.close();
  }
}

/** The file of a model that may be given by its folder. */
function fileOf(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, TFJS_FILE) : path;
}

/** What kind of model a file is; undefined for weights alone and for everything else. */
function kindOf(path: string): Kind | undefined {
  const source = fileSource(path);
  try {
    if (isHdf5(source)) return openHdf5(source).attribute("model_config") ? "h5" : undefined;
    const [first, second] = source.read(0, Math.min(2, source.size));
    if (first === 0x50 && second === 0x4b) return isKerasArchive(readZip(source)) ? "archive" : undefined;
    return startsAsJson(source) && isTfjs(readJson(source)) ? "tfjs" : undefined;
  } finally {
    source.close();
  }
}

function startsAsJson(source: ByteSource): boolean {
  return new TextDecoder()
    .decode(source.read(0, Math.min(64, source.size)))
    .trimStart()
    .startsWith("{");
}

interface Contents {
  readonly topology: unknown;
  /** Major version of Keras. */
  readonly version: number;
  readonly tensors: TensorSource;
}

const READERS: Readonly<Record<Kind, (path: string) => Contents>> = {
  h5: (path) =>
    opened(path, (source) => {
      const { tensors, modelConfig = "" } = openKerasH5(source);
      const topology = parseJson(modelConfig, `model_config of ${basename(path)}`);
      return { topology, version: majorOf(tensors.metadata.get("keras_version")), tensors };
    }),
  archive: (path) =>
    opened(path, (source) => {
      const { config, metadata, tensors } = openKerasArchive(source);
      return { topology: config, version: majorOf(fieldOf(metadata, "keras_version")), tensors };
    }),
  // TensorFlow.js computes as Keras 2 does, also for models that Keras 3 made.
  tfjs: (path) => ({ ...openTfjs(path), version: 2 }),
};

/** Opens a file and gives it back if reading it fails. */
function opened(path: string, read: (source: ByteSource) => Contents): Contents {
  const source = fileSource(path);
  try {
    return read(source);
  } catch (error) {
    source.close();
    throw error;
  }
}

function majorOf(version: unknown): number {
  return typeof version === "string" && /^[3-9]\./.test(version) ? 3 : 2;
}

function fieldOf(json: unknown, name: string): unknown {
  return typeof json === "object" && json !== null ? (json as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** What Teachable Machine says beside a model. */
function readBeside(path: string): Partial<ImportedModel> {
  const beside = join(dirname(path), "metadata.json");
  if (!existsSync(beside)) return {};
  const source = fileSource(beside);
  try {
    const json = readJson(source, "metadata.json");
    if (!isTeachableMachine(json)) return {};
    const { labels, preprocessing } = readTeachableMachine(json, "metadata.json");
    return { labels, preprocessing, notes: ["an export of Teachable Machine: labels and preprocessing are its own"] };
  } finally {
    source.close();
  }
}
