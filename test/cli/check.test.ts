/** `rootstock check` as it is typed. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writePictures } from "../data/check/made-pictures.ts";
import { temporaryFolder } from "../data/made.ts";
import { cli } from "./made.ts";

async function folder(tree: Parameters<typeof writePictures>[1]): Promise<string> {
  const root = await temporaryFolder();
  await writePictures(root, tree);
  return root;
}

const LEAKY = { "train/a/1.jpg": 1, "train/a/2.jpg": 2, "train/b/3.jpg": 3, "val/a/1.jpg": 1, "val/b/5.jpg": "oops" };

describe("check", () => {
  test("ends with 0 for warnings only, and says what they are", async () => {
    const { code, stdout } = await cli([
      "check",
      await folder({ "a/1.jpg": 1, "b/2.jpg": 2, "b/3.jpg": 3, "c/2.jpg": 2 }),
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("[label-conflict]");
    expect(stdout).toContain("b/2.jpg (b) = c/2.jpg (c)");
    expect(stdout).not.toContain("Errors");
  });

  test("ends with 1 for leaks and files that cannot be read, errors first", async () => {
    const { code, stdout, json } = await cli(["check", await folder(LEAKY), "--json"]);
    expect(code).toBe(1);
    expect(json.findings.slice(0, 2).map(({ kind }: { kind: string }) => kind)).toEqual(["leak", "not-an-image"]);
    expect(stdout.trim().split("\n")).toHaveLength(1);
  });

  test("writes a page and a list, and nothing else", async () => {
    const root = await folder(LEAKY);
    const out = await temporaryFolder();
    const [page, list] = [join(out, "new/check.html"), join(out, "remove.txt")];
    await cli(["check", root, "--html", page, "--quarantine-list", list]);
    expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>/);
    expect(readFileSync(list, "utf8")).toBe(`${join(root, "train/a/1.jpg")}\n${join(root, "val/b/5.jpg")}\n`);
    expect(existsSync(join(root, "val/b/5.jpg"))).toBe(true);
  });

  test("does not write over a file of the dataset", async () => {
    const root = await folder(LEAKY);
    const target = join(root, "train/a/1.jpg");
    const before = readFileSync(target);
    const { code, stderr } = await cli(["check", root, "--html", target]);
    expect(code).toBe(2);
    expect(stderr).toContain("--html requires a file outside of");
    expect(readFileSync(target).equals(before)).toBe(true);
  });

  test("reads one class, which train refuses, and a table", async () => {
    const root = await folder({
      "only/1.jpg": 1,
      "only/2.jpg": 2,
      "data.csv": "image,y\nonly/1.jpg,3\nonly/2.jpg,3\n",
    });
    expect((await cli(["check", root, "--json"])).json.findings[0].kind).toBe("one-class");
    const table = await cli(["check", join(root, "data.csv"), "--task", "regression", "--targets", "y", "--json"]);
    expect(table.json.findings[0].kind).toBe("constant-target");
  });

  test("checks validation images that stand elsewhere with the others", async () => {
    const [root, aside] = [
      await folder({ "a/1.jpg": 1, "a/2.jpg": 2, "b/3.jpg": 3 }),
      await folder({ "a/1.jpg": 1, "b/9.jpg": 9 }),
    ];
    const { json } = await cli(["check", root, "--val", aside, "--json"]);
    expect(json.findings[0]).toMatchObject({ kind: "leak", files: [{}, {}] });
  });

  test("shows names that would move a terminal as text", async () => {
    const { stdout } = await cli(["check", await folder({ "a/1\n\u001b[2J.jpg": 1, "a/2.jpg": 1, "b/3.jpg": 3 })]);
    expect(stdout).toContain("\\u{a}\\u{1b}[2J.jpg");
  });

  test("wants one dataset", async () => {
    expect((await cli(["check"])).code).toBe(2);
    expect((await cli(["check", "/nowhere"])).code).toBe(1);
  });
});
