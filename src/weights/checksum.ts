/** How the bytes of a file are known: which sums publishers give, and how they are compared. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** A published sum, in lower-case hexadecimal. */
export interface Checksum {
  /**
   * `sha256`: all 64 digits. `sha256-prefix`: the first 8 or more, as torchvision puts them into its file names.
   * `md5`: 32 digits, as Keras publishes them.
   */
  readonly kind: "sha256" | "sha256-prefix" | "md5";
  readonly value: string;
}

/** The function that computes a sum. */
export type DigestAlgorithm = "sha256" | "md5";

/** A sum over bytes that arrive in pieces. */
export interface Digest {
  readonly algorithm: DigestAlgorithm;
  update(bytes: Uint8Array): void;
  /** All digits, in lower case. Nothing can be added afterwards. */
  hex(): string;
}

/** Starts a sum. */
export function createDigest(algorithm: DigestAlgorithm): Digest {
  const hash = createHash(algorithm);
  return { algorithm, update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
}

/** The function behind a published sum; SHA-256 where none was published. */
export function algorithmOf(checksum: Checksum | undefined): DigestAlgorithm {
  return checksum?.kind === "md5" ? "md5" : "sha256";
}

/** Whether the digits that were computed are those that were published. */
export function matchesChecksum({ kind, value }: Checksum, hex: string): boolean {
  return kind === "sha256-prefix" ? hex.startsWith(value) : hex === value;
}

/** "sha256 9bc2…" in full, or "a sha256 that starts with 0676ba61". */
export function describeChecksum({ kind, value }: Checksum): string {
  return kind === "sha256-prefix" ? `a sha256 that starts with ${value}` : `${kind} ${value}`;
}

/** What is wrong with a sum as somebody wrote it, or undefined. */
export function checksumFault({ kind, value }: Checksum): string | undefined {
  const digits = kind === "sha256" ? "64" : kind === "md5" ? "32" : "8 to 63";
  const pattern = { sha256: /^[0-9a-f]{64}$/, md5: /^[0-9a-f]{32}$/, "sha256-prefix": /^[0-9a-f]{8,63}$/ }[kind];
  return pattern.test(value) ? undefined : `${kind} requires ${digits} digits 0-9 a-f, got "${value}"`;
}

/** Adds the first `bytes` bytes of a file to a sum, reading it in pieces. */
export async function digestFile(
  path: string,
  digest: Digest,
  { bytes, signal }: { readonly bytes?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  if (bytes === 0) return;
  const end = bytes === undefined ? Number.POSITIVE_INFINITY : bytes - 1;
  const stream = createReadStream(path, { end, highWaterMark: 1 << 20, signal });
  for await (const chunk of stream) digest.update(chunk);
}
