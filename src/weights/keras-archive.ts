/** Reads `.keras` files: zip archives of a model's configuration and its weights (Keras 2.12 and later). */
import { RootstockError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { readJson } from "./json-text.ts";
import { openKerasH5 } from "./keras-h5.ts";
import type { TensorSource } from "./tensor-source.ts";
import { openEntry, readZip, type ZipEntry } from "./zip.ts";

/** What a `.keras` file holds. */
export interface KerasArchive {
  /** The contents of config.json: class_name and config of the model. */
  readonly config: unknown;
  /** The contents of metadata.json, where there is one: the version of Keras. */
  readonly metadata: unknown;
  /** Named by their place in the model: "layers/conv2d/vars/0". Closing them closes the archive. */
  readonly tensors: TensorSource;
}

const CONFIG = "config.json";
/** The file of weights in an archive. */
export const KERAS_WEIGHTS = "model.weights.h5";

/** Whether the files of an archive are those of a Keras model. */
export function isKerasArchive(entries: ReadonlyMap<string, ZipEntry>): boolean {
  return entries.has(CONFIG) && entries.has(KERAS_WEIGHTS);
}

/**
 * Opens a `.keras` file.
 * @throws RootstockError BAD_MODEL if it is damaged, or lacks its configuration or weights.
 */
export function openKerasArchive(source: ByteSource): KerasArchive {
  const entries = readZip(source);
  const open = (name: string): ByteSource => {
    const entry = entries.get(name);
    if (entry) return openEntry(source, entry);
    throw new RootstockError(
      "BAD_MODEL",
      `${source.name} requires "${name}", as every .keras file has. Save it again.`,
    );
  };
  const config = readJson(open(CONFIG), `${CONFIG} in ${source.name}`);
  const about = entries.get("metadata.json");
  const metadata = about && readJson(openEntry(source, about), `metadata.json in ${source.name}`);
  const weights = { ...open(KERAS_WEIGHTS), close: () => source.close() };
  return { config, metadata, tensors: openKerasH5(weights).tensors };
}
