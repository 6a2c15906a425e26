import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { textOf } from "../../../src/data/tables/table-text.ts";
import { temporaryFolder } from "../made.ts";

async function read(content: string | Uint8Array): Promise<string> {
  const file = join(await temporaryFolder(), "t.csv");
  await writeFile(file, content);
  let text = "";
  for await (const piece of textOf(file)) text += piece;
  return text;
}

test("gives the text of any length, without the mark, whatever its pieces cut through", async () => {
  const text = "aü猫🐶".repeat(50_000);
  expect(await read(text)).toBe(text);
  expect(await read(`\ufeffx${text}`)).toBe(`x${text}`);
  expect(await read("")).toBe("");
});

test.each([
  [Buffer.from("\ufeffab", "utf16le"), /is UTF-16 text/],
  [Buffer.from([0xfe, 0xff, 0, 0x61]), /is UTF-16 text/],
  [Buffer.from(`${"ok\n".repeat(3)}\xe9`, "latin1"), /is not UTF-8 text near line 4/],
  [Buffer.concat([Buffer.alloc(200_000, "a\n"), Buffer.from([0xff])]), /is not UTF-8 text near line \d{5}/],
  [Buffer.from([0x61, 0xc3]), /is not UTF-8 text/],
  [Buffer.from("a\0b"), /zero characters/],
  [Buffer.from([0xd0, 0xcf, 0x11, 0xe0]), /is a spreadsheet/],
  [Buffer.from("PAR1"), /is a Parquet file/],
])("refuses what is no UTF-8: %#", async (content, message) => {
  await expect(read(content)).rejects.toMatchObject({ code: "BAD_DATA", message: expect.stringMatching(message) });
});
