/** The elements of an HDF5 dataset: in one run, in its header, or in chunks that filters packed. */
import { inflateSync } from "node:zlib";
import { messageOf } from "../errors.ts";
import { checkRange } from "./byte-source.ts";
import { address, type Cursor, type Hdf5Context, hdf5Error, NONE, structureAt, take, uint } from "./hdf5-cursor.ts";
import { treeLeaves } from "./hdf5-links.ts";
import { checkExpansion } from "./zip.ts";

/** Where the elements are. */
export type Layout =
  | { readonly kind: "compact"; readonly bytes: Uint8Array }
  | { readonly kind: "contiguous"; readonly address: number }
  | { readonly kind: "chunked"; readonly tree: number; readonly chunk: readonly number[] }
  | { readonly kind: "other"; readonly name: string };

const CHUNK_INDEXES = ["", "single chunk", "implicit", "fixed array", "extensible array", "B-tree 2"];

/** Reads a layout message, versions 1 to 4. */
export function readLayout(h: Hdf5Context, c: Cursor): Layout {
  const version = uint(h, c, 1);
  if (version === 1 || version === 2) return oldLayout(h, c);
  if (version !== 3 && version !== 4) return { kind: "other", name: `layout version ${version}` };
  const kind = uint(h, c, 1);
  if (kind === 0) return { kind: "compact", bytes: take(h, c, uint(h, c, 2)) };
  if (kind === 1) return { kind: "contiguous", address: address(h, c) };
  if (kind !== 2)
    return { kind: "other", name: kind === 3 ? "a virtual dataset, made of other files" : `layout ${kind}` };
  if (version === 4) {
    take(h, c, 1);
    const rank = uint(h, c, 1);
    take(h, c, rank * uint(h, c, 1));
    return { kind: "other", name: `chunks indexed by ${CHUNK_INDEXES[uint(h, c, 1)] ?? "something unknown"}` };
  }
  const rank = uint(h, c, 1) - 1;
  const tree = address(h, c);
  return { kind: "chunked", tree, chunk: Array.from({ length: rank }, () => uint(h, c, 4)) };
}

function oldLayout(h: Hdf5Context, c: Cursor): Layout {
  const rank = uint(h, c, 1);
  const kind = uint(h, c, 1);
  take(h, c, 5);
  const at = kind === 0 ? NONE : address(h, c);
  const dims = Array.from({ length: rank }, () => uint(h, c, 4));
  if (kind === 0) return { kind: "compact", bytes: take(h, c, uint(h, c, 4)) };
  return kind === 1 ? { kind: "contiguous", address: at } : { kind: "chunked", tree: at, chunk: dims.slice(0, -1) };
}

/** A step that packs chunks, by its registered number. */
export interface Filter {
  readonly id: number;
  readonly parameters: readonly number[];
}

const FILTERS: Readonly<Record<number, string>> = {
  1: "deflate",
  2: "shuffle",
  3: "fletcher32",
  4: "szip",
  5: "nbit",
  6: "scaleoffset",
  32000: "lzf",
};

/** Reads a filter pipeline message. @throws RootstockError BAD_MODEL if a filter is not supported */
export function readFilters(h: Hdf5Context, c: Cursor): Filter[] {
  const version = uint(h, c, 1);
  const count = uint(h, c, 1);
  if (version === 1) take(h, c, 6);
  return Array.from({ length: count }, () => {
    const id = uint(h, c, 2);
    const nameBytes = version === 1 || id >= 256 ? uint(h, c, 2) : 0;
    take(h, c, 2);
    const values = uint(h, c, 2);
    take(h, c, version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes);
    const parameters = Array.from({ length: values }, () => uint(h, c, 4));
    if (version === 1 && values % 2 === 1) take(h, c, 4);
    if (!(id >= 1 && id <= 3))
      throw hdf5Error(h, `a dataset in it is packed by ${FILTERS[id] ?? `filter ${id}`}, which is not supported`);
    return { id, parameters };
  });
}

/** What is needed to read the elements of a dataset. */
export interface Stored {
  readonly layout: Layout;
  readonly filters: readonly Filter[];
  readonly shape: readonly number[];
  /** Bytes of an element. */
  readonly width: number;
  /** Bytes of all elements. */
  readonly bytes: number;
  /** The dataset, for messages. */
  readonly name: string;
}

/** The row-major elements of a dataset, as stored. @throws RootstockError BAD_MODEL if they are not all there */
export function readElements(h: Hdf5Context, stored: Stored): Uint8Array {
  const { layout, bytes, name } = stored;
  if (bytes === 0) return new Uint8Array();
  if (layout.kind === "other")
    throw hdf5Error(h, `"${name}" is ${layout.name}, which is not supported; save it with Keras' defaults`);
  if (layout.kind === "chunked") return readChunks(h, stored, layout);
  if (layout.kind === "compact") {
    if (layout.bytes.length < bytes)
      throw hdf5Error(h, `"${name}" requires ${bytes} bytes, its header has ${layout.bytes.length}`);
    return layout.bytes.slice(0, bytes);
  }
  if (layout.address === NONE) throw hdf5Error(h, `"${name}" was never written`);
  return h.source.read(h.base + layout.address, bytes);
}

