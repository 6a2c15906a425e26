/** The program that docs/autodiff.md builds up, run as it is written. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "./data/made.ts";

/** The blocks of one language, joined in their order. */
function blocks(markdown: string, language: string): string {
  return Array.from(markdown.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms")), ([, text]) => text).join(
    "",
  );
}

test("the code of docs/autodiff.md is one program, of the length it says, that prints the blocks between", async () => {
  const page = await readFile("docs/autodiff.md", "utf8");
  const code = blocks(page, "js");
  const folder = await temporaryFolder();
  await mkdir(join(folder, "node_modules"));
  await symlink(resolve("."), join(folder, "node_modules", "rootstock"));
  await writeFile(join(folder, "program.mjs"), code);
  const { stdout } = await promisify(execFile)(process.execPath, ["program.mjs"], { cwd: folder });
  expect(stdout).toBe(blocks(page, "text"));
  expect(page).toContain("about 80 lines of JavaScript");
  expect(Math.abs(code.split("\n").length - 80)).toBeLessThan(8);
});

test("every file that docs/autodiff.md points to is there", async () => {
  const page = (await readFile("docs/autodiff.md", "utf8")).replaceAll(/^```.*?^```$/gms, "");
  const links = Array.from(page.matchAll(/\]\(([^)]+)\)/g), ([, link]) => link!);
  expect(links.length).toBeGreaterThan(5);
  for (const link of links) expect({ link, there: existsSync(join("docs", link)) }).toEqual({ link, there: true });
});
