/**
 * Reads zip archives by offset: the directory at the end, then single entries (APPNOTE.TXT 6.3.10, zip64 included).
 * Nothing is unpacked that was not asked for, and nothing becomes larger than its directory entry says.
 */
import { crc32, inflateRawSync } from "node:zlib";
import { messageOf, RootstockError } from "../errors.ts";
import { type ByteSource, checkRange, isCount, memorySource, partOf } from "./byte-source.ts";

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Size in bytes as stored in the archive. */
  readonly storedBytes: number;
  /** Size in bytes when unpacked. */
  readonly bytes: number;
  /** CRC-32 of the unpacked bytes; 0 if it was not recorded. */
  readonly checksum: number;
  readonly method: number;
  readonly encrypted: boolean;
  /** Where the entry's own header is in the archive. */
  readonly offset: number;
}

const STORED = 0;
const DEFLATED = 8;
const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const MAX_ENTRIES = 200_000;
const MAX_DIRECTORY_BYTES = 2 ** 26;

/**
 * The files of an archive by name, in the order of its directory.
 * @throws RootstockError BAD_MODEL if the directory is missing, damaged or too large.
 */
export function readZip(source: ByteSource): ReadonlyMap<string, ZipEntry> {
  const { count, bytes, offset } = findDirectory(source);
  if (count > MAX_ENTRIES || bytes > MAX_DIRECTORY_BYTES || bytes < count * 46) {
    throw damaged(source, `its directory claims ${count} files in ${bytes} bytes`);
  }
  checkRange(source, offset, bytes);
  const directory = source.read(offset, bytes);
  const entries = new Map<string, ZipEntry>();
  for (let i = 0, at = 0; i < count; i++) {
    if (at + 46 > bytes || viewOf(directory).getUint32(at, true) !== 0x02014b50)
      throw damaged(source, `entry ${i + 1} of ${count} in its directory is cut off`);
    const view = viewOf(directory.subarray(at));
    const nameEnd = 46 + view.getUint16(28, true);
    const extraEnd = nameEnd + view.getUint16(30, true);
    const next = at + extraEnd + view.getUint16(32, true);
    if (next > bytes) throw damaged(source, `entry ${i + 1} of ${count} in its directory is cut off`);
    const name = new TextDecoder().decode(directory.subarray(at + 46, at + nameEnd));
    if (entries.has(name)) throw damaged(source, `"${name}" is in it twice`);
    const extra = viewOf(directory.subarray(at + nameEnd, at + extraEnd));
    if (!name.endsWith("/")) entries.set(name, entryOf(source, name, view, extra));
    at = next;
  }
  return entries;
}

/**
 * The contents of an entry: a part of the archive if it is stored, unpacked in memory if it is compressed.
 * @throws RootstockError BAD_MODEL if it is encrypted, damaged, packed in an unknown way, or suspiciously well packed.
 */
export function openEntry(source: ByteSource, entry: ZipEntry): ByteSource {
  if (entry.encrypted) throw damaged(source, `"${entry.name}" is encrypted; decrypt it first`);
  const header = viewOf(source.read(entry.offset, 30));
  if (header.getUint32(0, true) !== 0x04034b50)
    throw damaged(source, `"${entry.name}" is not where the directory says`);
  const start = entry.offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  const packed = partOf(source, start, entry.storedBytes);
  if (entry.method === STORED) {
    if (entry.bytes === entry.storedBytes) return packed;
    throw damaged(source, `"${entry.name}" is stored but has two sizes, ${entry.storedBytes} and ${entry.bytes}`);
  }
  if (entry.method !== DEFLATED) throw damaged(source, `"${entry.name}" is packed by method ${entry.method}`);
  checkExpansion(entry.storedBytes, entry.bytes, `${source.name}: "${entry.name}"`);
  const bytes = inflate(source, entry, packed.read(0, packed.size));
  checkContents(source, entry, bytes);
  return memorySource(source.name, bytes);
}

/** Compares unpacked bytes with the recorded CRC-32; 0 means that none was recorded. @throws RootstockError BAD_MODEL */
export function checkContents(source: ByteSource, entry: ZipEntry, bytes: Uint8Array): void {
  if (entry.checksum !== 0 && crc32(bytes) !== entry.checksum)
    throw damaged(source, `the checksum of "${entry.name}" does not fit its bytes`);
}

