/**
 * Files of `torch.save` before PyTorch 1.6, and plain pickles of NumPy arrays. The old container is a row of pickles
 * (magic number, protocol, system, the value, the keys of its storages), then the storages themselves
 * (torch/serialization.py, `_legacy_save`).
 */
import { RootstockError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { type PickleReader, pickleReader } from "./pickle-reader.ts";
import type { TensorSource } from "./tensor-source.ts";
import { type PersistentLoad, unpickle } from "./torch-pickle.ts";
import { storageOf, torchSource } from "./torch-source.ts";
import type { ReadStorage } from "./torch-tensor.ts";
import { isKind, type PickleValue, type TorchStorage } from "./torch-values.ts";

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
const MAX_STORAGES = 200_000;

/**
 * Opens a file that starts with a pickle.
 * @param key where in the checkpoint the state dict is; the usual places are searched without it.
 * @throws RootstockError BAD_MODEL if it is damaged or holds no state dict.
 */
export function openTorchLegacy(source: ByteSource, key?: string | undefined): TensorSource {
  const reader = pickleReader(source);
  const storages = new Map<string, TorchStorage>();
  const load = persistentLoad(storages);
  const first = unpickle(reader, load);
  const options = { origin: source.name, key, close: () => source.close() };
  if (first !== MAGIC) return torchSource(first, noStorage(source), { ...options, littleEndian: true });
  const protocol = unpickle(reader, load);
  if (protocol !== PROTOCOL) throw reader.error(`protocol ${PROTOCOL} is required, got ${String(protocol)}`);
  const system = unpickle(reader, load);
  const root = unpickle(reader, load);
  const keys = unpickle(reader, load);
  const littleEndian = !(isKind(system, "dict") && system.entries.get("little_endian") === false);
  const offsets = locate(source, reader, keys, { storages, littleEndian });
  const read: ReadStorage = (storage, offset, length) => {
    const at = offsets.get(storage.key);
    if (at === undefined) throw new RootstockError("BAD_MODEL", `${source.name} lacks storage "${storage.key}".`);
    return source.read(at + offset, length);
  };
  return torchSource(root, read, { ...options, littleEndian });
}

/** Old ids also name modules, with their source code: the class stands for it. */
function persistentLoad(storages: Map<string, TorchStorage>): PersistentLoad {
  return (id, reader) => {
    if (isKind(id, "list") && id.items[0] === "module") return id.items[1] ?? null;
    const storage = storageOf(id, reader);
    const known = storages.get(storage.key);
    if (known && (known.count !== storage.count || known.type !== storage.type))
      throw reader.error(`its storage "${storage.key}" has two sizes or types`);
    storages.set(storage.key, storage);
    return storage;
  };
}

/** Each storage is its number of elements, 8 bytes, and the elements. Returns where the elements start, by key. */
function locate(
  source: ByteSource,
  reader: PickleReader,
  keys: PickleValue,
  { storages, littleEndian }: { readonly storages: ReadonlyMap<string, TorchStorage>; readonly littleEndian: boolean },
): ReadonlyMap<string, number> {
  if (!isKind(keys, "list") || keys.items.length > MAX_STORAGES)
    throw reader.error("the list of its storages is missing");
  const offsets = new Map<string, number>();
  let at = reader.position;
  for (const item of keys.items) {
    const storage = storages.get(String(item));
    if (!storage) throw reader.error(`it holds the storage "${String(item)}" that no tensor uses`);
    const count = Number(new DataView(source.read(at, 8).buffer).getBigInt64(0, littleEndian));
    if (count !== storage.count)
      throw reader.error(`storage "${storage.key}" has ${count} elements instead of ${storage.count}`);
    const bytes = count * storage.type.bytes;
    if (at + 8 + bytes > source.size)
      throw reader.error(
        `it is truncated: storage "${storage.key}" requires ${bytes} bytes, ${source.size - at - 8} are left`,
      );
    offsets.set(storage.key, at + 8);
    at += 8 + bytes;
  }
  return offsets;
}

function noStorage(source: ByteSource): ReadStorage {
  return (storage) => {
    throw new RootstockError("BAD_MODEL", `${source.name} is a plain pickle and lacks storage "${storage.key}".`);
  };
}
