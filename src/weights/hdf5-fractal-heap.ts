/**
 * HDF5 fractal heaps and the version 2 B-trees that index them: where groups keep many links, and objects many
 * attributes (HDF5 File Format Specification 3.0, III.A.2 and III.G).
 */
import {
  address,
  type Cursor,
  expectSignature,
  type Hdf5Context,
  hdf5Error,
  length,
  structureAt,
  take,
  uint,
} from "./hdf5-cursor.ts";

const MAX_RECORDS = 2 ** 18;
const MAX_NODE_BYTES = 2 ** 20;

/** The objects of the heap at `heap` that the B-tree at `index` lists, in the tree's order. */
export function readHeapObjects(h: Hdf5Context, heap: number, index: number): Uint8Array[] {
  const open = readHeap(h, heap);
  return treeRecords(h, index).map(({ kind, bytes }) => {
    // Links by name have their hash before the heap's id, attributes by name have the id first.
    if (kind !== 5 && kind !== 8) throw hdf5Error(h, `an index in it is of kind ${kind}; 5 and 8 are known`);
    return readObject(h, open, { bytes: bytes.subarray(kind === 5 ? 4 : 0), position: 0 });
  });
}

interface Heap {
  readonly idOffsetBytes: number;
  readonly idLengthBytes: number;
  readonly width: number;
  readonly startBytes: number;
  readonly maxDirectBytes: number;
  readonly root: number;
  /** Rows of the root block; 0 if the root is a direct block. */
  readonly rows: number;
}

function readHeap(h: Hdf5Context, at: number): Heap {
  const { lengthBytes: l, offsetBytes: o } = h;
  const c = structureAt(h, at, 22 + 12 * l + 3 * o);
  expectSignature(h, c, "FRHP");
  take(h, c, 3); // version, length of ids
  const filterBytes = uint(h, c, 2);
  if (filterBytes > 0) throw hdf5Error(h, "a heap in it is compressed, which is not supported");
  take(h, c, 1);
  const maxObject = uint(h, c, 4);
  take(h, c, l + o + l + o + 8 * l); // huge objects, free space, statistics
  const width = uint(h, c, 2);
  const startBytes = length(h, c);
  const maxDirectBytes = length(h, c);
  const idOffsetBytes = Math.ceil(uint(h, c, 2) / 8);
  take(h, c, 2);
  const root = address(h, c);
  const rows = uint(h, c, 2);
  if (
    !(width > 0 && width <= 4096 && startBytes > 0 && maxDirectBytes >= startBytes && rows <= 64 && idOffsetBytes <= 8)
  )
    throw hdf5Error(h, "a heap in it has impossible sizes");
  const idLengthBytes = bytesFor(Math.min(maxDirectBytes, maxObject));
  return { idOffsetBytes, idLengthBytes, width, startBytes, maxDirectBytes, root, rows };
}

/** A managed object: its offset in the heap's own address space and its length. */
function readObject(h: Hdf5Context, heap: Heap, id: Cursor): Uint8Array {
  const kind = (uint(h, id, 1) >> 4) & 3;
  if (kind === 2) throw hdf5Error(h, "a heap in it keeps tiny objects, which are not supported");
  if (kind !== 0) throw hdf5Error(h, "a heap in it keeps huge objects, which are not supported");
  const offset = uint(h, id, heap.idOffsetBytes);
  const bytes = uint(h, id, heap.idLengthBytes);
  const { block, start, size } = findBlock(h, heap, offset);
  if (offset - start + bytes > size) throw hdf5Error(h, "an object in one of its heaps leaves its block");
  return structureAt(h, block + offset - start, bytes).bytes;
}

interface DirectBlock {
  readonly block: number;
  /** Offset of the block in the heap's address space. */
  readonly start: number;
  readonly size: number;
}