/** Beyond this size, unpacked data may be at most `MAX_EXPANSION` times as large as packed data. */
const FREE_EXPANSION_BYTES = 2 ** 24;
const MAX_EXPANSION = 200;

/** Refuses packed data that is mostly air: a few kilobytes that claim gigabytes. @throws RootstockError BAD_MODEL */
export function checkExpansion(packedBytes: number, bytes: number, where: string): void {
  if (bytes <= Math.max(FREE_EXPANSION_BYTES, packedBytes * MAX_EXPANSION)) return;
  throw new RootstockError("BAD_MODEL", `${where} would grow from ${packedBytes} to ${bytes} bytes. Refused.`);
}

function inflate(source: ByteSource, entry: ZipEntry, packed: Uint8Array): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.bytes) });
  } catch (cause) {
    throw damaged(source, `"${entry.name}" cannot be unpacked (${messageOf(cause)})`);
  }
  if (bytes.length === entry.bytes) return bytes;
  throw damaged(source, `"${entry.name}" unpacks to ${bytes.length} bytes instead of ${entry.bytes}`);
}

interface Directory {
  readonly count: number;
  readonly bytes: number;
  readonly offset: number;
}

/** The end record is the last thing in the file but for a comment; zip64 keeps large numbers in a record before it. */
function findDirectory(source: ByteSource): Directory {
  const tailBytes = Math.min(source.size, END_BYTES + LONGEST_COMMENT);
  const tailStart = source.size - tailBytes;
  const view = viewOf(source.read(tailStart, tailBytes));
  let at = tailBytes - END_BYTES;
  while (
    at >= 0 &&
    !(view.getUint32(at, true) === 0x06054b50 && at + END_BYTES + view.getUint16(at + 20, true) <= tailBytes)
  )
    at--;
  if (at < 0) throw damaged(source, "the directory at its end is missing; it is truncated");
  const short = {
    count: view.getUint16(at + 10, true),
    bytes: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  if (short.count < 0xffff && short.bytes < 0xffffffff && short.offset < 0xffffffff) return short;
  if (at < 20 || view.getUint32(at - 20, true) !== 0x07064b50) return short;
  const record = viewOf(source.read(uint64(source, view, at - 12), 56));
  if (record.getUint32(0, true) !== 0x06064b50) throw damaged(source, "its zip64 record is missing");
  return { count: uint64(source, record, 32), bytes: uint64(source, record, 40), offset: uint64(source, record, 48) };
}

function entryOf(source: ByteSource, name: string, view: DataView, extra: DataView): ZipEntry {
  const large = zip64Numbers(source, extra);
  const number = (at: number): number => {
    const value = view.getUint32(at, true);
    return value === 0xffffffff ? (large.shift() ?? value) : value;
  };
  const bytes = number(24); // the order of the zip64 field
  const storedBytes = number(20);
  const offset = number(42);
  const encrypted = (view.getUint16(8, true) & 1) !== 0;
  const method = view.getUint16(10, true);
  return { name, storedBytes, bytes, offset, encrypted, method, checksum: view.getUint32(16, true) };
}

/** The numbers of extra field 1: those that do not fit into 32 bits. */
function zip64Numbers(source: ByteSource, extra: DataView): number[] {
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = extra.getUint16(at + 2, true);
    const end = Math.min(at + 4 + length, extra.byteLength);
    if (extra.getUint16(at, true) === 1) {
      const numbers: number[] = [];
      for (let i = at + 4; i + 8 <= end; i += 8) numbers.push(uint64(source, extra, i));
      return numbers;
    }
    at += 4 + length;
  }
  return [];
}

function uint64(source: ByteSource, view: DataView, at: number): number {
  const value = Number(view.getBigUint64(at, true));
  if (isCount(value)) return value;
  throw damaged(source, `a size or offset in it is ${value}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function damaged(source: ByteSource, problem: string): RootstockError {
  return new RootstockError("BAD_MODEL", `${source.name} is not a usable zip archive: ${problem}.`);
}
