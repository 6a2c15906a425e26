/**
 * The attempts at one file: each goes on in the partial file where the last one stopped, and the file takes its name
 * when every byte is known to be right.
 */
import { createHash } from "node:crypto";
import { statfs } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { RootstockError } from "../errors.ts";
import { type Address, shownUrl } from "./addresses.ts";
import { algorithmOf, type Checksum, type DigestAlgorithm, describeChecksum, matchesChecksum } from "./checksum.ts";
import { PartialFile } from "./partial.ts";
import { connectionFailure, type HttpClient, type HttpResponse } from "./request.ts";
import {
  encodingOf,
  failureOf,
  isDelimited,
  looksLikeHtml,
  retryAfter,
  sizeOf,
  stillToCome,
  validatorOf,
} from "./response.ts";
import type { WeightsFile } from "./weights-file.ts";

/** How far a download is, in bytes. */
export interface DownloadProgress {
  readonly file: string;
  readonly done: number;
  /** Undefined until the server has told it. */
  readonly total: number | undefined;
}

/** What was downloaded. */
export interface Downloaded {
  readonly bytes: number;
  readonly algorithm: DigestAlgorithm;
  readonly hex: string;
  /** The sum that it was compared with: the record's, or the Hugging Face hub's. */
  readonly expected: Checksum | undefined;
}

/** How one attempt ended. Errors that no further attempt can help with are thrown. */
export type Outcome =
  | { readonly kind: "done"; readonly downloaded: Downloaded }
  | { readonly kind: "again"; readonly why: string; readonly waitMs?: number | undefined };

export interface TransferOptions {
  readonly file: WeightsFile;
  readonly target: string;
  readonly address: Address;
  readonly client: HttpClient;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: DownloadProgress) => void) | undefined;
  readonly maxBytes: number;
}

/** The attempts at one file, which share what has arrived. */
export class Transfer {
  readonly #options: TransferOptions;
  #partial: PartialFile | undefined;
  /** Whether bytes of more than one response are in the partial file. */
  #joined = false;
  /** Most bytes that were ever there. */
  furthest = 0;

  constructor(options: TransferOptions) {
    this.#options = options;
  }

  /** "at 12.0 of 97.8 MB, which are kept". */
  progress(): string {
    const position = this.#partial?.position ?? 0;
    const total = this.#total();
    if (position === 0) return "before the first byte";
    return `at ${(position / 1e6).toFixed(1)}${total === undefined ? "" : ` of ${(total / 1e6).toFixed(1)}`} MB, which are kept`;
  }

