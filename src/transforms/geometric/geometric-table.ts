/** The geometric transforms by name: how each draws its step, and what the first of a list starts from. */

import { drawKerasAffine } from "../keras/keras-affine.ts";
import { drawAffine, drawRotate, drawShear, drawShift, drawZoom } from "./affine.ts";
import { drawCenterCrop, drawRandomCrop, drawRandomResizedCrop, drawResize } from "./crop.ts";
import { drawHorizontalFlip, drawVerticalFlip } from "./flip.ts";
import type { Draw } from "./geometric-draw.ts";
import { drawPerspective } from "./perspective.ts";

/**
 * What a transform at the beginning of an augmentation works on:
 * - decoded: the whole picture as it was decoded; the transform decides which part is seen.
 * - resized: the picture resized by the network's preprocessing, but not cropped; the transform takes the crop's place.
 * - input: the picture as the network sees it without augmentation.
 */
export type StartsFrom = "decoded" | "resized" | "input";

/** One row of the table. */
export interface GeometricTransform<Options> {
  readonly draw: Draw<Options>;
  readonly startsFrom: StartsFrom;
}

/** Every geometric transform. */
export const GEOMETRIC = {
  resize: { draw: drawResize, startsFrom: "decoded" },
  "center-crop": { draw: drawCenterCrop, startsFrom: "resized" },
  "random-crop": { draw: drawRandomCrop, startsFrom: "resized" },
  "random-resized-crop": { draw: drawRandomResizedCrop, startsFrom: "decoded" },
  "horizontal-flip": { draw: drawHorizontalFlip, startsFrom: "input" },
  "vertical-flip": { draw: drawVerticalFlip, startsFrom: "input" },
  rotate: { draw: drawRotate, startsFrom: "input" },
  shift: { draw: drawShift, startsFrom: "input" },
  shear: { draw: drawShear, startsFrom: "input" },
  zoom: { draw: drawZoom, startsFrom: "input" },
  affine: { draw: drawAffine, startsFrom: "input" },
  perspective: { draw: drawPerspective, startsFrom: "input" },
  "keras-affine": { draw: drawKerasAffine, startsFrom: "input" },
} as const satisfies Record<string, GeometricTransform<never>>;

/** The name of a geometric transform. */
export type GeometricName = keyof typeof GEOMETRIC;

/** A geometric transform as it is written down: its name and its options. */
export type GeometricSpec = {
  readonly [Name in GeometricName]: { readonly name: Name } & Parameters<(typeof GEOMETRIC)[Name]["draw"]>[0];
}[GeometricName];

/** Whether a name is one of the table's. */
export function isGeometric(spec: { readonly name: string }): spec is GeometricSpec {
  return Object.hasOwn(GEOMETRIC, spec.name);
}

/** Draws one geometric transform. */
export const drawGeometric: Draw<GeometricSpec> = (spec, frame, rng) => {
  // The row's options are the spec's: TypeScript does not follow the name from one to the other.
  return (GEOMETRIC[spec.name].draw as Draw<GeometricSpec>)(spec, frame, rng);
};
