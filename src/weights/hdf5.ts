/**
 * Reads HDF5 files (HDF5 File Format Specification 3.0) as far as weights need it: groups, attributes of text, and
 * datasets of numbers. Links and data in other files are never followed, since a downloaded file could name any file
 * of this machine. Every read is checked against the file's size first.
 */
import { RootstockError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ByteSource } from "./byte-source.ts";
import { countElements, tensorOfBytes } from "./elements.ts";
import { address, type Cursor, type Hdf5Context, hdf5Error, NONE, take, uint } from "./hdf5-cursor.ts";
import { readElements, readFilters, readLayout, type Stored } from "./hdf5-data.ts";
import { readHeapObjects } from "./hdf5-fractal-heap.ts";
import { MESSAGE, type Message, readMessages } from "./hdf5-header.ts";
import { isGroup, readLinks } from "./hdf5-links.ts";
import { type AttributeValue, readAttribute, readDatatype, readShape } from "./hdf5-types.ts";

/** A group: named groups and datasets, which are read when they are asked for. */
export interface Hdf5Group {
  readonly kind: "group";
  /** Where the group is in the file: the same for every path that leads to it. */
  readonly address: number;
  /** In the order of the file's index: by name. */
  readonly names: readonly string[];
  /** The member of that name, or undefined. A path such as "a/b" reaches into groups. */
  get(path: string): Hdf5Group | Hdf5Dataset | undefined;
  /** The value of an attribute as a list; undefined if there is none, or it is neither text nor whole numbers. */
  attribute(name: string): AttributeValue;
}

/** A dataset of numbers, or of something that is not read. */
export interface Hdf5Dataset {
  readonly kind: "dataset";
  readonly shape: readonly number[];
  /** Undefined if the elements are no numbers. */
  readonly dtype: DType | undefined;
  readonly bytes: number;
  /** @throws RootstockError BAD_MODEL if the elements are no numbers, are damaged, or in another file */
  read(): Tensor;
}

const SIGNATURE = "\x89HDF\r\n\x1a\n";
/** A user block before the file proper has a size of 512 times a power of two. */
const USER_BLOCKS = [0, 512, 1024, 2048, 4096, 8192];
/** Structures that are read to find objects, and to read one dataset. */
const MAX_STRUCTURES = 2 ** 18;
const MAX_DEPTH = 64;

/** Whether the source is an HDF5 file. */
export function isHdf5(source: ByteSource): boolean {
  return findSignature(source) !== undefined;
}

/** Opens an HDF5 file and returns its root group. @throws RootstockError BAD_MODEL */
export function openHdf5(source: ByteSource): Hdf5Group {
  const start = findSignature(source);
  if (start === undefined) throw hdf5Error({ source }, "the signature of the format is missing");
  const { context, root } = readSuperblock(source, start);
  const object = openObject(context, root, "/");
  if (object.kind === "group") return object;
  throw hdf5Error(context, "its root is no group");
}

function findSignature(source: ByteSource): number | undefined {
  const isAt = (at: number): boolean =>
    at + 8 <= source.size && String.fromCharCode(...source.read(at, 8)) === SIGNATURE;
  return USER_BLOCKS.find(isAt);
}

function readSuperblock(source: ByteSource, start: number): { context: Hdf5Context; root: number } {
  const bytes = source.read(start, Math.min(source.size - start, 128));
  const c: Cursor = { bytes, position: SIGNATURE.length };
  const early: Hdf5Context = { source, offsetBytes: 8, lengthBytes: 8, base: start, budget: { left: MAX_STRUCTURES } };
  const version = uint(early, c, 1);
  if (version > 3) throw hdf5Error(early, `its superblock has version ${version}; 0 to 3 are known`);
  if (version < 2) take(early, c, 4);
  const context: Hdf5Context = { ...early, offsetBytes: uint(early, c, 1), lengthBytes: uint(early, c, 1) };
  if (![2, 4, 8].includes(context.offsetBytes) || ![2, 4, 8].includes(context.lengthBytes))
    throw hdf5Error(early, "its addresses have an impossible width");
  take(context, c, version < 2 ? 9 : 1); // flags and sizes of tree nodes
  if (version === 1) take(context, c, 4);
  address(context, c); // the base address, which is where the signature was found
  address(context, c);
  const end = address(context, c);
  if (end !== NONE && end > source.size)
    // this address alone counts from the start of the file
    throw hdf5Error(context, `it is truncated: it requires ${end} bytes and has ${source.size}`);
  if (version < 2) take(context, c, 2 * context.offsetBytes);
  return { context, root: address(context, c) };
}

function openObject(h: Hdf5Context, at: number, name: string): Hdf5Group | Hdf5Dataset {
  const messages = readMessages(h, at);
  return isGroup(messages) ? openGroup(h, messages, { at, name }) : openDataset(h, messages, name);
}

