/** Geometric steps with all randomness decided: joined so that pixels are resampled once, then carried out. */
import { RootstockError } from "../errors.ts";
import { cropImage } from "./geometric/crop-image.ts";
import { flipImage } from "./geometric/flip-image.ts";
import type { Image, Region } from "./image.ts";
import { type Box, moveBox, movePoint, type Picture, type Point, type Size, type TrackedBox } from "./picture.ts";
import { invert, type Matrix, multiply, scaling, shrinkage, translation } from "./resampling/matrix.ts";
import { resize } from "./resampling/resize.ts";
import type { Interpolation } from "./resampling/resize-taps.ts";
import { colorOf, type FillMode, type FillValue, type WarpInterpolation, warp } from "./resampling/warp.ts";

/** Mirrors exactly: pixels are copied. */
export interface FlipStep {
  readonly kind: "flip";
  readonly horizontal: boolean;
  readonly vertical: boolean;
}

/** Takes a rectangle exactly: pixels are copied. It may reach outside the picture, which is then filled. */
export interface CropStep extends Region {
  readonly kind: "crop";
  readonly fill: FillMode;
  readonly value: FillValue;
}

/** Resizes with antialiasing: `source` to `width` x `height`, of which `window` is computed. */
export interface ResizeStep extends Size {
  readonly kind: "resize";
  readonly source: Region;
  readonly window: Region;
  readonly interpolation: Interpolation;
}

/** Resamples through a matrix from positions in the result to positions in the source. */
export interface WarpStep extends Size {
  readonly kind: "warp";
  readonly matrix: Matrix;
  readonly interpolation: WarpInterpolation;
  readonly fill: FillMode;
  readonly value: FillValue;
}

/** One geometric step. */
export type GeometricStep = FlipStep | CropStep | ResizeStep | WarpStep;

/** A change of pixels that moves nothing. */
export interface PixelStep {
  readonly kind: "pixels";
  /** The transform's name. */
  readonly name: string;
  apply(image: Image): Image;
}

/** One step of a plan. */
export type Step = GeometricStep | PixelStep;

/** Returns the size of a step's result. */
export function sizeAfter(step: Step, size: Size): Size {
  if (step.kind === "flip" || step.kind === "pixels") return size;
  const { width, height } = step.kind === "resize" ? step.window : step;
  return { width, height };
}

/** Returns the matrix from positions in a step's result to positions in its source of `size`. */
export function matrixOf(step: GeometricStep, { width, height }: Size): Matrix {
  switch (step.kind) {
    case "flip": {
      const { horizontal, vertical } = step;
      return [horizontal ? -1 : 1, 0, horizontal ? width : 0, 0, vertical ? -1 : 1, vertical ? height : 0, 0, 0, 1];
    }
    case "crop":
      return translation(step.left, step.top);
    case "resize": {
      const { source, window } = step;
      const scaled = scaling(source.width / step.width, source.height / step.height);
      return multiply(translation(source.left, source.top), multiply(scaled, translation(window.left, window.top)));
    }
    case "warp":
      return step.matrix;
  }
}

/**
 * Returns the one step that does what `first` and then `second` do to a picture of `size`, if there is one:
 * - warps of the same fill and interpolation, and flips beside them, are one resampling; what an earlier one moved out of the picture is still there for a later one;
 * - two flips are one flip;
 * - a crop inside the picture is a window of the warp or the resizing before it, and the source of the resizing after it.
 */
export function join(first: Step, second: Step, size: Size): Step | undefined {
  if (first.kind === "pixels" || second.kind === "pixels") return;
  if (first.kind === "flip" && second.kind === "flip") {
    const { horizontal, vertical } = second;
    return { kind: "flip", horizontal: first.horizontal !== horizontal, vertical: first.vertical !== vertical };
  }
  if (first.kind === "flip" && second.kind === "warp") {
    return { ...second, matrix: multiply(matrixOf(first, size), second.matrix) };
  }
  const middle = sizeAfter(first, size);
  if (first.kind === "warp") {
    if (second.kind === "flip") return { ...first, matrix: multiply(first.matrix, matrixOf(second, middle)) };
    if (second.kind === "crop" && isInside(second, middle)) {
      const { width, height, left, top } = second;
      return { ...first, width, height, matrix: multiply(first.matrix, translation(left, top)) };
    }
    if (second.kind === "warp" && isAlike(first, second)) {
      return { ...second, matrix: multiply(first.matrix, second.matrix) };
    }
  }
  if (first.kind === "crop" && second.kind === "resize" && isInside(first, size)) {
    return { ...second, source: within(second.source, first) };
  }
  if (first.kind === "resize" && second.kind === "crop" && isInside(second, middle)) {
    return { ...first, window: within(second, first.window) };
  }
  return;
}