/** Blocks double in size with every row but the first two; the rows of small ones are direct blocks. */
function findBlock(h: Hdf5Context, heap: Heap, offset: number): DirectBlock {
  if (heap.rows === 0) return { block: heap.root, start: 0, size: heap.startBytes };
  let at = heap.root;
  let start = 0;
  let rows = heap.rows;
  for (let depth = 0; depth < 16; depth++) {
    let row = 0;
    let rowStart = start;
    const sizeOf = (r: number): number => heap.startBytes * 2 ** Math.max(0, r - 1);
    while (row < rows && offset >= rowStart + sizeOf(row) * heap.width) rowStart += sizeOf(row++) * heap.width;
    if (row >= rows) break;
    const size = sizeOf(row);
    const column = Math.floor((offset - rowStart) / size);
    const header = 5 + h.offsetBytes + heap.idOffsetBytes;
    const signature = structureAt(h, at, 4);
    expectSignature(h, signature, "FHIB");
    const entry = structureAt(h, at + header + (row * heap.width + column) * h.offsetBytes, h.offsetBytes);
    at = address(h, entry);
    start = rowStart + column * size;
    if (size <= heap.maxDirectBytes) return { block: at, start, size };
    rows = Math.log2(size / (heap.startBytes * heap.width)) + 1;
  }
  throw hdf5Error(h, "an object in one of its heaps is in no block");
}

interface TreeRecord {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/** All records of a version 2 B-tree. */
function treeRecords(h: Hdf5Context, at: number): TreeRecord[] {
  const c = structureAt(h, at, 16 + h.offsetBytes + 2 + h.lengthBytes);
  expectSignature(h, c, "BTHD");
  take(h, c, 1);
  const kind = uint(h, c, 1);
  const nodeBytes = uint(h, c, 4);
  const recordBytes = uint(h, c, 2);
  const depth = uint(h, c, 2);
  take(h, c, 2);
  const root = address(h, c);
  const count = uint(h, c, 2);
  const total = length(h, c);
  const shape = { recordBytes, nodeBytes, counts: maxCounts(h, nodeBytes, recordBytes, depth) };
  if (total > MAX_RECORDS || nodeBytes > MAX_NODE_BYTES || recordBytes < 8)
    throw hdf5Error(h, "an index in it is too large");
  const records: Uint8Array[] = [];
  if (total > 0) visit(h, shape, { at: root, count, depth }, records);
  return records.map((bytes) => ({ kind, bytes }));
}

interface TreeShape {
  readonly recordBytes: number;
  readonly nodeBytes: number;
  /** The most records in a node, and in it and all below, by depth. */
  readonly counts: readonly { readonly own: number; readonly total: number }[];
}

/** Widths of the counts in an inner node follow from how many records fit below it. */
function maxCounts(h: Hdf5Context, nodeBytes: number, recordBytes: number, depth: number): TreeShape["counts"] {
  if (depth > 8) throw hdf5Error(h, `an index in it has depth ${depth}`);
  const leaf = Math.floor((nodeBytes - 10) / Math.max(1, recordBytes));
  const counts = [{ own: leaf, total: leaf }];
  for (let d = 1; d <= depth; d++) {
    const below = counts[d - 1]!;
    const pointer = h.offsetBytes + bytesFor(below.own) + (d > 1 ? bytesFor(below.total) : 0);
    const own = Math.floor((nodeBytes - 10 - pointer) / (recordBytes + pointer));
    counts.push({ own, total: own + (own + 1) * below.total });
  }
  return counts;
}

function visit(
  h: Hdf5Context,
  shape: TreeShape,
  { at, count, depth }: { readonly at: number; readonly count: number; readonly depth: number },
  records: Uint8Array[],
): void {
  const c = structureAt(h, at, shape.nodeBytes);
  expectSignature(h, c, depth === 0 ? "BTLF" : "BTIN");
  take(h, c, 2);
  for (let i = 0; i < count; i++) records.push(take(h, c, shape.recordBytes));
  if (records.length > MAX_RECORDS) throw hdf5Error(h, "an index in it is too large");
  if (depth === 0) return;
  const below = shape.counts[depth - 1]!;
  for (let i = 0; i <= count; i++) {
    const child = address(h, c);
    const childCount = uint(h, c, bytesFor(below.own));
    if (depth > 1) take(h, c, bytesFor(below.total));
    visit(h, shape, { at: child, count: childCount, depth: depth - 1 }, records);
  }
}

/** Bytes that a number up to `limit` takes. */
function bytesFor(limit: number): number {
  return Math.max(1, Math.ceil(Math.log2(limit + 1) / 8));
}
