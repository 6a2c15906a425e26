import { expect, test } from "vitest";
import type { Dataset, Sample } from "../../src/data/sample.ts";
import { planAugmentation, viewsOf } from "../../src/train/augment-plan.ts";

const sample = (i: number, split: Sample["split"]): Sample => {
  return { file: `${i}`, path: `${i}`, target: [i % 2], split, sha256: `${i}`, bytes: 1 };
};
const data: Dataset = {
  ...{ root: "photos", task: "single-label", classes: ["cat", "dog"], skipped: [], notes: [], splitSource: "folders" },
  samples: [...Array.from({ length: 10 }, (_, i) => sample(i, "train")), sample(10, "validation")],
};

test("without a word, a frozen network gets as many views as are cheap", () => {
  const many = (count: number): Dataset => ({
    ...data,
    samples: Array.from({ length: count }, (_, i) => sample(i, "train")),
  });
  const viewsOf = (count: number): number => planAugmentation({}, many(count), true).views;
  expect([1, 10, 125, 126, 500, 1000, 1001].map(viewsOf)).toEqual([8, 8, 8, 7, 2, 1, 0]);
  expect(planAugmentation({}, many(1001), true)).toEqual({ augmentation: undefined, views: 0, notes: [] });
  expect(planAugmentation({ views: 2 }, many(1001), true).views).toBe(2);
});

test("without a word, there are no views for values and several labels", () => {
  for (const task of ["regression", "multi-label"] as const) {
    expect(planAugmentation({}, { ...data, task }, true).views).toBe(0);
    expect(planAugmentation({ augmentation: "light" }, { ...data, task }, true).views).toBe(8);
    expect(planAugmentation({}, { ...data, task }, false).augmentation).toBeDefined();
  }
});

test("without a word, a network that trains from the image on sees a new view in every epoch", () => {
  const all = planAugmentation({}, data, false);
  expect(all.augmentation?.transforms.map(({ name }) => name)).toContain("random-resized-crop");
  expect(all.views).toBe(0);
  expect(all.notes.at(-1)).toBe("augment   Training sees a new random view of each training image in every epoch.");
});

test("views say what they cost before it is paid", () => {
  const plan = planAugmentation({ augmentation: "light", views: 3 }, data, true);
  expect(plan.views).toBe(3);
  expect(plan.notes.at(-1)).toContain("3 random views of each training image: 30 more runs of the frozen part");
  expect(planAugmentation({ augmentation: "light" }, data, true).views).toBe(8);
  expect(planAugmentation({ views: 2 }, data, true).augmentation).toBeDefined();
});

test("none is none, whatever else is asked", () => {
  const none = { augmentation: undefined, views: 0, notes: [] };
  expect(planAugmentation({ augmentation: "none", views: 0 }, data, true)).toEqual(none);
  expect(planAugmentation({ augmentation: "none" }, data, false)).toEqual(none);
  expect(planAugmentation({ augmentation: { version: 1, transforms: [] } }, data, false)).toEqual(none);
  for (const augmentation of ["none", { version: 1, transforms: [] }, []] as const)
    expect(() => planAugmentation({ augmentation, views: 5 }, data, true)).toThrow(
      /views requires an augmentation that changes images, got views 5 and none/,
    );
});

test("an augmentation that was asked for and does nothing is said to do nothing", () => {
  const plan = planAugmentation({ augmentation: "strong", views: 0 }, data, true);
  expect(plan).toMatchObject({ augmentation: undefined, views: 0 });
  expect(plan.notes).toEqual([expect.stringMatching(/^augment {3}none: views 0, .*--views 1, for 10 more runs/)]);
  const many = { ...data, samples: Array.from({ length: 1500 }, (_, i) => sample(i, "train")) };
  const { notes } = planAugmentation({ augmentation: "strong" }, many, true);
  expect(notes).toEqual([expect.stringMatching(/^augment {3}none: views is 0 by default for 1500 training images/)]);
  expect(planAugmentation({ views: 0 }, data, true).notes).toEqual([]);
});

test("a word that is no level is refused with the nearest one", () => {
  const wrong = { augmentation: "stronk" as unknown as "strong" };
  expect(() => planAugmentation(wrong, data, true)).toThrow(/got "stronk"\. Did you mean "strong"\?/);
});

test("a list of one's own is checked", () => {
  const own = { version: 1, transforms: [{ name: "vertical-flip", probability: 1 }] } as const;
  expect(planAugmentation({ augmentation: own, views: 1 }, data, true).augmentation).toEqual(own);
  const wrong = { version: 1, transforms: [{ name: "vertical-flop" }] } as unknown as typeof own;
  expect(() => planAugmentation({ augmentation: wrong }, data, false)).toThrow(/Did you mean "vertical-flip"/);
});

test.each([
  [-1, /a whole number from 0 to 1000, got -1/],
  [1.5, /got 1.5/],
  [1001, /got 1001/],
])("%d views are refused", (views, message) => {
  expect(() => planAugmentation({ views }, data, true)).toThrow(message);
});

test("views without a frozen part are refused, with the reason", () => {
  expect(() => planAugmentation({ views: 2 }, data, false)).toThrow(
    /requires a frozen part.*every epoch sees a new view/,
  );
});

test("rows show views that are kept where there are any, else new ones in every epoch, else clean images", () => {
  const of = (options: Parameters<typeof planAugmentation>[0], frozen: boolean) =>
    viewsOf(planAugmentation(options, data, frozen), 7);
  const { augmentation } = planAugmentation({ augmentation: "medium", views: 3 }, data, true);
  const kept = { augmentation, seed: 7, count: 3 };
  expect(of({ augmentation: "medium", views: 3 }, true)).toEqual({ views: kept, augmented: kept });
  expect(of({ augmentation: "medium" }, false)).toEqual({ views: undefined, augmented: { augmentation, seed: 7 } });
  expect(of({ augmentation: "none" }, false)).toEqual({ views: undefined, augmented: undefined });
});