/** What happens to boxes, and who watches. */
export interface CarryOutOptions {
  /** A box is dropped when less than this share of its area stays inside the picture, 0 to 1. @default 0.1 */
  readonly minimumVisible?: number | undefined;
  /** Called before each step. */
  readonly onStep?: ((step: Step) => void) | undefined;
}

/**
 * Returns what the steps make of a picture; without steps, the same picture.
 * A warp that shrinks by 2 or more at the picture's centre reads an antialiased smaller copy, unless it is "nearest".
 */
export function carryOut(
  picture: Picture,
  steps: readonly Step[],
  { minimumVisible = 0.1, onStep }: CarryOutOptions = {},
): Picture {
  if (!(minimumVisible >= 0 && minimumVisible <= 1)) {
    throw new RootstockError("BAD_CONFIG", `minimumVisible requires a share from 0 to 1, got ${minimumVisible}.`);
  }
  if (steps.length === 0) return picture;
  let { image } = picture;
  let boxes: readonly TrackedBox[] | undefined = picture.boxes?.map((box) => ({ ...box, share: 1 }));
  let keypoints: readonly Point[] | undefined = picture.keypoints;
  for (const step of steps) {
    onStep?.(step);
    if (step.kind !== "pixels" && (boxes || keypoints)) {
      const forward = forwardOf(step, image);
      const size = sizeAfter(step, image);
      boxes = boxes?.map((box) => moveBox(box, forward, size)).filter(({ share }) => share > 0);
      keypoints = keypoints?.map((point) => movePoint(point, forward, size));
    }
    image = pixelsOf(step, image);
  }
  const kept = boxes?.filter(({ share }) => share >= minimumVisible);
  return { image, ...(kept && { boxes: kept.map(untracked) }), ...(keypoints && { keypoints }) };
}

function pixelsOf(step: Step, image: Image): Image {
  switch (step.kind) {
    case "pixels":
      return step.apply(image);
    case "flip":
      return flipImage(image, step);
    case "crop":
      return cropImage(image, step, step);
    case "resize":
      return resize(image, step);
    case "warp": {
      const shrink = step.interpolation === "nearest" ? 1 : shrinkage(step.matrix, step.width / 2, step.height / 2);
      if (!(shrink >= 2)) return warp(image, step.matrix, step);
      const width = Math.max(1, Math.round(image.width / shrink));
      const height = Math.max(1, Math.round(image.height / shrink));
      const smaller = resize(image, { width, height, interpolation: "box" });
      return warp(smaller, multiply(scaling(width / image.width, height / image.height), step.matrix), step);
    }
  }
}

function forwardOf(step: GeometricStep, size: Size): Matrix {
  const forward = invert(matrixOf(step, size));
  if (forward) return forward;
  throw new RootstockError(
    "BAD_CONFIG",
    `a ${step.kind} requires a matrix that can be inverted, got [${matrixOf(step, size).join(", ")}].`,
  );
}

function untracked({ left, top, right, bottom, label }: TrackedBox): Box {
  return { left, top, right, bottom, label };
}

function isInside({ left, top, width, height }: Region, size: Size): boolean {
  return left >= 0 && top >= 0 && left + width <= size.width && top + height <= size.height;
}

function within(inner: Region, outer: Region): Region {
  return { left: outer.left + inner.left, top: outer.top + inner.top, width: inner.width, height: inner.height };
}

function isAlike(a: WarpStep, b: WarpStep): boolean {
  if (a.fill !== b.fill || a.interpolation !== b.interpolation) return false;
  return a.fill !== "constant" || colorOf(a.value).join() === colorOf(b.value).join();
}