/** Chunks cover the dataset like tiles; those at the edges reach beyond it. */
function readChunks(
  h: Hdf5Context,
  stored: Stored,
  { tree, chunk }: { readonly tree: number; readonly chunk: readonly number[] },
): Uint8Array {
  const { shape, width, bytes, name } = stored;
  const chunkBytes = chunk.reduce((product, dim) => product * dim, width);
  if (chunk.length !== shape.length || chunk.some((dim) => dim === 0))
    throw hdf5Error(h, `"${name}" has chunks of another rank`);
  const tiles = shape.reduce((count, dim, i) => count * Math.ceil(dim / chunk[i]!), 1);
  if (tree === NONE) throw hdf5Error(h, `"${name}" was never written`);
  const leaves = [...treeLeaves(h, tree, { kind: 1, keyBytes: 8 + 8 * (shape.length + 1) })];
  if (leaves.length !== tiles) throw hdf5Error(h, `"${name}" has ${leaves.length} of its ${tiles} chunks`);
  const packed = leaves.map(({ key, child }) => {
    const size = uint(h, key, 4);
    const mask = uint(h, key, 4);
    return { size, mask, child, start: shape.map(() => uint(h, key, 8)) };
  });
  const packedBytes = packed.reduce((sum, { size }) => sum + size, 0);
  checkRange(h.source, 0, Math.max(0, packedBytes)); // chunks do not overlap, so all fit into the file
  checkExpansion(packedBytes, Math.max(bytes, chunkBytes), `${h.source.name}: "${name}"`);
  const out = new Uint8Array(bytes);
  for (const { size, mask, child, start } of packed) {
    const tile = unpack(h, stored, { bytes: structureAt(h, child, size).bytes, mask, size: chunkBytes });
    if (start.some((at, i) => at >= shape[i]!)) throw hdf5Error(h, `"${name}" has a chunk outside of its shape`);
    placeTile(out, tile, { shape, chunk, start, width });
  }
  return out;
}

/** Undoes the filters, last one first. A bit of `mask` says that a filter was left out. */
function unpack(
  h: Hdf5Context,
  { filters, width, name }: Stored,
  chunk: { readonly bytes: Uint8Array; readonly mask: number; readonly size: number },
): Uint8Array {
  let { bytes } = chunk;
  for (let i = filters.length - 1; i >= 0; i--) {
    if (chunk.mask & (1 << i)) continue;
    const { id, parameters } = filters[i]!;
    if (id === 1) bytes = inflate(h, bytes, chunk.size, name);
    else if (id === 2) bytes = unshuffle(bytes, parameters[0] ?? width);
    else bytes = bytes.subarray(0, Math.max(0, bytes.length - 4)); // fletcher32 appends a checksum
  }
  if (bytes.length !== chunk.size)
    throw hdf5Error(h, `a chunk of "${name}" has ${bytes.length} bytes instead of ${chunk.size}`);
  return bytes;
}

function inflate(h: Hdf5Context, bytes: Uint8Array, size: number, name: string): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: size + 4 });
  } catch (cause) {
    throw hdf5Error(h, `a chunk of "${name}" cannot be unpacked (${messageOf(cause)})`);
  }
}

/** Shuffling keeps first bytes of all elements together, then all second bytes, and so on. */
function unshuffle(bytes: Uint8Array, width: number): Uint8Array {
  const count = width > 0 ? Math.floor(bytes.length / width) : 0;
  const out = new Uint8Array(bytes); // a copy: bytes that do not fill an element stay in place
  for (let i = 0; i < count; i++) for (let b = 0; b < width; b++) out[i * width + b] = bytes[b * count + i]!;
  return out;
}

interface Tile {
  readonly shape: readonly number[];
  readonly chunk: readonly number[];
  readonly start: readonly number[];
  readonly width: number;
}

/** Copies the part of a chunk that is within the dataset, row by row. */
function placeTile(out: Uint8Array, tile: Uint8Array, { shape, chunk, start, width }: Tile): void {
  const copy = (dim: number, from: number, to: number): void => {
    const count = Math.min(chunk[dim] ?? 1, (shape[dim] ?? 1) - (start[dim] ?? 0));
    if (dim >= shape.length - 1) {
      out.set(tile.subarray(from * width, (from + count) * width), (to + (start[dim] ?? 0)) * width);
      return;
    }
    const inner = (sizes: readonly number[]): number =>
      sizes.slice(dim + 1).reduce((product, size) => product * size, 1);
    for (let i = 0; i < count; i++) {
      // `to` counts elements of the dataset up to this row; the next dimension multiplies in.
      copy(dim + 1, from + i * inner(chunk), to + (start[dim]! + i) * inner(shape));
    }
  };
  copy(0, 0, 0);
}
