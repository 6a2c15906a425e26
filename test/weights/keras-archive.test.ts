import { readFileSync } from "node:fs";
import { strToU8, unzipSync, zipSync } from "fflate";
import { expect, test } from "vitest";
import { memorySource } from "../../src/weights/byte-source.ts";
import { isKerasArchive, openKerasArchive } from "../../src/weights/keras-archive.ts";
import { readZip } from "../../src/weights/zip.ts";
import { GOLDEN } from "../models/importers/memory.ts";

const FILE = new Uint8Array(readFileSync(`${GOLDEN}whole-keras3.keras`));
const open = (bytes: Uint8Array) => openKerasArchive(memorySource("model.keras", bytes));

test("reads what Keras 3 wrote, stored or packed", () => {
  for (const bytes of [FILE, zipSync(unzipSync(FILE))]) {
    expect(isKerasArchive(readZip(memorySource("x", bytes)))).toBe(true);
    const { config, metadata, tensors } = open(bytes);
    expect(config).toMatchObject({ class_name: "Functional", config: { name: "whole" } });
    expect(metadata).toMatchObject({ keras_version: "3.15.1" });
    expect(tensors.names).toContain("layers/functional/layers/conv2d/vars/0");
    expect(tensors.info("layers/conv2d/vars/0").shape).toEqual([1, 1, 5, 5]);
  }
});

test.each(["config.json", "model.weights.h5"])("an archive without %s is refused by name", (name) => {
  const { [name]: _gone, ...rest } = unzipSync(FILE);
  const bytes = zipSync(rest);
  expect(isKerasArchive(readZip(memorySource("x", bytes)))).toBe(false);
  expect(() => open(bytes)).toThrow(
    expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining(name) }),
  );
});

test("a configuration that is no JSON, or a bomb, is refused", () => {
  const files = unzipSync(FILE);
  expect(() => open(zipSync({ ...files, "config.json": strToU8("{") }))).toThrow(/config\.json.*requires JSON/);
  const bomb = new Uint8Array(2 ** 26 + 1).fill(0x20);
  const start = process.memoryUsage().rss;
  expect(() => open(zipSync({ ...files, "config.json": bomb }))).toThrow(
    expect.objectContaining({ code: "BAD_MODEL" }),
  );
  expect(process.memoryUsage().rss - start).toBeLessThan(2 ** 29);
});
