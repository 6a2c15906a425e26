import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { scanFiles } from "../../../src/data/check/scan-files.ts";
import { temporaryFolder } from "../made.ts";
import { drawn, jpeg, writePictures } from "./made-pictures.ts";

async function files(count: number): Promise<readonly string[]> {
  const root = await temporaryFolder();
  const tree = Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.jpg`, i]));
  await writePictures(root, { ...tree, "broken.jpg": (await jpeg(drawn(1))).subarray(0, 900), "text.jpg": "hello" });
  return [...Object.keys(tree), "broken.jpg", "text.jpg", "gone.jpg"].map((name) => join(root, name));
}

describe("scanFiles", () => {
  test("gives the same for 0, 1 and 2 threads, in the files' order", async () => {
    const list = await files(21);
    const here = await scanFiles(list, { threads: 0 });
    expect(here.map((result) => ("defect" in result ? result.defect : "fine")).slice(-4)).toEqual([
      "fine",
      "truncated",
      "not-an-image",
      "unreadable",
    ]);
    for (const threads of [1, 2]) expect(await scanFiles(list, { threads })).toEqual(here);
  });

  test("scans images in memory, too", async () => {
    const [scanned] = await scanFiles([await jpeg(drawn(7))], { threads: 1 });
    expect(scanned).toMatchObject({ facts: { format: "jpeg", width: 160 } });
  });

  test("counts up to the number of files", async () => {
    const list = await files(20);
    const counts: number[] = [];
    await scanFiles(list, { threads: 0, onProgress: (done, total) => counts.push(done, total) });
    expect(counts.slice(-2)).toEqual([list.length, list.length]);
  });

  test("stops when it is told to", async () => {
    const controller = new AbortController();
    const work = scanFiles(await files(60), {
      threads: 1,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(work).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("refuses a number of threads that cannot be, and names a worker file that is missing", async () => {
    await expect(scanFiles(["a"], { threads: -1 })).rejects.toThrow(RangeError);
    await expect(scanFiles(["a.jpg"], { threads: 1, workerFile: "/nowhere/worker.js" })).rejects.toMatchObject({
      code: "BAD_DATA",
    });
  });
});