function openGroup(
  h: Hdf5Context,
  messages: readonly Message[],
  { at: own, name }: { readonly at: number; readonly name: string },
): Hdf5Group {
  const links = readLinks(h, messages);
  let attributes: ReadonlyMap<string, () => AttributeValue> | undefined;
  const get = (path: string): Hdf5Group | Hdf5Dataset | undefined => {
    const [first = "", ...rest] = path.split("/").filter((part) => part !== "");
    const at = links.get(first);
    if (at === undefined || at === NONE) return undefined;
    if (rest.length > MAX_DEPTH) throw hdf5Error(h, `the path "${path.slice(0, 80)}" is too deep`);
    const object = openObject(h, at, `${name}${name.endsWith("/") ? "" : "/"}${first}`);
    if (rest.length === 0) return object;
    return object.kind === "group" ? object.get(rest.join("/")) : undefined;
  };
  return {
    kind: "group",
    address: own,
    names: [...links.keys()],
    get,
    attribute(key) {
      attributes ??= readAttributes(h, messages);
      return attributes.get(key)?.();
    },
  };
}

function readAttributes(h: Hdf5Context, messages: readonly Message[]): ReadonlyMap<string, () => AttributeValue> {
  const own = messages
    .filter(({ type, isShared }) => type === MESSAGE.attribute && !isShared)
    .map(({ bytes }) => bytes);
  const dense = messages
    .filter(({ type }) => type === MESSAGE.attributeInfo)
    .flatMap(({ bytes }) => denseAttributes(h, bytes));
  return new Map([...own, ...dense].map((bytes) => readAttribute(h, bytes)).map(({ name, value }) => [name, value]));
}

/** Objects with many attributes keep them in a fractal heap. */
function denseAttributes(h: Hdf5Context, bytes: Uint8Array): Uint8Array[] {
  const c: Cursor = { bytes, position: 0 };
  take(h, c, 1);
  if (uint(h, c, 1) & 1) take(h, c, 2);
  const heap = address(h, c);
  const index = address(h, c);
  return heap === NONE || index === NONE ? [] : readHeapObjects(h, heap, index);
}

function openDataset(h: Hdf5Context, messages: readonly Message[], name: string): Hdf5Dataset {
  const cursor = (type: number): Cursor => {
    const message = messages.find((candidate) => candidate.type === type);
    if (!message) throw hdf5Error(h, `"${name}" is neither a group nor a dataset`);
    if (message.isShared) throw hdf5Error(h, `"${name}" has a shared type or shape, which is not supported`);
    return { bytes: message.bytes, position: 0 };
  };
  const shape = readShape(h, cursor(MESSAGE.dataspace)) ?? [0];
  const type = readDatatype(h, cursor(MESSAGE.datatype));
  const count = countElements(shape, `${h.source.name}: "${name}"`);
  const dtype = type.kind === "number" ? type.dtype : undefined;
  const bytes = countElements([count, type.bytes], `${h.source.name}: "${name}"`);
  const read = (): Tensor => {
    if (type.kind !== "number") {
      const what = type.kind === "other" ? type.name : type.kind;
      throw hdf5Error(h, `"${name}" has elements of type ${what}, not numbers`);
    }
    if (messages.some((message) => message.type === MESSAGE.externalFiles))
      throw hdf5Error(h, `the elements of "${name}" are in another file, which is not followed`);
    const filters = messages.some((m) => m.type === MESSAGE.filters) ? readFilters(h, cursor(MESSAGE.filters)) : [];
    const layout = readLayout(h, cursor(MESSAGE.layout));
    const own: Hdf5Context = { ...h, budget: { left: MAX_STRUCTURES } }; // reading may be repeated
    const stored: Stored = { layout, filters, shape, width: type.bytes, bytes, name };
    return tensorOfBytes(type.dtype, shape, readElements(own, stored), type.littleEndian);
  };
  return { kind: "dataset", shape, dtype, bytes, read };
}

/**
 * Calls `visit` for every dataset below a group, with its path. Groups that can be reached twice are visited once.
 * @throws RootstockError BAD_MODEL if groups are nested too deep.
 */
export function eachDataset(root: Hdf5Group, visit: (path: string, dataset: Hdf5Dataset) => void): void {
  const seen = new Set([root.address]);
  const walk = (group: Hdf5Group, prefix: string, depth: number): void => {
    if (depth > MAX_DEPTH)
      throw new RootstockError(
        "BAD_MODEL",
        `an HDF5 file with more than ${MAX_DEPTH} groups in one another is no file of weights.`,
      );
    for (const name of group.names) {
      const object = group.get(name);
      const path = `${prefix}${name}`;
      if (object?.kind === "dataset") visit(path, object);
      else if (object && !seen.has(object.address)) {
        seen.add(object.address);
        walk(object, `${path}/`, depth + 1);
      }
    }
  };
  walk(root, "", 0);
}
