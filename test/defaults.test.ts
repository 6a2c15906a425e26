/** Documented defaults are the real ones. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { defaultFaults } from "./checks/defaults.ts";

const root = new URL("../src/", import.meta.url);

test("every @default equals the default where the options are destructured", () => {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts") && !path.endsWith("-pb.ts"));
  const files = paths.map((path) => ({ path, text: readFileSync(new URL(path, root), "utf8") }));
  expect(files.length).toBeGreaterThan(0);
  expect(defaultFaults(files)).toEqual([]);
});

/** What is wrong with a source that documents `said` and destructures `used`. */
function faults(said: string, used: string, rest = ""): string[] {
  const text = `
    export interface Options {
      /** Required. */
      readonly first: number;
      /** How much. ${said} */
      readonly amount?: number | undefined;
    }
    ${rest}
    export function make({ first, ${used} }: Options) { return first + amount; }`;
  return defaultFaults([{ path: "a.ts", text }]);
}

test.each([
  ["@default 0.5", "amount = 0.5"],
  ["@default 0.01", "amount = 1e-2"],
  ["@default 1000", "amount = 1_000"],
  ["@default `32`", "amount = 32"],
  ['@default "bicubic"', 'amount = "bicubic"'],
  ["@default [0.9, 0.999]", "amount = [0.9, 0.999]"],
  ["@default Number.POSITIVE_INFINITY", "amount = Number.POSITIVE_INFINITY"],
  ["@default 3", "amount: count = 3"],
  ["", "amount"],
])("accepts %s with { %s }", (said, used) => {
  expect(faults(said, used)).toEqual([]);
});

test("reads a constant of the same file", () => {
  expect(faults("@default 5", "amount = USUAL", "const USUAL = 5 as const;")).toEqual([]);
  expect(faults("@default 5", "amount = USUAL", "const USUAL = 6;")).toHaveLength(1);
});

test("finds a default that differs from its comment", () => {
  expect(faults("@default 0.5", "amount = 0.6")).toEqual([
    "a.ts: Options.amount is 0.6 by default, its comment says 0.5",
  ]);
  expect(faults('@default "bicubic"', 'amount = "bilinear"')).toHaveLength(1);
});

test("finds a default that the comment does not mention", () => {
  expect(faults("", "amount = 0.6")).toEqual(["a.ts: Options.amount is 0.6 by default and does not say so"]);
});

test("finds a documented default that nothing sets", () => {
  expect(faults("@default 0.5", "amount")).toEqual([
    "Options.amount says @default 0.5, and nothing destructures it with that default",
  ]);
});

test("lets an option that is handed on repeat the default of its name", () => {
  const handedOn = (said: string) => `interface Outer { /** @default ${said} */ amount?: number }`;
  expect(faults("@default 0.5", "amount = 0.5", handedOn("0.5"))).toEqual([]);
  expect(faults("@default 0.5", "amount = 0.5", handedOn("0.7"))).toHaveLength(1);
});

test("lets words stand for a computed default, not for a value", () => {
  expect(faults("@default the number of cores", "amount")).toEqual([]);
  expect(faults("@default the number of cores", "amount = cores()")).toEqual([]);
  expect(faults("@default the number of cores", "amount = 4")).toHaveLength(1);
  expect(faults("@default 4", "amount = cores()")).toHaveLength(1);
});

test("looks across files, through wrappers, and into variables", () => {
  const type = { path: "a.ts", text: "export interface A {\n /** @default 1 */\n x?: number;\n}" };
  const use = (text: string) => defaultFaults([type, { path: "b.ts", text }]);
  expect(use("function f({ x = 1 }: Readonly<A> & { y: 2 } = {}) {}")).toEqual([]);
  expect(use("const g = (options: A) => { const { x = 2 }: A = options; };")).toHaveLength(1);
  expect(use("const g = (options: A = {}) => { const { x = 1 } = options; };")).toEqual([]);
  expect(use("class C { constructor(options: A) { const { x = 2 } = options; } }")).toHaveLength(1);
  expect(use("type B = { /** @default 7 */ z: number }; function f({ x = 1, z = 8 }: A & B) {}")).toEqual([
    "b.ts: B.z is 8 by default, its comment says 7",
  ]);
});
