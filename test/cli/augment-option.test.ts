import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readAugment } from "../../src/cli/augment-option.ts";
import { temporaryFolder } from "../data/made.ts";

test("a level, a file, or nothing", async () => {
  expect(await readAugment(undefined)).toBeUndefined();
  expect(await readAugment("strong")).toBe("strong");
  const file = join(await temporaryFolder(), "mine.json");
  await writeFile(file, '[{"name":"horizontal-flip"}]');
  expect(await readAugment(file)).toEqual({ version: 1, transforms: [{ name: "horizontal-flip" }] });
});

test.each([
  ["{", /requires none, light, medium, strong or a JSON file/],
  ['[{"name":"horizontal-flop"}]', /Did you mean "horizontal-flip"/],
  ['{"transforms":[]}', /requires \{ version: 1, transforms/],
])("a file of %s is refused", async (text, message) => {
  const file = join(await temporaryFolder(), "mine.json");
  await writeFile(file, text);
  await expect(readAugment(file)).rejects.toThrow(message);
});

test("a word that is no level, and a file that is not there", async () => {
  await expect(readAugment("heavy")).rejects.toThrow(
    /--augment requires none, light, medium, strong or a JSON file.*got heavy/,
  );
});
