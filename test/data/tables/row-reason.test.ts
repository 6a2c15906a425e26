import { expect, test } from "vitest";
import { defectFindings, type ScannedFile } from "../../../src/data/check/file-findings.ts";
import { describeReasons, ReasonCounts, rowOfReason, rowReason } from "../../../src/data/tables/row-reason.ts";

test("a reason is recognized with its line, also where names and problems look like one", () => {
  for (const problem of ["has no label", 'has "x (line 3 of y)" for "v", which is no number']) {
    const reason = rowReason(problem, { line: 12, table: "data/a (1).csv" });
    expect(reason).toBe(`${problem} (line 12 of a (1).csv)`);
    expect(rowOfReason(reason)).toEqual({ problem, line: 12 });
  }
  for (const reason of ["does not exist", "is outside of class folders", "has (line x of y)", ""])
    expect(rowOfReason(reason)).toBeUndefined();
});

test("problems that are alike but for names and numbers are counted together, the most frequent first", () => {
  const reasons = ["has no label", 'has "1,5" for "y"', 'has "2,5" for "y"', "is late", "is odd"].map((problem, i) => ({
    reason: rowReason(problem, { line: i + 2, table: "t.csv" }),
    name: `${i}.png`,
  }));
  expect(describeReasons(reasons)).toBe(
    '1.png has "1,5" for "y" (line 3 of t.csv); 1 more like it; 0.png has no label (line 2 of t.csv); ' +
      "3.png is late (line 5 of t.csv); 1 with other reasons",
  );
  expect(describeReasons([])).toBe("");
});

test("ever new problems take bounded memory", () => {
  const counts = new ReasonCounts();
  const word = (i: number): string => [...String(i)].map((digit) => "abcdefghij"[Number(digit)]).join("");
  for (let i = 0; i < 1000; i++) counts.add(word(i), word(i));
  expect(counts.describe(1)).toBe("a; 999 with other reasons");
});

test("a check tells lost rows from files that cannot be used", () => {
  const picture = { facts: {} } as unknown as ScannedFile["scanned"]; // only whether it has a defect is read
  const missing = { defect: "unreadable", problem: "does not exist" } as ScannedFile["scanned"];
  const file = (path: string, scanned: ScannedFile["scanned"], problem?: string): ScannedFile => ({
    ...{ path, file: `/d/${path}`, scanned },
    skipped: problem && rowReason(problem, { line: 3, table: "t.csv" }),
  });
  const findings = defectFindings([
    file("a.png", picture),
    file("b.png", picture, "has no label"),
    file("c.png", missing, "has no label"),
    file("t.csv", { defect: "not-an-image", problem: "is not an image" } as ScannedFile["scanned"], "names no image"),
    file("gone", missing, "does not exist"),
  ]);
  expect(findings.map(({ kind, severity, files }) => [kind, severity, files.map(({ path }) => path)])).toEqual([
    ["unreadable", "error", ["gone"]],
    ["row-skipped", "warning", ["b.png", "c.png", "t.csv"]],
  ]);
  expect(findings[1]!.message).toBe(
    "3 of 4 rows are not used: b.png has no label (line 3 of t.csv); 1 more like it; t.csv names no image (line 3 of t.csv).",
  );
});
