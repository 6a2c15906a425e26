import { describe, expect, test } from "vitest";
import { checkDataset } from "../../src/data/check/check-dataset.ts";
import type { DatasetReport } from "../../src/data/check/dataset-report.ts";
import { imageFolder } from "../../src/data/image-folder.ts";
import type { Dataset } from "../../src/data/sample.ts";
import { checkPage, summaryOf } from "../../src/report/check-page.ts";
import { drawn, jpeg, writePictures } from "../data/check/made-pictures.ts";
import { temporaryFolder } from "../data/made.ts";
import { HOSTILE } from "./hostile-names.ts";

async function made(tree: Parameters<typeof writePictures>[1]): Promise<{ report: DatasetReport; dataset: Dataset }> {
  const root = await temporaryFolder();
  await writePictures(root, tree);
  const dataset = await imageFolder(root, { purpose: "evaluate" });
  return { report: await checkDataset(dataset, { threads: 0 }), dataset };
}

describe("checkPage", () => {
  test("shows each finding with its pictures, and the classes with bars", async () => {
    const { report, dataset } = await made({
      "train/a/1.jpg": 1,
      "train/a/2.jpg": 2,
      "train/b/3.jpg": 3,
      "val/a/1 again.jpg": await jpeg(drawn(1), 40),
      "val/b/4.jpg": 4,
    });
    const text = await checkPage(report, dataset);
    expect(text).toContain("train/a/1.jpg");
    expect(text).toContain("val/a/1 again.jpg");
    expect(text.match(/data:image\/jpeg/g)).toHaveLength(2);
    expect(text).toContain('<td class="number bar">2<div style="width:100.0%"></div></td>');
    expect(text).toContain("1 error<");
    for (const { message } of report.findings)
      expect(text).toContain(message.replace(/["']/g, (c) => `&#${c.charCodeAt(0)};`));
  });

  test("hostile names of files and folders stay text", async () => {
    const possible = HOSTILE.filter(
      (name) => !name.includes("/") && !name.includes("\u0000") && !name.includes("\ud83d"),
    );
    const tree: Record<string, number | string> = { "other/0.jpg": 77 };
    for (const [i, name] of possible.entries()) {
      tree[`${name}/${i}.jpg`] = i;
      tree[`${name}/copy ${name}`] = i;
      tree[`${name}/bad ${name}.jpg`] = "<html>";
    }
    const { report, dataset } = await made(tree);
    const text = await checkPage(report, dataset);
    expect(text.search(/<script|<h1>hi|\u202e|\u2028/)).toBe(-1);
    // Each tag in the page is one of ours.
    const tags = new Set([...text.matchAll(/<\/?([a-z0-9!]+)/gi)].map(([, tag]) => tag!.toLowerCase()));
    const ours =
      "!doctype html head meta title style body header h1 h2 h3 p span table thead tbody tr th td div section figure img figcaption br";
    expect([...tags].filter((tag) => !ours.split(" ").includes(tag))).toEqual([]);
    expect(possible.length).toBeGreaterThan(6);
    expect(report.findings.find(({ kind }) => kind === "duplicates")?.groups).toHaveLength(possible.length);
  });

  test("does not grow with the number of findings", async () => {
    const { report, dataset } = await made({ "a/1.jpg": 1, "b/2.jpg": 2 });
    const file = { path: "a/1.jpg", file: dataset.samples[0]!.file };
    const many = Array.from({ length: 5000 }, () => [file, file]);
    const finding = {
      kind: "duplicates",
      severity: "info",
      message: "Many.",
      advice: "",
      files: many.flat(),
      groups: many,
    } as const;
    const text = await checkPage({ ...report, findings: Array.from({ length: 40 }, () => finding) }, dataset);
    expect(text.match(/<img/g)).toHaveLength(400);
    expect(text).toContain("and 4976 more");
  });
});

test("summaryOf counts in words", () => {
  const facts = { images: 3, undecodable: 1, formats: { jpeg: 2 }, medianSize: { shorter: 20, longer: 30 } };
  expect(summaryOf(facts as unknown as DatasetReport)).toBe(
    "3 images: 2 JPEG, 1 that cannot be read, median sides 20 and 30 pixels.",
  );
});
