/** Reads the little-endian numbers of HDF5 structures one after the other. */
import { RootstockError } from "../errors.ts";
import { type ByteSource, checkRange, isCount } from "./byte-source.ts";

/** A file that is being read: its bytes, the widths that its superblock declares, and a count of the work done. */
export interface Hdf5Context {
  readonly source: ByteSource;
  /** Bytes of an address. */
  readonly offsetBytes: number;
  /** Bytes of a length. */
  readonly lengthBytes: number;
  /** Where address 0 is in the source: after a user block. */
  readonly base: number;
  /** Structures that may still be read. */
  readonly budget: { left: number };
}

/** An address that means "none": all bits set. */
export const NONE = -1;

/** A position in bytes that were read. */
export interface Cursor {
  readonly bytes: Uint8Array;
  position: number;
}

/**
 * Bytes of a structure by its address.
 * @throws RootstockError BAD_MODEL if it leaves the file, or the file makes the reader do too much.
 */
export function structureAt(h: Hdf5Context, address: number, length: number): Cursor {
  if (--h.budget.left < 0) throw hdf5Error(h, "it has more structures than any weights file");
  if (address === NONE) throw hdf5Error(h, "it refers to a structure that is not there");
  return { bytes: h.source.read(h.base + address, length), position: 0 };
}

/** The bytes left in the file from an address on, at most `limit`. */
export function roomAt(h: Hdf5Context, address: number, limit: number): number {
  checkRange(h.source, h.base + address, 0);
  return Math.min(limit, h.source.size - h.base - address);
}

/** Checks a structure's signature, and skips it. */
export function expectSignature(h: Hdf5Context, c: Cursor, signature: string): void {
  const found = String.fromCharCode(...take(h, c, signature.length));
  if (found !== signature) throw hdf5Error(h, `the structure "${signature}" is required, got "${printable(found)}"`);
}

/** A view of the next bytes. */
export function take(h: Hdf5Context, c: Cursor, length: number): Uint8Array {
  if (c.position + length > c.bytes.length) throw hdf5Error(h, "a structure in it is cut off");
  c.position += length;
  return c.bytes.subarray(c.position - length, c.position);
}

/** An unsigned number of 1 to 8 bytes. @throws RootstockError BAD_MODEL if it is beyond 2^53 */
export function uint(h: Hdf5Context, c: Cursor, bytes: number): number {
  let value = 0;
  for (const byte of take(h, c, bytes).toReversed()) value = value * 256 + byte;
  if (isCount(value)) return value;
  throw hdf5Error(h, `a number in it is ${value}`);
}

/** An address, or NONE. */
export function address(h: Hdf5Context, c: Cursor): number {
  const bytes = take(h, c, h.offsetBytes);
  if (bytes.every((byte) => byte === 0xff)) return NONE;
  return uint(h, { bytes, position: 0 }, h.offsetBytes);
}

/** A length. */
export function length(h: Hdf5Context, c: Cursor): number {
  return uint(h, c, h.lengthBytes);
}

/** Text up to a zero byte or the end. */
export function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/** The error for a file that cannot be read. */
export function hdf5Error(h: Pick<Hdf5Context, "source">, problem: string): RootstockError {
  return new RootstockError("BAD_MODEL", `${h.source.name} is no readable HDF5 file: ${problem}.`);
}

function printable(value: string): string {
  return value.replace(/[^ -~]/g, "?");
}
