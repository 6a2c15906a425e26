/** What is in an HDF5 group: names and the addresses of their objects, in any of the three ways to keep them. */
import {
  address,
  type Cursor,
  expectSignature,
  type Hdf5Context,
  hdf5Error,
  length,
  NONE,
  structureAt,
  take,
  text,
  uint,
} from "./hdf5-cursor.ts";
import { readHeapObjects } from "./hdf5-fractal-heap.ts";
import { MESSAGE, type Message } from "./hdf5-header.ts";

const MAX_HEAP_BYTES = 2 ** 26;
const MAX_DEPTH = 32;

/** A hard link: where its object is, and when it was made, if the group keeps track of that. */
interface Link {
  readonly at: number;
  readonly order?: number | undefined;
}

/**
 * The hard links of a group by name, in the order of their making if that is known, else by name. Soft links and links
 * to other files are left out: they are never followed.
 */
export function readLinks(h: Hdf5Context, messages: readonly Message[]): ReadonlyMap<string, number> {
  const links = new Map<string, Link>();
  for (const { type, bytes } of messages) {
    const c: Cursor = { bytes, position: 0 };
    if (type === MESSAGE.symbolTable) symbolTable(h, c, links);
    else if (type === MESSAGE.link) link(h, c, links);
    else if (type === MESSAGE.linkInfo) linkInfo(h, c, links);
  }
  const byName = [...links].sort(([a], [b]) => (a < b ? -1 : 1));
  const isTracked = byName.every(([, { order }]) => order !== undefined);
  const ordered = isTracked ? byName.sort(([, a], [, b]) => a.order! - b.order!) : byName;
  return new Map(ordered.map(([name, { at }]) => [name, at]));
}

/** Whether messages are those of a group. */
export function isGroup(messages: readonly Message[]): boolean {
  return messages.some(
    ({ type }) => type === MESSAGE.symbolTable || type === MESSAGE.linkInfo || type === MESSAGE.link,
  );
}

/** Old groups: a B-tree of symbol nodes, whose names are in a local heap (III.A.1, III.D). */
function symbolTable(h: Hdf5Context, c: Cursor, links: Map<string, Link>): void {
  const tree = address(h, c);
  const heap = localHeap(h, address(h, c));
  const name = (at: number): string => {
    if (at >= heap.length) throw hdf5Error(h, "a name in it is outside of its heap");
    return text(heap.subarray(at));
  };
  for (const node of treeLeaves(h, tree, { kind: 0, keyBytes: h.lengthBytes })) symbols(h, node.child, name, links);
}

function symbols(h: Hdf5Context, at: number, name: (at: number) => string, links: Map<string, Link>): void {
  const c = structureAt(h, at, 8);
  expectSignature(h, c, "SNOD");
  take(h, c, 2);
  const count = uint(h, c, 2);
  const entryBytes = 2 * h.offsetBytes + 24;
  const entries = structureAt(h, at + 8, count * entryBytes);
  for (let i = 0; i < count; i++) {
    const nameAt = uint(h, entries, h.offsetBytes);
    const object = address(h, entries);
    const cache = uint(h, entries, 4);
    take(h, entries, 20);
    if (cache !== 2) links.set(name(nameAt), { at: object }); // 2 is a soft link
  }
}

function localHeap(h: Hdf5Context, at: number): Uint8Array {
  const c = structureAt(h, at, 8 + 2 * h.lengthBytes + h.offsetBytes);
  expectSignature(h, c, "HEAP");
  take(h, c, 4);
  const bytes = length(h, c);
  length(h, c);
  if (bytes > MAX_HEAP_BYTES) throw hdf5Error(h, `a heap of names in it claims ${bytes} bytes`);
  return structureAt(h, address(h, c), bytes).bytes;
}

/** A leaf of a version 1 B-tree: the key before it, and its address. */
export interface TreeLeaf {
  readonly key: Cursor;
  readonly child: number;
}

/**
 * The leaves of a version 1 B-tree, in order.
 * @param node which kind of tree, and how many bytes its keys have.
 */
export function* treeLeaves(
  h: Hdf5Context,
  at: number,
  node: { readonly kind: 0 | 1; readonly keyBytes: number },
  above = MAX_DEPTH,
): Generator<TreeLeaf> {
  const c = structureAt(h, at, 8 + 2 * h.offsetBytes);
  expectSignature(h, c, "TREE");
  const kind = uint(h, c, 1);
  const level = uint(h, c, 1);
  const count = uint(h, c, 2);
  if (kind !== node.kind || level >= above) throw hdf5Error(h, "a B-tree in it has nodes of the wrong kind or level");
  const entries = structureAt(h, at + c.bytes.length, count * (node.keyBytes + h.offsetBytes));
  for (let i = 0; i < count; i++) {
    const key: Cursor = { bytes: take(h, entries, node.keyBytes), position: 0 };
    const child = address(h, entries);
    if (--h.budget.left < 0) throw hdf5Error(h, "a B-tree in it has too many leaves");
    if (level === 0) yield { key, child };
    else yield* treeLeaves(h, child, node, level);
  }
}

/** A link message (IV.A.2.g). */
function link(h: Hdf5Context, c: Cursor, links: Map<string, Link>): void {
  const version = uint(h, c, 1);
  if (version !== 1) throw hdf5Error(h, `a link in it has version ${version}; 1 is known`);
  const flags = uint(h, c, 1);
  const kind = flags & 0x08 ? uint(h, c, 1) : 0;
  const order = flags & 0x04 ? uint(h, c, 8) : undefined;
  if (flags & 0x10) take(h, c, 1); // character set
  const name = text(take(h, c, uint(h, c, 1 << (flags & 3))));
  if (kind === 0) links.set(name, { at: address(h, c), order });
}

/** Groups with many links keep them as messages in a fractal heap. */
function linkInfo(h: Hdf5Context, c: Cursor, links: Map<string, Link>): void {
  take(h, c, 1);
  if (uint(h, c, 1) & 1) take(h, c, 8);
  const heap = address(h, c);
  const index = address(h, c);
  if (heap === NONE || index === NONE) return;
  for (const bytes of readHeapObjects(h, heap, index)) link(h, { bytes, position: 0 }, links);
}
