import { describe, expect, test } from "vitest";
import { type Layout, readLayout } from "../../src/data/layout.ts";

function layoutOf(
  files: readonly string[],
  empty: readonly string[] = [],
  purpose: "train" | "evaluate" = "train",
): Layout {
  const folders = new Set(empty);
  for (const path of files) {
    const parts = path.split("/");
    for (let i = 1; i < parts.length; i++) folders.add(parts.slice(0, i).join("/"));
  }
  const found = files.map((path) => ({ path, file: `root/${path}` }));
  return readLayout("root", { files: found, folders: [...folders].sort(), hidden: [], skipped: [] }, purpose);
}

const placed = ({ placed: files }: Layout): string[] =>
  files.map(({ path, className, split }) => `${path} ${className} ${split}`);

describe("readLayout", () => {
  test("takes top folders for classes", () => {
    const layout = layoutOf(["a/1", "b/x/2", "loose"], ["empty"]);
    expect(placed(layout)).toEqual(["a/1 a train", "b/x/2 b train"]);
    expect(layout.strays.map(({ path }) => path)).toEqual(["loose"]);
    expect(layout.folders.map(({ path }) => path)).toEqual(["a", "b", "empty"]);
  });

  test("takes folders below split folders for classes", () => {
    const layout = layoutOf(["train/a/1", "train/b/x/2", "val/a/3", "train/loose", "loose"]);
    expect(placed(layout)).toEqual(["train/a/1 a train", "train/b/x/2 b train", "val/a/3 a validation"]);
    expect(layout.strays.map(({ path }) => path)).toEqual(["train/loose", "loose"]);
    expect(layout.folders.map(({ path }) => path)).toEqual(["train/a", "train/b", "val/a"]);
  });

  test("takes train alone for a split, and among classes for a class", () => {
    expect(layoutOf(["train/a/1", "train/b/1"], ["logs"]).kind).toBe("splits");
    expect(layoutOf(["train/1", "bus/1"]).kind).toBe("classes");
    expect(layoutOf(["train/freight/1", "bus/1"]).kind).toBe("classes");
    expect(layoutOf(["train/freight/1", "test/exam/1", "bus/1"]).kind).toBe("splits");
    expect(layoutOf(["test/1", "bus/1"]).kind).toBe("classes");
    expect(layoutOf(["test/1", "val/1"]).kind).toBe("classes");
  });

  test("refuses splits without train, except to evaluate", () => {
    expect(() => layoutOf(["val/a/1", "test/b/1"])).toThrow(/no train folder/);
    expect(placed(layoutOf(["val/a/1", "test/b/1"], [], "evaluate"))).toEqual([
      "val/a/1 a validation",
      "test/b/1 b test",
    ]);
    expect(placed(layoutOf(["val/1", "test/1"], [], "evaluate"))).toEqual(["val/1 val train", "test/1 test train"]);
  });
});
