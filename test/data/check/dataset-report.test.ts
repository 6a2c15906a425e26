import { expect, test } from "vitest";
import {
  bySeverity,
  type DatasetReport,
  duplicateClusters,
  type Finding,
  leaksOf,
  quarantineOf,
  withFindings,
} from "../../../src/data/check/dataset-report.ts";

function finding(kind: Finding["kind"], severity: Finding["severity"], quarantine?: readonly string[]): Finding {
  return { kind, severity, message: kind, advice: "", files: [], quarantine };
}

const report: DatasetReport = {
  version: 1,
  root: "d",
  task: "single-label",
  images: 4,
  undecodable: 0,
  splits: { train: 4, validation: 0, test: 0 },
  classes: [],
  formats: {},
  findings: [finding("leak", "error", ["b", "a"]), finding("group-leak", "error"), finding("dark", "warning", ["b"])],
  clusters: [{ samples: [0, 3], kind: "near" }],
};

test("leaks are copies and groups in two splits", () => {
  expect(leaksOf(report).map(({ kind }) => kind)).toEqual(["leak", "group-leak"]);
});

test("the quarantine list has each file once", () => {
  expect(quarantineOf(report)).toEqual(["a", "b"]);
});

test("clusters become lists of indices", () => {
  expect(duplicateClusters(report)).toEqual([[0, 3]]);
});

test("added findings take their place by severity", () => {
  const more = withFindings(report, [finding("label-error", "warning"), finding("empty-file", "error")]);
  expect(more.findings.map(({ kind }) => kind)).toEqual(["leak", "group-leak", "empty-file", "dark", "label-error"]);
  expect(bySeverity([finding("dark", "info"), finding("leak", "error")]).map(({ kind }) => kind)).toEqual([
    "leak",
    "dark",
  ]);
});
