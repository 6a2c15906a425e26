import { describe, expect, test } from "vitest";
import { rng } from "../../src/random.ts";
import { applyTransforms, plan } from "../../src/transforms/compose.ts";
import { resize } from "../../src/transforms/resampling/resize.ts";
import type { Step } from "../../src/transforms/steps.ts";
import type { TransformSpec } from "../../src/transforms/transform.ts";
import { difference } from "./golden.ts";
import { crop, picture } from "./picture.ts";

const image = picture(48, 36);
const frame = { width: 48, height: 36, target: { width: 24, height: 24 }, interpolation: "bilinear" as const };

const five: readonly TransformSpec[] = [
  { name: "rotate", degrees: [20, 20], fill: "reflect" },
  { name: "shift", x: [0.1, 0.1], y: 0.1, fill: "reflect" },
  { name: "shear", x: 10, fill: "reflect" },
  { name: "zoom", factor: [0.8, 1.2], fill: "reflect" },
  { name: "affine", degrees: 30, shift: [0.1, 0.1], fill: "reflect" },
];

/** The kinds of the steps that are carried out. */
function kinds(specs: readonly TransformSpec[], seed = 1): string[] {
  const steps: Step[] = [];
  applyTransforms({ image }, specs, rng(seed), { width: 24, height: 24, onStep: (step) => steps.push(step) });
  expect(plan(specs, frame, rng(seed)).map(({ kind }) => kind)).toEqual(steps.map(({ kind }) => kind));
  return steps.map(({ kind }) => kind);
}

describe("neighbouring transforms are joined", () => {
  test("a chain of five affine transforms resamples once", () => {
    expect(kinds(five)).toEqual(["warp"]);
  });

  test("flips and perspectives beside them join in", () => {
    const flip = { name: "horizontal-flip", probability: 1 } as const;
    const side = { name: "perspective", probability: 1, fill: "reflect" } as const;
    expect(kinds([flip, ...five, side, { name: "vertical-flip", probability: 1 }])).toEqual(["warp"]);
  });

  test("one resampling is sharper than five, and shows the same", () => {
    const smooth = resize(resize(picture(48, 36), { width: 6, height: 5 }), { width: 48, height: 36 });
    const once = applyTransforms({ image: smooth }, five, rng(3)).image;
    let step = { image: smooth };
    const source = rng(3);
    for (const [i, spec] of five.entries()) {
      // The same draws one by one: a list whose other entries do nothing.
      const alone = five.map((other, j) => (i === j ? spec : { ...other, probability: 0 }));
      step = applyTransforms(step, alone, source);
    }
    const middle = (of: typeof image) => crop(of, 16, 12, 16, 12).data;
    const { mean } = difference(middle(once), middle(step.image));
    expect(mean).toBeGreaterThan(0);
    expect(mean).toBeLessThan(6);
  });

  test("not across other fills, other interpolations and pixel transforms", () => {
    const rotate = { name: "rotate", degrees: [20, 20] } as const;
    expect(kinds([rotate, { ...rotate, fill: "wrap" }])).toEqual(["warp", "warp"]);
    expect(kinds([rotate, { ...rotate, value: 9 }])).toEqual(["warp", "warp"]);
    expect(kinds([rotate, { ...rotate, value: [0, 0, 0] }, { ...rotate, value: 0 }])).toEqual(["warp"]);
    expect(
      kinds([
        { ...rotate, fill: "wrap", value: 3 },
        { ...rotate, fill: "wrap" },
      ]),
    ).toEqual(["warp"]);
    expect(kinds([rotate, { ...rotate, interpolation: "nearest" }])).toEqual(["warp", "warp"]);
    expect(kinds([rotate, { name: "invert", probability: 1 }, rotate])).toEqual(["warp", "pixels", "warp"]);
  });

  test("a rotation and its opposite leave the picture as it is", () => {
    const there = { name: "rotate", degrees: [30, 30] } as const;
    const result = applyTransforms({ image }, [there, { name: "rotate", degrees: [-30, -30] }], rng(1)).image;
    expect(difference(result.data, image.data).most).toBeLessThanOrEqual(1);
  });

  test("two flips cancel, and flips alone copy pixels", () => {
    const flip = { name: "horizontal-flip", probability: 1 } as const;
    expect(kinds([flip])).toEqual(["flip"]);
    expect(kinds([flip, flip])).toEqual([]);
    expect(applyTransforms({ image }, [flip, flip], rng(1)).image).toBe(image);
    expect(kinds([flip, { name: "vertical-flip", probability: 1 }, flip])).toEqual(["flip"]);
  });

  test("a crop and a resizing are one antialiased resizing, in both orders", () => {
    const cut = { name: "center-crop", width: 30, height: 20 } as const;
    const small = { name: "resize", width: 12, height: 10 } as const;
    expect(kinds([cut, small])).toEqual(["resize"]);
    const result = applyTransforms({ image }, [cut, small], rng(1)).image;
    expect(result).toEqual(resize(crop(image, 9, 8, 30, 20), { width: 12, height: 10 }));
    expect(kinds([{ ...small, width: 40, height: 30 }, cut])).toEqual(["resize"]);
    const other = applyTransforms({ image }, [{ ...small, width: 40, height: 30 }, cut], rng(1)).image;
    expect(other).toEqual(crop(resize(image, { width: 40, height: 30 }), 5, 5, 30, 20));
  });

  test("a crop after a warp is a window of it", () => {
    const rotate = { name: "rotate", degrees: [20, 20] } as const;
    expect(kinds([rotate, { name: "center-crop", width: 20, height: 10 }])).toEqual(["warp"]);
    const whole = applyTransforms({ image }, [rotate], rng(1)).image;
    const part = applyTransforms({ image }, [rotate, { name: "center-crop", width: 20, height: 10 }], rng(1)).image;
    expect(difference(part.data, crop(whole, 14, 13, 20, 10).data).most).toBeLessThanOrEqual(1);
  });

  test("a padding crop keeps its own fill", () => {
    const padded = { name: "center-crop", width: 60, height: 40, value: 7 } as const;
    expect(kinds([{ name: "rotate", degrees: [20, 20] }, padded])).toEqual(["warp", "crop"]);
    expect(kinds([padded, { name: "resize", width: 20, height: 20 }])).toEqual(["crop", "resize"]);
  });
});

