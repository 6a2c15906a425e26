/** From what a user calls a model to a file: a path, a name of the catalog, or an address on the web. */
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { RootstockError } from "../errors.ts";
import { algorithmOf, type Checksum, createDigest, digestFile, matchesChecksum } from "../weights/checksum.ts";
import { type FetchOptions, fetchWeights } from "../weights/hub.ts";
import { isAddress, weightsFileAt } from "../weights/weights-file.ts";
import { CATALOG, findWeights, lookUpWeights, type WeightsSource } from "./catalog.ts";

/** A model's file, and what the catalog knows of it. */
export interface LocatedModel {
  readonly path: string;
  /** For messages and records: the file's name, or the name in the catalog. */
  readonly name: string;
  readonly record: WeightsSource | undefined;
}

/**
 * Finds the file of a model: what stands at the path; else the weights of that name in the catalog, or the file at an
 * http(s) or hf:// address, downloaded unless they are in the cache.
 * @throws RootstockError BAD_MODEL if it is neither a file nor a name of the catalog; DOWNLOAD and others of `fetchWeights`.
 */
export async function locateModel(model: string, options: FetchOptions = {}): Promise<LocatedModel> {
  const size = isAddress(model) ? undefined : await sizeOfFile(model);
  if (size !== undefined) {
    const record = await recordOfFile(model, size, options.signal);
    return { path: model, name: basename(model), record };
  }
  const record = lookUpWeights(model);
  if (record) return { path: await fetchWeights(record, options), name: record.name, record };
  if (isAddress(model)) {
    const file = weightsFileAt(model);
    return { path: await fetchWeights(file, options), name: file.file, record: undefined };
  }
  // A name with a separator or an extension is meant as a file.
  if (/[\\/]|\.[a-z0-9]{2,11}$/i.test(model)) throw new RootstockError("BAD_MODEL", `no model file at ${model}.`);
  return missing(model);
}

/** The size of a file; 0 where the system says something else than that it is not there, which reading it will tell. */
async function sizeOfFile(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : 0; // errors of node:fs carry a code
  }
}

/**
 * The catalog's record of a file as its publisher names it, if it has the published sum: torchvision's and Keras's names
 * are one file's alone, but anybody may give them to another.
 */
async function recordOfFile(path: string, size: number, signal?: AbortSignal): Promise<WeightsSource | undefined> {
  const name = basename(path);
  const alike = CATALOG.filter(({ url }) => new URL(url.replace(/^hf:/, "https:")).pathname.endsWith(`/${name}`));
  const [record] = alike;
  if (!record || alike.length > 1 || (record.bytes ?? size) !== size) return undefined;
  return (await hasSum(path, record.hash, signal)) ? record : undefined;
}

/** Whether all of a file adds up to its published sum; not, where it cannot be read, which its reader will tell. */
async function hasSum(path: string, hash: Checksum, signal: AbortSignal | undefined): Promise<boolean> {
  const digest = createDigest(algorithmOf(hash));
  try {
    await digestFile(path, digest, { signal });
  } catch (cause) {
    if (!signal?.aborted) return false;
    throw new RootstockError("ABORTED", `stopped while ${basename(path)} was compared with its checksum.`, { cause });
  }
  return matchesChecksum(hash, digest.hex());
}

function missing(model: string): never {
  try {
    findWeights(model);
  } catch (cause) {
    const hint = cause instanceof RootstockError ? ` As a name: ${cause.message}` : "";
    throw new RootstockError("BAD_MODEL", `no model file at ${model}.${hint}`, { cause });
  }
  throw new RootstockError("BAD_MODEL", `no model file at ${model}.`);
}
