/** Boxes and keypoints move with the pixels: a colored rectangle is drawn, transformed, and looked for. */
import { describe, expect, test } from "vitest";
import { rng } from "../../src/random.ts";
import { applyTransforms } from "../../src/transforms/compose.ts";
import type { Image } from "../../src/transforms/image.ts";
import { type Box, moveBox, movePoint } from "../../src/transforms/picture.ts";
import { translation } from "../../src/transforms/resampling/matrix.ts";
import type { TransformSpec } from "../../src/transforms/transform.ts";

const [WIDTH, HEIGHT] = [60, 48];

/** A black picture with the box in white. */
function drawn({ left, top, right, bottom }: Omit<Box, "label">): Image {
  const data = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = top; y < bottom; y++) data.fill(255, (y * WIDTH + left) * 3, (y * WIDTH + right) * 3);
  return { width: WIDTH, height: HEIGHT, data };
}

/** The hull of the pixels that are at least half white. */
function found({ width, height, data }: Image): Omit<Box, "label"> | undefined {
  const hull = { left: width, top: height, right: 0, bottom: 0 };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[(y * width + x) * 3]! < 128) continue;
      hull.left = Math.min(hull.left, x);
      hull.top = Math.min(hull.top, y);
      hull.right = Math.max(hull.right, x + 1);
      hull.bottom = Math.max(hull.bottom, y + 1);
    }
  }
  return hull.right > 0 ? hull : undefined;
}

const LISTS: readonly (readonly TransformSpec[])[] = [
  [{ name: "horizontal-flip", probability: 1 }],
  [{ name: "vertical-flip", probability: 1 }],
  [{ name: "rotate", degrees: 180 }],
  [{ name: "shift", x: 0.4, y: 0.4 }],
  [{ name: "shear", x: 30, y: 20 }],
  [{ name: "zoom", factor: [0.6, 1.8], keepAspect: false }],
  [{ name: "affine", degrees: 40, shift: [0.2, 0.2], zoom: 0.3, shear: [10, 10] }],
  [{ name: "perspective", distortion: 0.6, probability: 1 }],
  [{ name: "keras-affine", rotationRange: 40, zoomRange: 0.3, shearRange: 15, fillMode: "constant" }],
  [{ name: "random-crop", width: 40, height: 30 }],
  [{ name: "random-crop", padding: 10, width: 70, height: 60 }],
  [{ name: "center-crop", width: 30, height: 30 }],
  [{ name: "random-resized-crop", width: 50, height: 40, scale: [0.3, 1] }],
  [{ name: "resize", width: 33, height: 77 }],
  [
    { name: "random-resized-crop", width: 50, height: 50, scale: [0.4, 1] },
    { name: "horizontal-flip" },
    { name: "rotate", degrees: 30 },
    { name: "brightness", range: 0.1 },
    { name: "shift", x: 0.1 },
  ],
];

/** A random box of at least 8 x 8 pixels. */
function randomBox(seed: number): Box {
  const draw = rng(seed).fork("box");
  const whole = (below: number) => Math.floor(draw.next() * below);
  const [left, top] = [whole(35), whole(25)];
  return { left, top, right: left + 8 + whole(16), bottom: top + 8 + whole(14), label: 3 };
}

const SIDES = ["left", "top", "right", "bottom"] as const;

