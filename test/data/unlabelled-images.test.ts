import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { unlabelledImages } from "../../src/data/unlabelled-images.ts";
import { writeColorImages } from "../models/tiny.ts";

let folder: string;

beforeAll(async () => {
  folder = await writeColorImages(join(await mkdtemp(join(tmpdir(), "rootstock-unlabelled-")), "images"), 10);
});

describe("images without labels", () => {
  test("are all images below the paths, some of them held out", async () => {
    const data = await unlabelledImages([folder], { validation: 0.1 });
    expect(data.samples).toHaveLength(30);
    expect(data.samples.filter(({ split }) => split === "validation")).toHaveLength(3);
    const other = await unlabelledImages([folder], { validation: 0.1, seed: 1 });
    expect(other.samples.map(({ split }) => split)).not.toEqual(data.samples.map(({ split }) => split));
  });

  test("may be drawn, beside others or alone", async () => {
    const both = await unlabelledImages([folder], { drawings: 4 });
    expect(both.samples.filter(({ content }) => content !== undefined)).toHaveLength(4);
    expect(both.samples).toHaveLength(34);
    const drawn = await unlabelledImages([], { drawings: 4 });
    expect(drawn.samples.map(({ sha256 }) => sha256).toSorted()).toEqual(
      both.samples.flatMap(({ content, sha256 }) => (content ? [sha256] : [])).toSorted(),
    );
  });

  test("are at least two", async () => {
    await expect(unlabelledImages([join(folder, "none")])).rejects.toThrow(
      /requires at least two images, got 0 in .*none: .*none does not exist/,
    );
    await expect(unlabelledImages([], { drawings: 1e6 })).rejects.toThrow("drawings requires at most");
    await expect(unlabelledImages([folder], { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "ABORTED",
    });
  });
});
