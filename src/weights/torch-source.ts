/** The part that both containers of `torch.save` share: a pickled value and a way to read storages → a tensor source. */
import { messageOf, RootstockError } from "../errors.ts";
import { checkRange, memorySource } from "./byte-source.ts";
import type { PickleReader } from "./pickle-reader.ts";
import { type TensorEntry, type TensorSource, tensorSource } from "./tensor-source.ts";
import { findStateDict } from "./torch-state-dict.ts";
import { type ReadStorage, torchEntry } from "./torch-tensor.ts";
import { isKind, type PickleValue, STORAGE_TYPES, type TorchStorage } from "./torch-values.ts";

export interface TorchSourceOptions {
  /** The file, for messages. */
  readonly origin: string;
  /** Where in the checkpoint the state dict is, such as "ema"; the usual places are searched without it. */
  readonly key?: string | undefined;
  readonly littleEndian: boolean;
  readonly close: () => void;
}

/** Makes a source of the state dict in `root`. @throws RootstockError BAD_MODEL, with every tensor that is damaged */
export function torchSource(root: PickleValue, readStorage: ReadStorage, options: TorchSourceOptions): TensorSource {
  const { origin, key, littleEndian, close } = options;
  const { tensors, unreadable, notes } = findStateDict(root, origin, key);
  const entries = new Map<string, TensorEntry>();
  const problems = [...unreadable].map(
    ([name, made]) =>
      `"${name}" is made by ${made}, which cannot be read${/_rebuild_q/.test(made) ? ": it is quantized. Dequantize it" : ". Make it a plain tensor"} and save it again.`,
  );
  for (const [name, view] of tensors) {
    const order = view.storage.inline ? !view.bigEndian : littleEndian;
    try {
      entries.set(name, torchEntry(view, withInline(readStorage), { where: `"${name}"`, littleEndian: order }));
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  if (problems.length > 0) {
    const rest = problems.length > 3 ? ` The same of ${problems.length - 3} more.` : "";
    throw new RootstockError("BAD_MODEL", `${origin}: ${problems.slice(0, 3).join(" ")}${rest}`);
  }
  return tensorSource({ format: "torch", origin, entries, notes, close });
}

/** NumPy arrays bring their bytes along. */
function withInline(readStorage: ReadStorage): ReadStorage {
  return (storage, offset, length) =>
    storage.inline
      ? memorySource(storage.key, storage.inline).read(offset, length)
      : readStorage(storage, offset, length);
}

/**
 * The storage of a persistent id: ("storage", class, key, device, elements, and in old files the view of it).
 * @throws RootstockError BAD_MODEL if it is something else, or of an unknown class.
 */
export function storageOf(id: PickleValue, reader: PickleReader): TorchStorage {
  const [word, type, key, , count, view] = isKind(id, "list") ? id.items : [];
  if (word !== "storage" || !isKind(type, "global") || typeof count !== "number")
    throw reader.error("it refers to something outside that is no storage");
  const element = STORAGE_TYPES.get(type.name.split(".").at(-1)!);
  if (!element) throw reader.error(`it has a storage of the unknown class ${type.name}`);
  const start = isKind(view, "list") ? view.items[1] : 0;
  const size = count * element.bytes;
  checkRange({ name: "a storage", size: Number.MAX_SAFE_INTEGER }, typeof start === "number" ? start : -1, size);
  return { kind: "storage", type: element, key: String(key), count, start: Number(start) };
}