  /** Closes the partial file; what has arrived stays. */
  async close(): Promise<void> {
    if (this.#partial?.position === 0) await this.#partial.discard();
    else await this.#partial?.close();
    this.#partial = undefined;
  }

  async attempt(): Promise<Outcome> {
    const { signal, client, address } = this.#options;
    const partial = this.#partial ?? (await this.#open());
    this.#partial = partial;
    const total = this.#total();
    if (total !== undefined && partial.position > total) await this.#restart();
    if (total !== undefined && partial.position === total && total > 0) return await this.#settle(true);
    let response: HttpResponse | undefined;
    try {
      response = await client.get(address, stillToCome(partial), signal);
      const outcome = await this.#receive(response, partial);
      return outcome ?? (await this.#settle(isDelimited(response)));
    } catch (error) {
      const failure = error instanceof RootstockError ? undefined : connectionFailure(error);
      if (!failure || signal?.aborted) throw error;
      if (failure.again) return { kind: "again", why: failure.what };
      throw new RootstockError("DOWNLOAD", `cannot download ${shownUrl(address.url)}: ${failure.what}.`, {
        cause: error,
      });
    } finally {
      response?.discard();
      this.furthest = Math.max(this.furthest, this.#partial?.position ?? 0);
    }
  }

  /** Takes in one response; undefined if it brought everything that it announced. */
  async #receive(response: HttpResponse, partial: PartialFile): Promise<Outcome | undefined> {
    const { address } = this.#options;
    const { status } = response;
    if (status === 416 && partial.position > 0) return await this.#unsatisfied(response, partial);
    if (status !== 200 && status !== 206) {
      const failure = failureOf(response, address);
      if (failure.again) return { kind: "again", why: failure.what, waitMs: retryAfter(response) };
      throw new RootstockError("DOWNLOAD", failure.what);
    }
    if (status === 206) {
      const fault = this.#continues(response, partial);
      if (fault !== undefined) {
        await this.#restart();
        return { kind: "again", why: fault };
      }
      this.#joined = true;
    } else {
      if (partial.position > 0) await this.#restart();
      await this.#begin(response, partial);
    }
    await this.#copy(response, partial);
    const total = this.#total();
    if (total !== undefined && partial.position < total)
      return { kind: "again", why: `the server sent fewer bytes than it announced` };
    return undefined;
  }

  /** Why a partial response does not continue what is there, or undefined. */
  #continues(response: HttpResponse, partial: PartialFile): string | undefined {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.header("content-range") ?? "");
    if (!range || Number(range[1]) !== partial.position || partial.position === 0)
      return "the server sent another part than it was asked for";
    const total = this.#total();
    if (total !== undefined && range[2] !== "*" && Number(range[2]) !== total) return "the file on the server changed";
    const { validator, sha256 } = partial.origin ?? {};
    const answered = validatorOf(response);
    if (validator !== undefined && answered !== undefined && answered !== validator)
      return "the file on the server changed";
    if (sha256 !== undefined && response.linked && response.linked.sha256 !== sha256)
      return "the file on the server changed";
    return undefined;
  }

  /** The server has nothing after the last byte: the file is whole if its length was not known, else it changed. */
  async #unsatisfied(response: HttpResponse, partial: PartialFile): Promise<Outcome> {
    const bytes = /^bytes \*\/(\d+)$/.exec(response.header("content-range") ?? "")?.[1];
    if (Number(bytes) === partial.position && this.#total() === undefined) return await this.#settle(true);
    await this.#restart();
    return { kind: "again", why: "the server refused to go on where the last attempt stopped" };
  }

  /** Looks at what a whole response announces, before a byte of it is written. */
  async #begin(response: HttpResponse, partial: PartialFile): Promise<void> {
    const { file, address, target } = this.#options;
    const length = sizeOf(response);
    const wanted = file.bytes ?? response.linked?.bytes;
    const bytes = length ?? wanted;
    if (wanted !== undefined && length !== undefined && length !== wanted)
      throw wrongContent(
        address,
        `it has ${length} bytes instead of ${wanted}${looksLikeHtml(response) ? ", and is a web page" : ""}`,
      );
    if (looksLikeHtml(response)) throw wrongContent(address, "the server sent a web page");
    const encoding = encodingOf(response);
    if (encoding !== undefined) throw wrongContent(address, `the server sent it encoded (${encoding}), unasked`);
    if (bytes !== undefined && wanted === undefined && bytes > this.#most()) throw this.#tooLarge();
    if (bytes === undefined && !file.hash && !response.linked && !isDelimited(response))
      throw wrongContent(
        address,
        "the server tells neither its length nor its sum, so a part could not be told from the whole",
      );
    if (bytes !== undefined) await requireSpace(target, bytes);
    await partial.from({
      address: addressKey(address),
      validator: validatorOf(response),
      bytes,
      sha256: response.linked?.sha256,
    });
  }

  async #copy(response: HttpResponse, partial: PartialFile): Promise<void> {
    const { file, address, signal } = this.#options;
    const limit = this.#total() ?? this.#most();
    this.#report(file);
    for await (const chunk of response.body) {
      if (signal?.aborted) throw signal.reason;
      if (partial.position === 0 && looksLikeHtml(response, chunk)) {
        await this.#restart();
        throw wrongContent(address, "the server sent a web page");
      }
      if (partial.position + chunk.length > limit) {
        await this.#discard();
        throw this.#total() === undefined ? this.#tooLarge() : wrongContent(address, `it has more than ${limit} bytes`);
      }
      await partial.append(chunk);
      this.#report(file);
    }
  }

