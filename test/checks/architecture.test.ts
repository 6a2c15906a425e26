/** The checkers find planted faults; that the real sources have none is for test/architecture.test.ts to say. */
import { describe, expect, test } from "vitest";
import { hasOnlyTypes, importFaults, layerFaults, mirrorFaults, NODE_MODULE, type SourceFile } from "./architecture.ts";

function file(path: string, text = ""): SourceFile {
  return { path, text };
}

describe("layerFaults", () => {
  const layers = [["errors.ts", "random.ts"], ["low"], ["left", "right"], ["index.ts"]];
  const faults = (path: string, specifier: string) => layerFaults([file(path, `import "${specifier}";`)], layers);

  test.each([
    ["left/a.ts", "../low/a.ts"],
    ["left/a.ts", "./b.ts"],
    ["left/deep/a.ts", "../b.ts"],
    ["left/deep/a.ts", "../../errors.ts"],
    ["index.ts", "./left/a.ts"],
    ["low/a.ts", "zod"],
    ["low/a.ts", "#ort"],
  ])("lets %s import %s", (path, specifier) => {
    expect(faults(path, specifier)).toEqual([]);
  });

  test.each([
    ["low/a.ts", "../left/a.ts"],
    ["left/a.ts", "../right/a.ts"],
    ["errors.ts", "./random.ts"],
    ["left/a.ts", "../index.ts"],
    ["left/a.ts", "../stray/a.ts"],
    ["left/a.ts", "../../package.json"],
  ])("does not let %s import %s", (path, specifier) => {
    expect(faults(path, specifier)).toEqual([`${path} must not import ${specifier}`]);
  });

  test("finds a folder that is not in the table", () => {
    expect(faults("stray/a.ts", "zod")).toEqual(["stray (with stray/a.ts) is not in the layer table"]);
  });

  test("reports every fault of every file", () => {
    const files = [file("low/a.ts", 'import "../left/a.ts"; import "../right/a.ts";'), file("stray/a.ts")];
    expect(layerFaults(files, layers)).toHaveLength(3);
  });
});

describe("importFaults", () => {
  test("names file, module and the right place, and spares the allowed files", () => {
    const rule = { pattern: NODE_MODULE, allowed: (path: string) => path.startsWith("cli/"), place: "cli/" };
    const text = 'import "node:fs"; import "./fs.ts"; import "zod";';
    expect(importFaults([file("low/a.ts", text), file("cli/a.ts", text)], [rule])).toEqual([
      "low/a.ts uses node:fs, which is for cli/",
    ]);
  });

  test.each(["node:fs", "node:fs/promises", "fs", "fs/promises", "node:test", "path", "os", "worker_threads"])(
    "knows that %s is Node's",
    (module) => {
      expect(module).toMatch(NODE_MODULE);
    },
  );

  test.each(["./fs.ts", "fs-extra", "pathological", "#ort", "@types/node", "my/fs"])(
    "knows that %s is not",
    (module) => {
      expect(module).not.toMatch(NODE_MODULE);
    },
  );
});

describe("mirrorFaults", () => {
  const code = "export const a = 1;";

  test("finds a file without a test", () => {
    expect(mirrorFaults([file("a/b.ts", code), file("a/c.ts", code)], ["a/b.test.ts"], [])).toEqual([
      "src/a/c.ts needs test/a/c.test.ts",
    ]);
  });

  test("asks for none for generated files, the public entry, and types", () => {
    const types = 'import type { B } from "b"; export interface A extends B {} export type { B }; type C = A;';
    const files = [file("onnx/onnx-pb.ts", code), file("index.ts", code), file("a/types.ts", types)];
    expect(mirrorFaults(files, [], [])).toEqual([]);
    expect(hasOnlyTypes(`${types} export const a = 1;`)).toBe(false);
    expect(hasOnlyTypes(`${types} import "./effect.ts";`)).toBe(false);
    expect(hasOnlyTypes(`${types} export function f() {}`)).toBe(false);
  });

  test("accepts an exception and refuses one that is not needed or names no test", () => {
    const exception = { path: "a/", testedBy: "a.test.ts", reason: "a table" };
    const tested = [file("a/b.ts", code)];
    expect(mirrorFaults(tested, ["a.test.ts"], [exception])).toEqual([]);
    expect(mirrorFaults(tested, ["a.test.ts", "a/b.test.ts"], [exception])).toEqual([
      "the exception for a/ is not needed",
    ]);
    expect(mirrorFaults(tested, [], [exception])).toEqual([
      "the exception for a/ names test/a.test.ts, which does not exist",
    ]);
  });
});
