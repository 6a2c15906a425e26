/** A checkpoint as one file, and the snapshots it names as files of their own, each sealed with its SHA-256. */
import { z } from "zod";
import { RootstockError } from "../../errors.ts";
import type { Json } from "../../json.ts";
import type { Parameters } from "../../models/head.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { fileSource } from "../../weights/file-source.ts";
import { openSealed, type SealedChunks, type SealedFile, sealSafetensors } from "../../weights/sealed-safetensors.ts";
import { decodeState, encodeState } from "./state-text.ts";

/** Value of `format` in the `__metadata__` of both kinds of files. */
const FORMATS = { checkpoint: "rootstock-checkpoint", snapshot: "rootstock-snapshot" } as const;
/** Files of another version are left alone. */
const VERSION = "1";

/** What is kept of a run at one moment. */
export interface Saved {
  /** Digits in groups, which sort by time: "0001-000120" for a phase and a step. */
  readonly name: string;
  /** What is no tensor: settings, counts, orders. NaN, infinities and -0 are kept. */
  readonly state: Json;
  readonly tensors: Parameters;
  /** Sets of parameters that do not change any more, such as those of the best epoch, by name. */
  readonly snapshots: ReadonlyMap<string, Parameters>;
}

/** A snapshot by its name in the checkpoint and the SHA-256 of its file. */
export interface SnapshotReference {
  readonly name: string;
  readonly sha256: string;
}

/** What a checkpoint's own file holds. */
export interface CheckpointContent extends Pick<Saved, "state" | "tensors"> {
  readonly snapshots: readonly SnapshotReference[];
}

const references = z.array(z.object({ name: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })).max(1000);

/** The file of a checkpoint whose snapshots have been written. @throws RootstockError BAD_CONFIG */
export function encodeCheckpoint({ state, tensors, snapshots }: CheckpointContent): SealedChunks {
  return sealSafetensors(tensors, {
    format: FORMATS.checkpoint,
    version: VERSION,
    state: encodeState(state),
    snapshots: JSON.stringify(snapshots),
  });
}

/** The file of a snapshot. @throws RootstockError BAD_CONFIG */
export function encodeSnapshot(parameters: Parameters): SealedChunks {
  return sealSafetensors(parameters, { format: FORMATS.snapshot, version: VERSION });
}

/**
 * Reads the file of a checkpoint, after its sum.
 * @throws RootstockError BAD_MODEL if it is none of this version, CHECKSUM_MISMATCH if it is damaged.
 */
export function readCheckpoint(path: string): CheckpointContent {
  using file = open(path, "checkpoint");
  file.verify();
  return {
    state: decodeState(file.metadata.get("state") ?? ""),
    snapshots: referencesOf(path, file),
    tensors: onlyFloat32(path, file.read()),
  };
}

/**
 * Reads the file of a snapshot, after its sum.
 * @param sha256 the sum that its checkpoint names.
 * @throws RootstockError BAD_MODEL if it is none of this version, CHECKSUM_MISMATCH if it is damaged or another one.
 */
export function readSnapshot(path: string, sha256: string): Parameters {
  using file = open(path, "snapshot");
  if (file.sha256 !== sha256)
    throw new RootstockError(
      "CHECKSUM_MISMATCH",
      `${path} is not the snapshot that the checkpoint names: its SHA-256 differs.`,
    );
  file.verify();
  return onlyFloat32(path, file.read());
}

/** The snapshots that a checkpoint names, by its header alone, or undefined if that cannot be read. */
export function peekCheckpoint(path: string): readonly SnapshotReference[] | undefined {
  try {
    using file = open(path, "checkpoint");
    return referencesOf(path, file);
  } catch {
    return undefined;
  }
}

/** Whether the header of a file is that of a snapshot of this version. */
export function isSnapshot(path: string): boolean {
  try {
    using _ = open(path, "snapshot");
    return true;
  } catch {
    return false;
  }
}

/** Opens a file of a kind and this version; its content is not looked at. */
function open(path: string, kind: keyof typeof FORMATS): SealedFile {
  const source = fileSource(path);
  try {
    const file = openSealed(source);
    const format = file.metadata.get("format");
    const version = file.metadata.get("version");
    if (format !== FORMATS[kind]) throw unusable(path, `its format is "${format}", "${FORMATS[kind]}" is required`);
    if (version !== VERSION)
      throw unusable(path, `it has version "${version}" of the format, this release reads version ${VERSION}`);
    return file;
  } catch (error) {
    source.close();
    throw error;
  }
}

function referencesOf(path: string, { metadata }: SealedFile): readonly SnapshotReference[] {
  try {
    return references.parse(JSON.parse(metadata.get("snapshots") ?? ""));
  } catch (cause) {
    throw unusable(path, "it does not list its snapshots", { cause });
  }
}

function onlyFloat32(path: string, tensors: ReadonlyMap<string, Tensor>): Parameters {
  const parameters = new Map<string, Tensor<"float32">>();
  for (const [name, { dtype, shape, data }] of tensors) {
    if (!(data instanceof Float32Array)) throw unusable(path, `"${name}" has ${dtype} elements, float32 is required`);
    parameters.set(name, { dtype: "float32", shape, data });
  }
  return parameters;
}

function unusable(path: string, problem: string, options?: ErrorOptions): RootstockError {
  return new RootstockError("BAD_MODEL", `${path} is no usable checkpoint file: ${problem}.`, options);
}
