import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import sharp from "sharp";
import { expect, test } from "vitest";
import { decoderVersion } from "../../src/data/decoder-version.ts";

test("names the decoder that is installed, with its version", () => {
  expect(decoderVersion()).toMatch(/^sharp \d+\.\d+\.\d+\S*, pixels \d+$/);
  expect(decoderVersion()).toContain(`sharp ${sharp.versions.sharp},`);
});

test("does not load the decoder", () => {
  const file = createRequire(import.meta.url).resolve("../../dist/data/decoder-version.js");
  const program = `
    const { decoderVersion } = await import(${JSON.stringify(file)});
    decoderVersion();
    const { createRequire } = await import("node:module");
    console.log(Object.keys(createRequire(${JSON.stringify(file)}).cache).filter((name) => name.includes("sharp")).length);
  `;
  expect(execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" }).trim()).toBe("0");
});
