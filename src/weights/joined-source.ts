/** Several sources one after the other as one: weights that are spread over files. */
import { type ByteSource, checkRange } from "./byte-source.ts";

/** A source that has the bytes of all parts in order; closing it closes none of them. */
export function joinedSource(parts: readonly ByteSource[], name: string): ByteSource {
  if (parts.length === 1) return { ...parts[0]!, name };
  const starts: number[] = [];
  let size = 0;
  for (const part of parts) {
    starts.push(size);
    size += part.size;
  }
  return {
    name,
    size,
    read(offset, length) {
      checkRange(this, offset, length);
      const bytes = new Uint8Array(length);
      for (const [i, part] of parts.entries()) {
        const from = Math.max(offset, starts[i]!);
        const to = Math.min(offset + length, starts[i]! + part.size);
        if (from < to) bytes.set(part.read(from - starts[i]!, to - from), from - offset);
      }
      return bytes;
    },
    close() {},
  };
}
