import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { clock, defaultRunName, environment, now } from "../../src/train/run-record.ts";
import { VERSION } from "../../src/version.ts";

test("the environment names versions and machine", () => {
  const manifest = JSON.parse(readFileSync("package.json", "utf8"));
  expect(VERSION).toBe(manifest.version);
  expect(environment()).toMatchObject({
    rootstock: manifest.version,
    node: process.version,
    onnxruntime: manifest.dependencies["onnxruntime-node"],
    decoder: expect.stringContaining(`sharp ${manifest.dependencies.sharp}`),
    startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
});

test("run names sort by time and keep letters of every script, but no separators", () => {
  expect(defaultRunName("flowers")).toMatch(/^\d{4}-\d\d-\d\d-\d{6}-flowers$/);
  expect(defaultRunName("猫 & Hunde/2")).toMatch(/-猫-Hunde-2$/);
  expect(defaultRunName("../..")).toMatch(/^\d{4}-\d\d-\d\d-\d{6}$/);
});

test("time goes forward", () => {
  expect(now()).toBeGreaterThan(Date.parse("2026-01-01"));
  const before = clock();
  expect(clock()).toBeGreaterThanOrEqual(before);
});
