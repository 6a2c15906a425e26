import { describe, expect, test } from "vitest";
import { rng } from "../../src/random.ts";
import { applyTransforms } from "../../src/transforms/compose.ts";
import {
  AUGMENTATION_LEVELS,
  type AugmentationPresetOptions,
  augmentationPreset,
  chooseAugmentation,
} from "../../src/transforms/presets.ts";
import { scene } from "./pixels/scene.ts";

const flowers: AugmentationPresetOptions = { samples: 300, classes: ["daisy", "rose"], task: "single-label" };
const names = (options: AugmentationPresetOptions) =>
  augmentationPreset(options).augmentation.transforms.map(({ name }) => name);

describe("single-label", () => {
  test("few images get crop, flip, a turn and light color", () => {
    expect(augmentationPreset(flowers).augmentation.transforms).toEqual([
      { name: "random-resized-crop", scale: [0.5, 1] },
      { name: "horizontal-flip", probability: 0.5 },
      { name: "rotate", degrees: [-10, 10], fill: "reflect" },
      { name: "color-jitter", brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.02 },
    ]);
  });

  test("2000 images get TrivialAugment and erasing too", () => {
    expect(names({ ...flowers, samples: 1999 })).not.toContain("trivial-augment");
    expect(names({ ...flowers, samples: 2000 })).toEqual([
      ...["random-resized-crop", "horizontal-flip", "rotate", "color-jitter", "trivial-augment", "erasing"],
    ]);
    expect(augmentationPreset({ ...flowers, samples: 2000 }).level).toBe("medium");
  });

  test("a level that is asked for is taken, and said", () => {
    const { level, reasons, augmentation } = augmentationPreset({ ...flowers, level: "strong" });
    expect(level).toBe("strong");
    expect(reasons[0]).toBe("Augmentation is strong: asked for.");
    expect(augmentation.transforms).toContainEqual({ name: "erasing", probability: 0.25 });
    expect(augmentation.transforms).toContainEqual({ name: "random-resized-crop", scale: [0.35, 1] });
    expect(names({ ...flowers, level: "none" })).toEqual([]);
  });

  test("digits are not mirrored, and it says so", () => {
    const digits = { ...flowers, classes: ["0", "1", "2"] };
    expect(names(digits)).not.toContain("horizontal-flip");
    expect(augmentationPreset(digits).reasons.join(" ")).toMatch(/not mirrored: .* are numbers/);
  });
});

test("several labels are cropped less and not erased", () => {
  const options = { ...flowers, task: "multi-label", level: "strong" } as const;
  expect(names(options)).not.toContain("erasing");
  expect(augmentationPreset(options).augmentation.transforms[0]).toMatchObject({ scale: [0.8, 1] });
  expect(augmentationPreset(options).reasons.join(" ")).toMatch(/still be its target/);
});

test("values move no pixel at any level, and it says so", () => {
  for (const level of AUGMENTATION_LEVELS.slice(1)) {
    const { augmentation, reasons } = augmentationPreset({
      samples: 5000,
      classes: ["angle"],
      task: "regression",
      level,
    });
    const allowed = ["color-jitter", "trivial-augment", "rand-augment"];
    expect(augmentation.transforms.every(({ name }) => allowed.includes(name))).toBe(true);
    for (const spec of augmentation.transforms.slice(1)) expect(spec).toMatchObject({ geometric: false });
    expect(reasons.join(" ")).toMatch(/no pixel moves/);
  }
});

test("every preset is JSON, works on a picture, and never turns it upside down", () => {
  for (const task of ["single-label", "multi-label", "regression"] as const) {
    for (const level of AUGMENTATION_LEVELS) {
      const { augmentation, reasons } = augmentationPreset({ ...flowers, task, level });
      expect(JSON.parse(JSON.stringify(augmentation))).toEqual(augmentation);
      expect(augmentation.transforms.map(({ name }) => name)).not.toContain("vertical-flip");
      expect(reasons.every((reason) => reason.endsWith("."))).toBe(true);
      for (let seed = 0; seed < 5; seed++) {
        const { image } = applyTransforms({ image: scene() }, augmentation.transforms, rng(seed), {
          width: 24,
          height: 24,
        });
        expect(image.data.length).toBe(image.width * image.height * 3);
      }
    }
  }
});

describe("what cannot be is refused", () => {
  test.each<[unknown, RegExp]>([
    [{ ...flowers, level: "y" }, /level requires one of none, light, medium, strong, got "y"/],
    [{ ...flowers, level: "stronk" }, /Did you mean "strong"/],
    ["strong", /augmentationPreset requires an object of options, got "strong"/],
    [{ ...flowers, task: "single" }, /task requires one of .*Did you mean "single-label"/],
    [{ ...flowers, samples: undefined }, /samples requires a whole number/],
    [{ ...flowers, classes: 5 }, /classes requires a list of names, got 5/],
    [{ ...flowers, lvl: "strong" }, /no option "lvl"/],
  ])("augmentationPreset(%j)", (options, message) => {
    expect(() => augmentationPreset(options as AugmentationPresetOptions)).toThrow(message);
  });

  test("chooseAugmentation", () => {
    const choose = (asked: unknown) => chooseAugmentation(asked as "none", flowers);
    expect(() => choose("stronk")).toThrow(/got "stronk"\. Did you mean "strong"/);
    expect(() => choose(7)).toThrow(/a list of transforms, got 7/);
    expect(() => choose([{ name: "invrt" }])).toThrow(/Did you mean "invert"/);
    expect(choose([{ name: "invert" }])).toMatchObject({ level: undefined, augmentation: { version: 1 } });
    expect(choose(undefined).level).toBe("light");
  });
});
