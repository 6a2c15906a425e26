/** Bytes that are read a piece at a time, so that a file larger than memory can be looked into. */
import { RootstockError } from "../errors.ts";

/** A readable run of bytes: a file, a part of one, or memory. */
export interface ByteSource {
  /** What people call it, for messages. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * Returns a copy of `length` bytes from `offset`; its buffer starts with them, so any typed array can view it.
   * @throws RootstockError BAD_MODEL if they are not all there.
   */
  read(offset: number, length: number): Uint8Array;
  /** Gives back the file, if there is one. Reading after that is a fault of the caller. */
  close(): void;
}

/** A source over bytes in memory. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read(offset, length) {
      checkRange(this, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
    close() {},
  };
}

/** A part of a source, which stays open until the whole is closed. */
export function partOf(whole: ByteSource, offset: number, size: number): ByteSource {
  checkRange(whole, offset, size);
  return {
    name: whole.name,
    size,
    read(start, length) {
      checkRange(this, start, length);
      return whole.read(offset + start, length);
    },
    close() {},
  };
}

/**
 * Checks that `length` bytes from `offset` are within the source, before memory is taken for them.
 * @throws RootstockError BAD_MODEL
 */
export function checkRange(source: Pick<ByteSource, "name" | "size">, offset: number, length: number): void {
  if (isCount(offset) && isCount(length) && offset + length <= source.size) return;
  throw new RootstockError(
    "BAD_MODEL",
    `${source.name} refers to ${length} bytes at byte ${offset}, but has ${source.size}: it is truncated or damaged. Fetch it again.`,
  );
}

/** Whether a number counts something: whole, not negative, and exact. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