describe("randomness", () => {
  const rotate: TransformSpec = { name: "rotate", degrees: 30 };
  const shift: TransformSpec = { name: "shift", x: 0.2, y: 0.2, fill: "wrap" };

  test("each transform draws for itself: changing one leaves the others' draws", () => {
    const last = (specs: readonly TransformSpec[]) => plan(specs, frame, rng(5)).at(-1);
    expect(last([rotate, shift])).toEqual(last([{ name: "shear", x: 20 }, shift]));
    expect(last([rotate, shift])).toEqual(last([{ ...rotate, probability: 0 }, shift]));
    expect(last([rotate, shift])).not.toEqual(last([shift]));
  });

  test("the same seed gives the same steps", () => {
    expect(plan([rotate, shift], frame, rng("a"))).toEqual(plan([rotate, shift], frame, rng("a")));
  });
});

describe("applyTransforms", () => {
  test("without transforms returns the same picture", () => {
    const marked = { image, boxes: [] };
    expect(applyTransforms(marked, [], rng(1))).toBe(marked);
    expect(applyTransforms(marked, [{ name: "rotate", degrees: 20, probability: 0 }], rng(1))).toBe(marked);
    expect(applyTransforms({ image }, [{ name: "grayscale", probability: 0 }], rng(1)).image).toBe(image);
  });

  test("sizing transforms make the target unless they say otherwise", () => {
    const sized = (spec: TransformSpec) => {
      const { width, height } = applyTransforms({ image }, [spec], rng(1), { width: 20, height: 10 }).image;
      return [width, height];
    };
    expect(sized({ name: "random-resized-crop" })).toEqual([20, 10]);
    expect(sized({ name: "random-crop", height: 5 })).toEqual([20, 5]);
    expect(sized({ name: "resize", shorterSide: 18 })).toEqual([24, 18]);
    expect(sized({ name: "rotate", degrees: 5 })).toEqual([48, 36]);
  });

  test("a zoom that shrinks by two or more is antialiased, unless it reads the nearest pixel", () => {
    const stripes = {
      width: 64,
      height: 64,
      data: Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (Math.floor(i / 3) % 2) * 255),
    };
    const spread = (interpolation: "nearest" | "bilinear") => {
      const zoom = { name: "zoom", factor: [0.23, 0.23], fill: "reflect", interpolation } as const;
      const { data } = applyTransforms({ image: stripes }, [zoom], rng(1)).image;
      return Math.max(...data) - Math.min(...data);
    };
    expect(spread("bilinear")).toBeLessThan(60); // without it, stripes of full contrast at wrong places
    expect(spread("nearest")).toBe(255);
  });

  test("policies that move pixels are refused for pictures with marks, in words", () => {
    const marked = { image, boxes: [{ left: 0, top: 0, right: 5, bottom: 5, label: 0 }] };
    expect(() => applyTransforms(marked, [{ name: "rand-augment" }], rng(1))).toThrow(
      /"rand-augment".*geometric to false/,
    );
    expect(applyTransforms(marked, [{ name: "rand-augment", geometric: false }], rng(1)).boxes).toEqual(marked.boxes);
    expect(() => applyTransforms(marked, [], rng(1), { minimumVisible: 2 })).toThrow(/share from 0 to 1/);
  });
});

describe("what cannot be is refused", () => {
  const apply = (specs: unknown, of: unknown = image) =>
    applyTransforms({ image: of as typeof image }, specs as readonly TransformSpec[], rng(1));

  test.each<[unknown, RegExp]>([
    [[{ name: "nope" }], /there is no transform "nope"/],
    [[{ name: "rotat" }], /Did you mean "rotate"/],
    [
      [{ name: "rotate" }],
      /rotate's degrees requires a number, or \[lowest, highest\], of finite numbers, got undefined/,
    ],
    [[null], /a transform requires a name, got null/],
    [undefined, /transforms requires a list/],
  ])("the transforms %j", (specs, message) => {
    expect(() => apply(specs)).toThrow(expect.objectContaining({ code: "BAD_CONFIG" }));
    expect(() => apply(specs)).toThrow(message);
  });

  test.each<[unknown, RegExp]>([
    [{ width: 2, height: 2, data: new Uint8Array(16) }, /3 \* width \* height bytes of R, G, B, got 16 bytes for 2x2/],
    [{ width: 2, height: 2, data: new Float32Array(12) }, /data that are no Uint8Array/],
    [{ width: 0, height: 2, data: new Uint8Array(0) }, /width and height from 1.*for 0x2/],
    [{ width: 1.5, height: 2, data: new Uint8Array(9) }, /for 1.5x2/],
    [null, /a picture requires/],
  ])("the picture %j", (of, message) => {
    expect(() => apply([], of)).toThrow(expect.objectContaining({ code: "BAD_DATA" }));
    expect(() => apply([], of)).toThrow(message);
  });
});
