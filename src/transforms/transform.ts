/** Augmentation as a plain record: what a user writes, a run remembers and an exported file carries. */
import type { GeometricSpec } from "./geometric/geometric-table.ts";
import type { PixelSpec } from "./pixels/pixel-table.ts";

/** A transform as it is written down: its name and its options, JSON-safe. */
export type TransformSpec = GeometricSpec | PixelSpec;

/** The transforms that make training images, in order. Validation and test images have no place for one. */
export interface Augmentation {
  readonly version: 1;
  readonly transforms: readonly TransformSpec[];
}
