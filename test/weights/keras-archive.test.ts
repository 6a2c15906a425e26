import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { memorySource } from "../../src/weights/byte-source.ts";
import { isKerasArchive, openKerasArchive } from "../../src/weights/keras-archive.ts";
import { openEntry, readZip } from "../../src/weights/zip.ts";
import { GOLDEN } from "../models/importers/memory.ts";
import { type Packed, zipOf } from "./golden.ts";

const source = memorySource("model.keras", new Uint8Array(readFileSync(`${GOLDEN}whole-keras3.keras`)));
const FILES: readonly Packed[] = [...readZip(source)].map(([name, entry]) => {
  const file = openEntry(source, entry);
  return { name, data: file.read(0, file.size) };
});
const open = (files: readonly Packed[]) => openKerasArchive(memorySource("model.keras", zipOf(files)));

test("reads what Keras 3 wrote, stored or packed", () => {
  for (const files of [FILES, FILES.map((file) => ({ ...file, deflate: true }))]) {
    expect(isKerasArchive(readZip(memorySource("x", zipOf(files))))).toBe(true);
    const { config, metadata, tensors } = open(files);
    expect(config).toMatchObject({ class_name: "Functional", config: { name: "whole" } });
    expect(metadata).toMatchObject({ keras_version: "3.15.1" });
    expect(tensors.names).toContain("layers/functional/layers/conv2d/vars/0");
    expect(tensors.info("layers/conv2d/vars/0").shape).toEqual([1, 1, 5, 5]);
    tensors.close();
  }
});

test.each(["config.json", "model.weights.h5"])("an archive without %s is refused by name", (missing) => {
  const files = FILES.filter(({ name }) => name !== missing);
  expect(isKerasArchive(readZip(memorySource("x", zipOf(files))))).toBe(false);
  expect(() => open(files)).toThrow(
    expect.objectContaining({ code: "BAD_MODEL", message: expect.stringContaining(missing) }),
  );
});

test("a configuration that is no JSON, or a bomb, is refused", () => {
  const withConfig = (config: Partial<Packed>): readonly Packed[] =>
    FILES.map((file) => (file.name === "config.json" ? { ...file, ...config } : file));
  expect(() => open(withConfig({ data: "{" }))).toThrow(/config\.json.*requires JSON/);
  const bomb = { data: " ".repeat(2 ** 20), deflate: true, claim: { bytes: 2 ** 31 } };
  expect(() => open(withConfig(bomb))).toThrow(/would grow from .* to 2147483648 bytes/);
  expect(() => open(withConfig({ data: " ".repeat(2 ** 26 + 1), deflate: true }))).toThrow(
    expect.objectContaining({ code: "BAD_MODEL" }),
  );
});
