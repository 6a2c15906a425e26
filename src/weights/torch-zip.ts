/**
 * Files of `torch.save` since PyTorch 1.6: a zip archive with the pickle in `<any name>/data.pkl` and each storage in
 * `<any name>/data/<key>`, stored without compression so that it can be read in place.
 */
import { RootstockError } from "../errors.ts";
import type { ByteSource } from "./byte-source.ts";
import { pickleReader } from "./pickle-reader.ts";
import type { TensorSource } from "./tensor-source.ts";
import { unpickle } from "./torch-pickle.ts";
import { storageOf, torchSource } from "./torch-source.ts";
import type { ReadStorage } from "./torch-tensor.ts";
import { checkContents, openEntry, type ZipEntry } from "./zip.ts";

/**
 * Opens the archive whose entries are given.
 * @param key where in the checkpoint the state dict is; the usual places are searched without it.
 * @throws RootstockError BAD_MODEL if it is damaged, a TorchScript archive, or holds no state dict.
 */
export function openTorchZip(
  source: ByteSource,
  entries: ReadonlyMap<string, ZipEntry>,
  key?: string | undefined,
): TensorSource {
  const pickle = [...entries.values()].find(({ name }) => /^[^/]+\/data\.pkl$/.test(name));
  if (!pickle) throw new RootstockError("BAD_MODEL", `${source.name} is a zip archive without PyTorch's data.pkl.`);
  const folder = pickle.name.slice(0, -"data.pkl".length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw new RootstockError(
      "BAD_MODEL",
      `${source.name} is a TorchScript archive: it holds code beside the weights. Load it in Python with torch.jit.load and save its state_dict() with torch.save.`,
    );
  }
  const contents = openEntry(source, pickle);
  const bytes = contents.read(0, contents.size);
  checkContents(source, pickle, bytes);
  const root = unpickle(pickleReader(contents), storageOf);
  return torchSource(root, storageReader(source, entries, folder), {
    origin: source.name,
    key,
    littleEndian: isLittleEndian(source, entries.get(`${folder}byteorder`)),
    close: () => source.close(),
  });
}

/** Reads storages in place; the last compressed one stays unpacked, since its other tensors are likely next. */
function storageReader(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>, folder: string): ReadStorage {
  let last: { readonly entry: ZipEntry; readonly contents: ByteSource } | undefined;
  return (storage, offset, length) => {
    const entry = entries.get(`${folder}data/${storage.key}`);
    if (!entry) throw new RootstockError("BAD_MODEL", `${source.name} lacks the storage "${storage.key}" of a tensor.`);
    if (last?.entry !== entry) last = { entry, contents: openEntry(source, entry) };
    const bytes = last.contents.read(offset, length);
    if (length === entry.bytes) checkContents(source, entry, bytes);
    return bytes;
  };
}

function isLittleEndian(source: ByteSource, entry: ZipEntry | undefined): boolean {
  if (!entry) return true;
  const contents = openEntry(source, entry);
  return new TextDecoder().decode(contents.read(0, Math.min(contents.size, 16))).trim() !== "big";
}