describe.each(LISTS.map((list) => ({ list, names: list.map(({ name }) => name).join(" ") })))("$names", ({ list }) => {
  const moved = Array.from({ length: 60 }, (_, seed) => {
    const box = randomBox(seed);
    const keypoints = [
      { x: box.left, y: box.top },
      { x: box.right, y: box.bottom },
    ];
    return applyTransforms({ image: drawn(box), boxes: [box], keypoints }, list, rng(seed), { minimumVisible: 0 });
  });

  test("boxes stay inside the picture", () => {
    for (const { image, boxes } of moved) {
      for (const { left, top, right, bottom, label } of boxes!) {
        expect(left).toBeGreaterThanOrEqual(0);
        expect(top).toBeGreaterThanOrEqual(0);
        expect(right).toBeLessThanOrEqual(image.width);
        expect(bottom).toBeLessThanOrEqual(image.height);
        expect([left < right, top < bottom, label]).toEqual([true, true, 3]);
      }
    }
  });

  test("boxes move with the pixels", () => {
    let whole = 0;
    for (const { image, boxes } of moved) {
      const [hull, box] = [found(image), boxes![0]];
      if (!hull || !box) continue;
      // No pixel lies outside the box.
      expect(Math.min(hull.left - box.left, hull.top - box.top)).toBeGreaterThanOrEqual(-1);
      expect(Math.max(hull.right - box.right, hull.bottom - box.bottom)).toBeLessThanOrEqual(1);
      if (box.left <= 0 || box.top <= 0 || box.right >= image.width || box.bottom >= image.height) continue;
      // Pixels reach every side of a box that was not clipped, less what a sharp corner loses to blur.
      const loss = list.length > 1 || list[0]!.name === "perspective" ? 4 : 2.5;
      for (const side of SIDES) expect(Math.abs(hull[side] - box[side])).toBeLessThanOrEqual(loss);
      whole++;
    }
    expect(whole).toBeGreaterThan(3);
  });

  test("keypoints are visible inside the picture only", () => {
    for (const { image, keypoints } of moved) {
      expect(keypoints!.length).toBe(2);
      for (const { x, y, visible = true } of keypoints!) {
        const inside = x >= 0 && y >= 0 && x <= image.width && y <= image.height;
        // After several steps one may be inside again, but what it marked is gone.
        expect(inside || !visible).toBe(true);
        if (list.length === 1) expect(visible).toBe(inside);
      }
    }
  });
});

describe("moveBox", () => {
  const size = { width: 10, height: 10 };
  const box = { left: 2, top: 2, right: 6, bottom: 6, label: 1, share: 1 };

  test("clips to the picture and says what share is left", () => {
    expect(moveBox(box, translation(-4, 0), size)).toEqual({
      left: 0,
      top: 2,
      right: 2,
      bottom: 6,
      label: 1,
      share: 0.5,
    });
    expect(moveBox({ ...box, share: 0.5 }, translation(0, 7), size).share).toBeCloseTo(0.125);
    expect(moveBox(box, translation(20, 0), size).share).toBe(0);
    expect(moveBox({ ...box, right: 2 }, translation(0, 0), size).share).toBe(0);
  });

  test("a box that is hardly visible is dropped, also when it leaves in two steps", () => {
    const image = { ...size, data: new Uint8Array(300) };
    const left = (pixels: number) =>
      ({ name: "shift", x: [-pixels, -pixels], unit: "pixels", fill: "nearest" }) as const;
    const kept = (specs: readonly TransformSpec[], minimumVisible: number) =>
      applyTransforms({ image, boxes: [box] }, specs, rng(1), { minimumVisible }).boxes!.length;
    expect([kept([left(4)], 0.5), kept([left(4)], 0.51), kept([left(6)], 0)]).toEqual([1, 0, 0]);
    // Half is lost, comes back into view as other pixels, and half of the rest is lost on the other side.
    const apart = [left(4), { name: "posterize", bits: 8, probability: 1 }, left(-9)] as const;
    expect([kept(apart, 0.25), kept(apart, 0.26)]).toEqual([1, 0]);
  });
});

test("a keypoint that was hidden stays hidden, one that leaves is no longer visible, and order is kept", () => {
  const size = { width: 10, height: 10 };
  expect(movePoint({ x: 1, y: 1, visible: false }, translation(2, 0), size)).toEqual({ x: 3, y: 1, visible: false });
  expect(movePoint({ x: 1, y: 1 }, translation(2, 0), size)).toEqual({ x: 3, y: 1 });
  expect(movePoint({ x: 1, y: 1, visible: true }, translation(-2, 0), size)).toEqual({ x: -1, y: 1, visible: false });
});
