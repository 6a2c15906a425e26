/** A picture with what is marked in it: boxes and keypoints that geometric transforms move along with the pixels. */
import type { Image } from "./image.ts";
import { type Matrix, mapPoint } from "./resampling/matrix.ts";

/** A labelled rectangle in pixels. Its sides are edges between pixels: a box of the whole picture is 0, 0, width, height. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Class index. */
  readonly label: number;
}

/** A marked position in pixels, on the scale of box edges: the centre of pixel (0, 0) is at (0.5, 0.5). */
export interface Point {
  readonly x: number;
  readonly y: number;
  /** False for a position that is hidden or outside the picture; a position without it is visible. */
  readonly visible?: boolean | undefined;
}

/** What geometric transforms take and return. */
export interface Picture {
  readonly image: Image;
  readonly boxes?: readonly Box[] | undefined;
  /** Keypoints keep their order and number, so that each still means the same part. */
  readonly keypoints?: readonly Point[] | undefined;
}

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A box on its way through several steps, with the share of its area that is still inside the picture, 0 to 1. */
export interface TrackedBox extends Box {
  readonly share: number;
}

/**
 * Returns the upright hull of a box's moved corners, clipped to a picture of `size`.
 * @param forward Maps positions in the source to positions in the result.
 */
export function moveBox(box: TrackedBox, forward: Matrix, { width, height }: Size): TrackedBox {
  const corners = [
    mapPoint(forward, box.left, box.top),
    mapPoint(forward, box.right, box.top),
    mapPoint(forward, box.left, box.bottom),
    mapPoint(forward, box.right, box.bottom),
  ];
  const xs = corners.map(({ x }) => x);
  const ys = corners.map(({ y }) => y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const clipped = {
    left: Math.max(left, 0),
    top: Math.max(top, 0),
    right: Math.min(right, width),
    bottom: Math.min(bottom, height),
  };
  const kept = Math.max(0, clipped.right - clipped.left) * Math.max(0, clipped.bottom - clipped.top);
  const area = (right - left) * (bottom - top);
  return { ...clipped, label: box.label, share: area > 0 ? (box.share * kept) / area : 0 };
}

/** Returns a keypoint at its new position; one that leaves the picture keeps its position there, with `visible` false. */
export function movePoint(point: Point, forward: Matrix, { width, height }: Size): Point {
  const { x, y } = mapPoint(forward, point.x, point.y);
  const inside = x >= 0 && y >= 0 && x <= width && y <= height;
  return inside ? { ...point, x, y } : { x, y, visible: false };
}
