/** A file that is being downloaded: its bytes so far, their sum, and what a server needs to hear to go on with them. */
import { type FileHandle, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { messageOf, RootstockError } from "../errors.ts";
import { createDigest, type Digest, type DigestAlgorithm, digestFile } from "./checksum.ts";
import { cannotWrite, PARTIAL_PREFIX } from "./files.ts";

const origin = z.object({
  /** SHA-256 of the address: an address may hold a signature, which belongs on no disk. */
  address: z.string(),
  /** Strong entity tag, or the time of the last change: what the server calls this version. */
  validator: z.string().optional(),
  /** Size of the whole file. */
  bytes: z.number().int().nonnegative().optional(),
  /** SHA-256 that the Hugging Face hub gave. */
  sha256: z.string().optional(),
});

/** Where the bytes of a partial file came from. */
export type PartialOrigin = z.infer<typeof origin>;

/** Name of the file that `target` is before it is whole. */
export function partialPathOf(target: string): string {
  return join(dirname(target), PARTIAL_PREFIX + basename(target));
}

/** Name of the file that says where a partial file came from. */
export function originPathOf(target: string): string {
  return `${partialPathOf(target)}.json`;
}

/** The part of a file that has arrived. One owner at a time: the caller holds a lock. */
export class PartialFile {
  readonly #target: string;
  readonly #file: FileHandle;
  #digest: Digest;
  #position = 0;
  #origin: PartialOrigin | undefined;

  private constructor(target: string, file: FileHandle, algorithm: DigestAlgorithm) {
    this.#target = target;
    this.#file = file;
    this.#digest = createDigest(algorithm);
  }

  /**
   * Opens what an earlier attempt left, or starts an empty file. Bytes from another address are dropped.
   * @throws RootstockError CANNOT_WRITE
   */
  static async open(
    target: string,
    { address, algorithm, signal }: { address: string; algorithm: DigestAlgorithm; signal?: AbortSignal | undefined },
  ): Promise<PartialFile> {
    const path = partialPathOf(target);
    const file = await open(path, "a+") // makes it where it is missing
      .then((made) => made.close())
      .then(() => open(path, "r+"))
      .catch((cause: unknown) => {
        throw cannotWrite(target, cause);
      });
    try {
      const partial = new PartialFile(target, file, algorithm);
      const { size } = await file.stat();
      const known = await readOrigin(target);
      if (size === 0) return partial;
      if (known?.address === address) {
        await digestFile(path, partial.#digest, { bytes: size, signal });
        partial.#position = size;
        partial.#origin = known;
      } else await partial.restart();
      return partial;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes that have arrived. */
  get position(): number {
    return this.#position;
  }

  /** Where they came from, or undefined where nothing has arrived. */
  get origin(): PartialOrigin | undefined {
    return this.#origin;
  }

  /** Drops all bytes. */
  async restart(): Promise<void> {
    if (this.#position > 0 || (await this.#file.stat()).size > 0) await this.#writing(() => this.#file.truncate(0));
    this.#digest = createDigest(this.#digest.algorithm);
    this.#position = 0;
    this.#origin = undefined;
  }

  /** Notes where the bytes come from, before the first of them is written. */
  async from(known: PartialOrigin): Promise<void> {
    this.#origin = known;
    await this.#writing(() => writeFile(originPathOf(this.#target), JSON.stringify(known))); // cut off, it is no note
  }

  /** Adds bytes at the end. @throws RootstockError CANNOT_WRITE */
  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#writing(() =>
        this.#file.write(bytes, at, bytes.length - at, this.#position + at),
      );
      at += bytesWritten;
    }
    this.#digest.update(bytes);
    this.#position += bytes.length;
  }

  /** The sum of all bytes. Nothing can be added afterwards. */
  hex(): string {
    return this.#digest.hex();
  }

  /** Puts the whole file in its place, once it is on the disk. */
  async finish(): Promise<void> {
    await this.#writing(() => this.#file.sync());
    await this.close();
    await this.#writing(() => rename(partialPathOf(this.#target), this.#target));
    await rm(originPathOf(this.#target), { force: true });
  }

  /** Deletes what has arrived. */
  async discard(): Promise<void> {
    await this.close();
    await removePartial(this.#target);
  }

  /** Closes the file; what has arrived stays. */
  async close(): Promise<void> {
    await this.#file.close();
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code; // errors of node:fs carry a code
      if (code !== "ENOSPC" && code !== "EDQUOT") throw cannotWrite(this.#target, cause);
      throw new RootstockError(
        "CANNOT_WRITE",
        `cannot write ${this.#target}: the disk is full (${messageOf(cause)}). Make room and run it again, it goes on from byte ${this.#position}; or set ROOTSTOCK_CACHE to a folder on another disk.`,
        { cause },
      );
    }
  }
}

/** Deletes what an interrupted download of `target` left. */
export async function removePartial(target: string): Promise<void> {
  await rm(partialPathOf(target), { force: true });
  await rm(originPathOf(target), { force: true });
}

async function readOrigin(target: string): Promise<PartialOrigin | undefined> {
  const text = await readFile(originPathOf(target), "utf8").catch(() => "null");
  try {
    return origin.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined; // cut off
  }
}
