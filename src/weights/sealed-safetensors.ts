/**
 * Safetensors files that carry a SHA-256 of themselves in their `__metadata__`: a bit that flipped anywhere, and an end
 * that is missing, are noticed. The sum is that of the whole file with 64 zeros in the place of its own digits.
 */
import { invariant, RootstockError } from "../errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ByteSource } from "./byte-source.ts";
import { createDigest } from "./checksum.ts";
import { tensorOfBytes } from "./elements.ts";
import { encodeSafetensors, readSafetensorsHeader, type SafetensorsRecord } from "./safetensors.ts";

const SEAL = "sha256";
const DIGITS = 64;
const BLANK = "0".repeat(DIGITS);
/** Bytes that are summed at a time. */
const PIECE = 2 ** 20;

/** A file that is ready to be written. */
export interface SealedChunks {
  /** In order. The first is new; the others are views of the tensors, which must not change until they are written. */
  readonly chunks: readonly Uint8Array[];
  readonly sha256: string;
}

/**
 * A safetensors file with its own SHA-256 as chunks to be written in order; tensors are not copied.
 * @param metadata free text; the key "sha256" is taken.
 * @throws RootstockError BAD_CONFIG if there are more tensors, or is more text, than `openSealed` reads.
 */
export function sealSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): SealedChunks {
  const chunks = encodeSafetensors(tensors, { ...metadata, [SEAL]: BLANK });
  const header = chunks[0]!; // always there
  checkReadable(header, chunks);
  const digest = createDigest("sha256");
  for (const chunk of chunks) digest.update(chunk);
  const sha256 = digest.hex();
  const at = placeOfSeal(header, BLANK);
  invariant(at !== undefined, () => "the header has no place for its sum");
  header.set(new TextEncoder().encode(sha256), at);
  return { chunks, sha256 };
}

/** A file whose header has been read. */
export interface SealedFile extends Disposable {
  readonly metadata: ReadonlyMap<string, string>;
  /** The sum that the file says it has. */
  readonly sha256: string;
  /** Sums the whole file. @throws RootstockError CHECKSUM_MISMATCH if it has another sum than it says. */
  verify(): void;
  /** Reads all tensors, in the order in which they were written. */
  read(): Map<string, Tensor>;
}

/**
 * Opens a file that `sealSafetensors` made, which closes the source with itself. Until `verify` has returned, what it
 * says may be damaged.
 * @throws RootstockError BAD_MODEL if it is no safetensors file, or one without a sum.
 */
export function openSealed(source: ByteSource): SealedFile {
  const { start, tensors, metadata } = readSafetensorsHeader(source);
  const sha256 = metadata.get(SEAL) ?? "";
  const header = source.read(0, start);
  const at = /^[0-9a-f]{64}$/.test(sha256) ? placeOfSeal(header, sha256) : undefined;
  if (at === undefined)
    throw new RootstockError(
      "BAD_MODEL",
      `${source.name} does not say its own SHA-256: it is damaged, or another file.`,
    );
  return {
    metadata,
    sha256,
    verify() {
      const digest = createDigest("sha256");
      digest.update(blanked(header, at));
      for (let from = start; from < source.size; from += PIECE)
        digest.update(source.read(from, Math.min(PIECE, source.size - from)));
      const found = digest.hex();
      if (found === sha256) return;
      throw new RootstockError(
        "CHECKSUM_MISMATCH",
        `${source.name} is damaged: it says that its SHA-256 is ${sha256.slice(0, 16)}…, but it is ${found.slice(0, 16)}….`,
      );
    },
    read: () => readTensors(source, start, tensors),
    [Symbol.dispose]: () => source.close(),
  };
}

function readTensors(
  source: ByteSource,
  start: number,
  tensors: ReadonlyMap<string, SafetensorsRecord>,
): Map<string, Tensor> {
  const inFileOrder = [...tensors].toSorted(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  return new Map(
    inFileOrder.map(([name, { dtype, shape, begin, end }]) => [
      name,
      tensorOfBytes(dtype, shape, source.read(start + begin, end - begin)),
    ]),
  );
}

/** Opens the header as a reader would: what is written must be within its limits. */
function checkReadable(header: Uint8Array, chunks: readonly Uint8Array[]): void {
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  try {
    readSafetensorsHeader({
      name: "the file",
      size,
      read: (offset, length) => header.slice(offset, offset + length),
      close: () => {},
    });
  } catch (cause) {
    throw new RootstockError(
      "BAD_CONFIG",
      `what is to be written could not be read back: ${(cause as Error).message}`,
      {
        cause,
      },
    );
  }
}

/** Index of the first digit of the sum. Quotes within texts are escaped, so that no text can look like its key. */
function placeOfSeal(header: Uint8Array, sha256: string): number | undefined {
  const key = `"${SEAL}":"`;
  const at = Buffer.from(header.buffer, header.byteOffset, header.byteLength).indexOf(`${key}${sha256}"`);
  return at < 0 ? undefined : at + key.length;
}

function blanked(header: Uint8Array, at: number): Uint8Array {
  const copy = header.slice();
  copy.fill(0x30, at, at + DIGITS);
  return copy;
}
