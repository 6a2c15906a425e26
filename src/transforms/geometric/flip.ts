/** Mirroring: exact, pixels are copied. Keypoints move; which of them are left and right is not exchanged. */
import { happens } from "../pixels/chance.ts";
import { type Apply, applying, type Draw } from "./geometric-draw.ts";

/** Options of both flips. */
export interface FlipOptions {
  /** Chance of flipping, in [0, 1]. @default 0.5 */
  readonly probability?: number | undefined;
}

/** Draws whether to mirror left to right. */
export const drawHorizontalFlip: Draw<FlipOptions> = ({ probability = 0.5 }: FlipOptions, _frame, rng) =>
  happens(probability, rng) ? { kind: "flip", horizontal: true, vertical: false } : undefined;

/** Draws whether to mirror top to bottom. */
export const drawVerticalFlip: Draw<FlipOptions> = ({ probability = 0.5 }: FlipOptions, _frame, rng) =>
  happens(probability, rng) ? { kind: "flip", horizontal: false, vertical: true } : undefined;

/** Mirrors the picture and its marks left to right. */
export const horizontalFlip: Apply<FlipOptions> = applying(drawHorizontalFlip);

/** Mirrors the picture and its marks top to bottom. */
export const verticalFlip: Apply<FlipOptions> = applying(drawVerticalFlip);
