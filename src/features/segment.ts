/**
 * One file of the feature cache: rows of equal width, each under the hash of the image it was computed from.
 *
 * Layout, little-endian: 8 bytes magic, uint32 width, uint32 count, count × 32 bytes of keys, count × width float32,
 * and the SHA-256 of everything before it. A file whose checksum does not fit is as good as absent.
 */
import { createHash } from "node:crypto";

const MAGIC = "RSFEAT01";
const HEADER = 16;
const KEY = 32;
const CHECKSUM = 32;

/** Rows by key; keys are SHA-256 hashes in hexadecimal. */
export type Rows = ReadonlyMap<string, Float32Array>;

/** Encodes rows of one width as chunks to be written in order. */
export function encodeSegment(rows: Rows, width: number): Uint8Array[] {
  const header = Buffer.alloc(HEADER);
  header.write(MAGIC, "latin1");
  header.writeUInt32LE(width, 8);
  header.writeUInt32LE(rows.size, 12);
  const keys = Buffer.from([...rows.keys()].join(""), "hex");
  const values = new Float32Array(rows.size * width);
  let offset = 0;
  for (const row of rows.values()) {
    values.set(row, offset);
    offset += width;
  }
  const chunks = [header, keys, new Uint8Array(values.buffer)];
  const checksum = createHash("sha256");
  for (const chunk of chunks) checksum.update(chunk);
  return [...chunks, checksum.digest()];
}

/** The rows of a segment as views of `bytes`, or undefined if it is damaged, truncated, or of another width. */
export function decodeSegment(bytes: Uint8Array, width: number): Rows | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < HEADER + CHECKSUM || buffer.toString("latin1", 0, 8) !== MAGIC) return undefined;
  const count = buffer.readUInt32LE(12);
  const body = HEADER + count * (KEY + width * 4);
  if (buffer.readUInt32LE(8) !== width || buffer.length !== body + CHECKSUM) return undefined;
  if (!createHash("sha256").update(buffer.subarray(0, body)).digest().equals(buffer.subarray(body))) return undefined;
  const start = HEADER + count * KEY;
  const aligned =
    (buffer.byteOffset + start) % 4 === 0
      ? buffer.subarray(start, body)
      : Uint8Array.from(buffer.subarray(start, body));
  const values = new Float32Array(aligned.buffer, aligned.byteOffset, count * width);
  const rows = new Map<string, Float32Array>();
  for (let i = 0; i < count; i++) {
    const key = buffer.toString("hex", HEADER + i * KEY, HEADER + (i + 1) * KEY);
    rows.set(key, values.subarray(i * width, (i + 1) * width));
  }
  return rows;
}
