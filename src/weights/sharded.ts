/** Weights in several files with an index beside them, as Hugging Face publishes large models. */
import { dirname, join } from "node:path";
import { listed, RootstockError } from "../errors.ts";
import { type TensorEntry, type TensorSource, tensorSource } from "./tensor-source.ts";

const MAX_SHARDS = 1000;

/** Opens one shard. */
export type OpenShard = (path: string) => TensorSource;

/**
 * Opens the shards of an index, `{ "weight_map": { tensor: file } }` (such as model.safetensors.index.json).
 * @param path of the index; the shards are in its folder.
 * @throws RootstockError BAD_MODEL if a shard is missing or lacks a tensor, or a name leaves the folder.
 */
export function openSharded(path: string, index: unknown, open: OpenShard): TensorSource {
  const map = weightMap(index, path);
  const files = [...new Set(map.values())];
  const bad = files.filter((file) => !isPlainName(file));
  if (bad.length > 0) throw broken(path, `it names files that are not in its folder: ${listed(bad)}`);
  if (files.length > MAX_SHARDS) throw broken(path, `it names ${files.length} files; ${MAX_SHARDS} are allowed`);
  const shards = new Map<string, TensorSource>();
  const close = (): void => {
    for (const shard of shards.values()) shard.close();
  };
  try {
    for (const file of files) shards.set(file, open(join(dirname(path), file)));
    return tensorSource({
      format: shards.get(files[0]!)?.format ?? "safetensors",
      origin: path,
      entries: entriesOf(path, map, shards),
      metadata: new Map([...shards.values()].flatMap((shard) => [...shard.metadata])),
      notes: [`the tensors are in ${files.length} files`],
      close,
    });
  } catch (error) {
    close();
    throw error;
  }
}

function entriesOf(
  path: string,
  map: ReadonlyMap<string, string>,
  shards: ReadonlyMap<string, TensorSource>,
): Map<string, TensorEntry> {
  const has = new Map([...shards].map(([file, shard]) => [file, new Set(shard.names)]));
  const missing = [...map]
    .filter(([name, file]) => !has.get(file)?.has(name))
    .map(([name, file]) => `"${name}" (${file})`);
  if (missing.length > 0) throw broken(path, `its files lack ${missing.length} of its tensors: ${listed(missing)}`);
  return new Map(
    [...map].map(([name, file]): [string, TensorEntry] => {
      const shard = shards.get(file)!; // has() was true of it
      return [name, { ...shard.info(name), read: () => shard.read(name) }];
    }),
  );
}

function weightMap(index: unknown, path: string): ReadonlyMap<string, string> {
  const map: unknown =
    typeof index === "object" && index !== null && "weight_map" in index ? index.weight_map : undefined;
  const entries = typeof map === "object" && map !== null ? Object.entries(map) : [];
  const names = entries.filter((entry): entry is [string, string] => typeof entry[1] === "string");
  if (names.length === 0 || names.length < entries.length)
    throw broken(path, 'its "weight_map" does not name a file for each tensor');
  return new Map(names);
}

/** A file name without any way out of its folder, on every system. */
function isPlainName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/[/\\:\0]/.test(name);
}

function broken(path: string, problem: string): RootstockError {
  return new RootstockError("BAD_MODEL", `${path} is no usable index of weights: ${problem}.`);
}
