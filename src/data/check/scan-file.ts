/** One image file -> what checking needs to know of it: what the scanning threads do. */
import { messageOf } from "../../errors.ts";
import { MAX_PIXELS, pixelProblem } from "../decode.ts";
import { LARGE_PIXELS } from "../decode-task.ts";
import { readBounded } from "../inspect.ts";
import type { ImageSource } from "../sample.ts";
import { type ImageFormat, sniffImage } from "../sniff.ts";
import { type ImageFacts, thumbnailOf } from "../thumbnail.ts";
import { colorSquaresOf, lumaOf, squareOf } from "./grey-square.ts";
import { measurePicture, type PictureMeasures } from "./measure-picture.ts";
import { HASHED_SIDE, type PerceptualHash, perceptualHash } from "./perceptual-hash.ts";

/** Side of the squares of color differences. */
export const COLOR_SIDE = 8;

/** What pictures are compared by, 1.2 kB each. */
export interface Signature {
  readonly hash: PerceptualHash;
  /** Grey levels [32, 32]. */
  readonly grey: Uint8Array;
  /** Color differences Cb [8, 8] and Cr [8, 8], -128 to 127. */
  readonly color: Int8Array;
}

/** A picture that could be decoded. */
export interface ScannedPicture {
  readonly facts: ImageFacts;
  readonly measures: PictureMeasures;
  readonly signature: Signature;
}

/** Why a file is of no use: nothing in it, something else, a format that is not read, cut off, damaged, not to be opened. */
export type Defect = "empty" | "not-an-image" | "unsupported" | "truncated" | "damaged" | "too-large" | "unreadable";

/** A file that cannot be used; `problem` reads on from its name. */
export interface ScannedDefect {
  readonly defect: Defect;
  readonly problem: string;
}

export type Scanned = ScannedPicture | ScannedDefect;

/** Longest side at which pictures are measured: about what networks see. */
const MEASURED_SIDE = 256;

/** Reads and decodes a file. Never throws. A picture of more than `maxPixels` is the defect "too-large". */
export async function scanFile(file: ImageSource, maxPixels: number = MAX_PIXELS): Promise<Scanned> {
  try {
    const read = readBounded(file);
    return "problem" in read
      ? { defect: "unreadable", problem: read.problem }
      : await scanBytes(read.content, maxPixels);
  } catch (error) {
    return { defect: "unreadable", problem: `cannot be loaded (${messageOf(error)})` }; // out of memory, for example
  }
}

/** As `scanFile`, for a picture that may be under way beside others: larger ones are left for later. */
export function scanBeside(file: ImageSource): Promise<Scanned> {
  return scanFile(file, LARGE_PIXELS);
}

/** Whether `scanBeside` left this file for later. */
export function isLeftForLater(scanned: Scanned): boolean {
  return "defect" in scanned && scanned.defect === "too-large" && scanned.problem === pixelProblem(LARGE_PIXELS);
}

/** Scans the content of a file. */
export async function scanBytes(bytes: Uint8Array, maxPixels: number = MAX_PIXELS): Promise<Scanned> {
  const sniffed = sniffImage(bytes);
  if ("problem" in sniffed) return { defect: sniffedDefect(bytes, sniffed.problem), problem: sniffed.problem };
  const decoded = await thumbnailOf(bytes, { size: MEASURED_SIDE, maxPixels });
  if ("problem" in decoded) return decodeDefect(bytes, sniffed.format, decoded.problem, maxPixels);
  const { facts, image } = decoded;
  const luma = lumaOf(image);
  const square = squareOf(luma, image.width, image.height, HASHED_SIDE);
  const color = new Int8Array(2 * COLOR_SIDE * COLOR_SIDE);
  for (const [i, plane] of colorSquaresOf(image, luma, COLOR_SIDE).entries())
    color.set(plane.map(Math.round), i * COLOR_SIDE * COLOR_SIDE);
  return {
    facts,
    measures: measurePicture(luma, image.width, image.height),
    signature: { hash: perceptualHash(square), grey: Uint8Array.from(square, Math.round), color },
  };
}

function sniffedDefect(bytes: Uint8Array, problem: string): Defect {
  if (bytes.length === 0) return "empty";
  return problem.startsWith("is not an image") ? "not-an-image" : "unsupported";
}

function decodeDefect(bytes: Uint8Array, format: ImageFormat, problem: string, maxPixels: number): ScannedDefect {
  if (problem === pixelProblem(maxPixels)) return { defect: "too-large", problem };
  if (isCutOff(bytes, format)) return { defect: "truncated", problem: "is cut off: its end is missing" };
  return { defect: "damaged", problem };
}

/** Whether a file lacks the mark that its format ends with, or is shorter than its header says. */
export function isCutOff(bytes: Uint8Array, format: ImageFormat): boolean {
  const end = (count: number): Buffer => Buffer.from(bytes.subarray(Math.max(0, bytes.length - count)));
  switch (format) {
    case "jpeg":
      return !end(1024).includes(Buffer.from([0xff, 0xd9])); // EOI; a camera may add some bytes after it
    case "png":
      return !end(1024).includes("IEND");
    case "gif":
      return !end(2).includes(0x3b); // trailer, and the zero that some programs add
    case "webp":
      return Buffer.from(bytes.subarray(0, 8)).readUInt32LE(4) + 8 > bytes.length; // size in the RIFF header
    case "tiff":
    case "avif":
      return false; // no mark: the tables may stand anywhere
  }
}
