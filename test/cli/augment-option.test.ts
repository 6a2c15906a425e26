import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UsageError } from "../../src/cli/arguments.ts";
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

test.each([
  ["stron", /requires none, light, medium, strong or a JSON file .*, got "stron"\. Did you mean "strong"\?$/],
  ["Strong", /Did you mean "strong"\?$/],
  ["heavy", /got "heavy", and there is no such file\.$/],
  ["none-such.json", /got "none-such.json", and there is no such file\.$/],
])("%s, which is neither a level nor a file, is a mistake on the command line", async (text, message) => {
  await expect(readAugment(text)).rejects.toThrow(message);
  await expect(readAugment(text)).rejects.toBeInstanceOf(UsageError);
});

test("a folder is refused in words", async () => {
  await expect(readAugment(await temporaryFolder())).rejects.toThrow(/which is a folder/);
});