  /** Compares the sum, and puts the file in its place or deletes it. */
  async #settle(delimited: boolean): Promise<Outcome> {
    const { file, address } = this.#options;
    const partial = this.#partial!;
    const expected = this.#expected();
    const { position: bytes } = partial;
    const hex = partial.hex();
    if (!expected || matchesChecksum(expected, hex)) {
      await partial.finish();
      this.#partial = undefined;
      return { kind: "done", downloaded: { bytes, algorithm: algorithmOf(expected), hex, expected } };
    }
    const joined = this.#joined;
    await this.#discard();
    if (joined) return { kind: "again", why: "the parts of several attempts do not make the right file" };
    if (!delimited) return { kind: "again", why: "the connection ended, and what came is not the whole file" };
    throw new RootstockError(
      "CHECKSUM_MISMATCH",
      `${shownUrl(address.url)} requires ${describeChecksum(expected)}, got ${algorithmOf(expected)} ${hex} (${bytes} bytes). The download of ${file.file} was deleted; try again, or another source.`,
    );
  }

  async #open(): Promise<PartialFile> {
    const { file, target, address, signal } = this.#options;
    const options = { address: addressKey(address), algorithm: algorithmOf(file.hash), signal };
    const partial = await PartialFile.open(target, options);
    this.#joined = partial.position > 0;
    this.furthest = Math.max(this.furthest, partial.position);
    return partial;
  }

  async #restart(): Promise<void> {
    await this.#partial?.restart();
    this.#joined = false;
  }

  async #discard(): Promise<void> {
    await this.#partial?.discard();
    this.#partial = undefined;
    this.#joined = false;
  }

  #expected(): Checksum | undefined {
    const sha256 = this.#partial?.origin?.sha256;
    return this.#options.file.hash ?? (sha256 === undefined ? undefined : { kind: "sha256", value: sha256 });
  }

  #total(): number | undefined {
    return this.#options.file.bytes ?? this.#partial?.origin?.bytes;
  }

  /** The most bytes to take where the size is not known to the byte. */
  #most(): number {
    const { file, maxBytes } = this.#options;
    const { approximateBytes } = file;
    return approximateBytes === undefined ? maxBytes : Math.min(maxBytes, 2 * approximateBytes + 1e6);
  }

  #tooLarge(): RootstockError {
    const { file, address } = this.#options;
    const { approximateBytes } = file;
    const expected =
      approximateBytes === undefined
        ? "the most that is loaded without a record of its size"
        : `where about ${approximateBytes} are expected`;
    const what = `${shownUrl(address.url)} has more than ${this.#most()} bytes, ${expected}. Nothing was kept.`;
    return new RootstockError("DOWNLOAD", what);
  }

  #report(file: WeightsFile): void {
    const { onProgress } = this.#options;
    if (this.#partial) onProgress?.({ file: file.file, done: this.#partial.position, total: this.#total() });
  }
}

function addressKey(address: Address): string {
  return createHash("sha256").update(address.url.href).digest("hex");
}

function wrongContent(address: Address, why: string): RootstockError {
  return new RootstockError(
    "DOWNLOAD",
    `${shownUrl(address.url)} is not the file that was asked for: ${why}. Check the address, and whether a login or a proxy stands before it; nothing was kept.`,
  );
}

/** @throws RootstockError CANNOT_WRITE if the disk has less room than the file needs. */
async function requireSpace(target: string, bytes: number): Promise<void> {
  const disk = await statfs(dirname(target)).catch(() => undefined);
  if (!disk || disk.blocks === 0) return; // a file system that does not say
  const free = disk.bavail * disk.bsize;
  if (free >= bytes) return;
  throw new RootstockError(
    "CANNOT_WRITE",
    `${basename(target)} requires ${bytes} bytes in ${dirname(target)}, and ${free} are free. Make room, or set ROOTSTOCK_CACHE to a folder on another disk.`,
  );
}
