/** A seed and a number -> the bytes of a drawn picture. */
import { RootstockError } from "../../errors.ts";
import { type Rng, rng } from "../../random.ts";
import { checkChoice, shown } from "../../transforms/known-options.ts";
import { svgToJpeg } from "../encode.ts";
import { DRAWN_CLASSES, type DrawnClass } from "./class-forms.ts";
import { exampleDrawing } from "./example.ts";
import { type Drawing, sceneDrawing } from "./scene.ts";

/** Pixels of a side unless another size is asked for. */
export const DRAWING_SIZE = 160;

/** The smallest and the largest side in pixels. */
const SIZES = [16, 1024] as const;

/** Quality of the JPEG files. */
const QUALITY = 90;

/**
 * Draws an unlabelled scene and returns it as a JPEG file.
 *
 * Equal arguments give equal bytes with the same version of this package and of the decoder it comes with.
 * @param seed A whole number: of the whole collection.
 * @param index Which scene of the collection, from 0.
 * @param size Width and height in pixels, 16 to 1024.
 * @throws RootstockError BAD_CONFIG
 */
export async function drawScene(seed: number, index: number, size = DRAWING_SIZE): Promise<Uint8Array> {
  return await rendered(sceneDrawing, source("scene", seed, index, size), size);
}

/**
 * Draws an example of a class and returns it as a JPEG file. @see drawScene for the other arguments
 * @param className One of `DRAWN_CLASSES`.
 * @throws RootstockError BAD_CONFIG
 */
export async function drawExample(
  seed: number,
  className: DrawnClass,
  index: number,
  size = DRAWING_SIZE,
): Promise<Uint8Array> {
  checkChoice("className", className, DRAWN_CLASSES);
  const chosen = source(`example/${className}`, seed, index, size);
  return await rendered((from, side) => exampleDrawing(from, className, side), chosen, size);
}

async function rendered(draw: (source: Rng, size: number) => Drawing, from: Rng, size: number): Promise<Uint8Array> {
  const { svg, blur } = draw(from, size);
  return await svgToJpeg(svg, { quality: QUALITY, blur });
}

function source(kind: string, seed: number, index: number, size: number): Rng {
  checkWhole("seed", seed, [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
  checkWhole("index", index, [0, Number.MAX_SAFE_INTEGER]);
  checkSize(size);
  return rng(seed).fork(`${kind}/${index}`);
}

/** @throws RootstockError BAD_CONFIG unless pictures of this size are drawn. */
export function checkSize(size: number): void {
  checkWhole("size", size, SIZES);
}

/** @throws RootstockError BAD_CONFIG unless the value is a whole number of the range, ends included. */
export function checkWhole(name: string, value: number, [low, high]: readonly [number, number]): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return;
  const range =
    Math.abs(high) === Number.MAX_SAFE_INTEGER ? (low < 0 ? "" : ` from ${low}`) : ` from ${low} to ${high}`;
  throw new RootstockError("BAD_CONFIG", `${name} requires a whole number${range}, got ${shown(value)}.`);
}
