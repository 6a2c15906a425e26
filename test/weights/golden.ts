/** The small weights files of test/golden/weights, what is in them, and archives that tests put together. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { crc32, deflateRawSync } from "node:zlib";
import { expect } from "vitest";
import { toNumbers } from "../../src/tensor/tensor.ts";
import { toFloat32 } from "../../src/weights/elements.ts";
import type { TensorSource } from "../../src/weights/tensor-source.ts";

/** A tensor as the library that wrote the file sees it. */
export interface ExpectedTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Path of a golden file. */
export function goldenPath(name: string): string {
  return fileURLToPath(new URL(`../golden/weights/${name}`, import.meta.url));
}

/** What the golden files of one script hold, by file and tensor. */
export function goldenTensors(index: "torch.json" | "hdf5.json"): Record<string, Record<string, ExpectedTensor>> {
  return JSON.parse(readFileSync(goldenPath(index), "utf8"));
}

/** Compares names, types, shapes and every element. */
export function expectTensors(source: TensorSource, expected: Readonly<Record<string, ExpectedTensor>>): void {
  expect([...source.names].sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { dtype, shape, values }] of Object.entries(expected)) {
    const info = source.info(name);
    const tensor = source.read(name);
    expect({ name, dtype: info.dtype, shape: info.shape }).toEqual({ name, dtype, shape });
    expect(tensor.shape).toEqual(shape);
    expect(tensor.dtype).toBe(dtype === "bfloat16" ? "float32" : dtype);
    expect(toNumbers(tensor.dtype === "float16" ? toFloat32(tensor) : tensor)).toEqual(values);
  }
}

/** A file to be put into an archive; `claim` replaces what the directory says of it. */
export interface Packed {
  readonly name: string;
  readonly data: Uint8Array | string;
  readonly deflate?: boolean;
  readonly claim?: Partial<{ method: number; flags: number; checksum: number; bytes: number; storedBytes: number }>;
}

/** A zip archive. With `zip64`, every size and offset is written the long way. */
export function zipOf(files: readonly Packed[], { zip64 = false }: { zip64?: boolean } = {}): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, deflate = false, claim = {} } of files) {
    const plain = Buffer.from(data);
    const stored = deflate ? deflateRawSync(plain) : plain;
    const { method = deflate ? 8 : 0, flags = 0, checksum = crc32(plain) } = claim;
    const { bytes = plain.length, storedBytes = stored.length } = claim;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(flags, 2);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt32LE(checksum, 10);
    fields.writeUInt32LE(zip64 ? 0xffffffff : storedBytes, 14);
    fields.writeUInt32LE(zip64 ? 0xffffffff : bytes, 18);
    fields.writeUInt16LE(name.length, 22);
    const long = Buffer.alloc(zip64 ? 28 : 0);
    if (zip64) {
      long.writeUInt16LE(1, 0);
      long.writeUInt16LE(24, 2);
      long.writeBigUInt64LE(BigInt(bytes), 4);
      long.writeBigUInt64LE(BigInt(storedBytes), 12);
      long.writeBigUInt64LE(BigInt(offset), 20);
    }
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(zip64 ? 0xffffffff : offset, 10);
    const central = Buffer.from(fields);
    central.writeUInt16LE(long.length, 24);
    const local = [Buffer.from("PK\x03\x04", "latin1"), fields, Buffer.from(name), stored];
    parts.push(...local);
    directory.push(Buffer.from("PK\x01\x02\0\0", "latin1"), central, tail, Buffer.from(name), long);
    offset += local.reduce((sum, part) => sum + part.length, 0);
  }
  const index = Buffer.concat(directory);
  return Buffer.concat([...parts, index, ...zipEnd(files.length, index.length, offset, zip64)]);
}

function zipEnd(count: number, bytes: number, offset: number, zip64: boolean): Buffer[] {
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : bytes, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  if (!zip64) return [end];
  const record = Buffer.alloc(56);
  record.write("PK\x06\x06", "latin1");
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(bytes), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  const locator = Buffer.alloc(20);
  locator.write("PK\x06\x07", "latin1");
  locator.writeBigUInt64LE(BigInt(offset + bytes), 8);
  return [record, locator, end];
}
