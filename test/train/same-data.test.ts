import { expect, test } from "vitest";
import type { Manifest } from "../../src/data/sample.ts";
import { dataChanges } from "../../src/train/same-data.ts";

const MANIFEST: Manifest = {
  version: 2,
  task: "single-label",
  classes: ["cat", "dog"],
  splitSource: "folders",
  samples: ["a", "b", "c", "d"].map((name, i) => ({
    path: `photos/${name}.png`,
    target: [i % 2],
    split: i < 3 ? "train" : "validation",
    sha256: name.repeat(64),
  })),
};
const { samples } = MANIFEST;
const [first, second, third, fourth] = samples as unknown as readonly [Item, Item, Item, Item];
type Item = Manifest["samples"][number];

/** As it was written and read. */
const RECORD: unknown = JSON.parse(JSON.stringify(MANIFEST));
const changed = (...items: readonly Item[]): Manifest => ({ ...MANIFEST, samples: items });

test.each<[string, Manifest]>([
  ["at all", MANIFEST],
  ["but how they were split", { ...MANIFEST, splitSource: "saved" }],
  ["but where they are", changed(...samples.map((item) => ({ ...item, path: `../moved/${item.path}` })))],
])("nothing has changed %s", (_, now) => {
  expect(dataChanges(RECORD, now)).toBeUndefined();
});

test.each<[string, Manifest, string]>([
  ["a task", { ...MANIFEST, task: "multi-label" }, "the task was single-label and is multi-label"],
  ["classes", { ...MANIFEST, classes: ["dog", "cat"] }, 'the classes were ["cat","dog"] and are ["dog","cat"]'],
  ["one less", changed(first, third, fourth), "1 image differs (there were 4, now 3): photos/b.png is missing"],
  [
    "one more",
    changed(...samples, { ...first, path: "new", sha256: "e" }),
    "1 image differs (there were 4, now 5): new is new",
  ],
  [
    "a content",
    changed(first, { ...second, sha256: "0" }, third, fourth),
    "1 image differs (there were 4, now 4): photos/b.png has another content",
  ],
  [
    "a target, a split and a weight",
    changed({ ...first, target: [1] }, { ...second, split: "test" }, { ...third, weight: 2 }, fourth),
    "3 images differ (there were 4, now 4): photos/a.png had the target [0] and has [1], photos/b.png had the split train and has test, photos/c.png had the weight none and has 2",
  ],
  [
    "a name and a target",
    changed({ ...first, path: "other", target: [1] }, second, third, fourth),
    "1 image differs (there were 4, now 4): other had the target [0] and has [1]",
  ],
  [
    "everything",
    changed(...samples.map((item) => ({ ...item, path: `new/${item.path}`, sha256: `x${item.sha256}` }))),
    "8 images differ (there were 4, now 4): photos/a.png is missing, photos/b.png is missing, photos/c.png is missing and 5 more",
  ],
  [
    "the order",
    changed(second, first, third, fourth),
    "the images are the same, but in another order: their names or places have changed",
  ],
])("%s: what differs is named", (_, now, words) => {
  expect(dataChanges(RECORD, now)).toBe(words);
});

test.each([undefined, null, 3, "x", [], {}, { samples: 3 }, { samples: [null] }, { samples: [{}, "x"] }])(
  "a record that is none: %j",
  (record) => {
    expect(dataChanges(record, MANIFEST)).toBe("the record is no list of images");
  },
);

test("a record of a million images of one name is compared in a moment", () => {
  const many = { ...MANIFEST, samples: new Array(1e6).fill({ path: "a", sha256: "b" }) };
  const start = performance.now();
  expect(dataChanges(many, MANIFEST)).toMatch(/^1000004 images differ/);
  expect(performance.now() - start).toBeLessThan(10_000);
});
