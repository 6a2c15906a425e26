import { describe, expect, test } from "vitest";
import { globalsOf, importsOf } from "./ast.ts";

describe("importsOf", () => {
  test.each([
    'import { a } from "./m.ts";',
    'import type { A } from "./m.ts";',
    'import { type A } from "./m.ts";',
    'import "./m.ts";',
    "import {\n  a,\n  b,\n} from './m.ts';",
    'import * as all from "./m.ts";',
    'import data from "./m.ts" with { type: "json" };',
    'export { a } from "./m.ts";',
    'export type { A } from "./m.ts";',
    'export * from "./m.ts";',
    'export * as all from "./m.ts";',
    'const m = await import("./m.ts");',
    "const m = await import(`./m.ts`);",
    'type A = import("./m.ts").A;',
    'type A = typeof import("./m.ts");',
    'function f() { return import("./m.ts"); }',
    'const m = require("./m.ts");',
    'const m = require.resolve("./m.ts");',
    'import m = require("./m.ts");',
  ])("finds the module in %s", (text) => {
    expect(importsOf(text)).toEqual(["./m.ts"]);
  });

  test.each([
    '/** import "./m.ts" */',
    '// import "./m.ts"',
    `const s = 'import "./m.ts"';`,
    'const s = `import "./m.ts"`;',
    'const r = /"/g; // from "./m.ts"',
    "export { a }; const a = 1;",
    'view.import("./m.ts");',
  ])("finds none in %s", (text) => {
    expect(importsOf(text)).toEqual([]);
  });
});

describe("globalsOf", () => {
  test.each([
    ["console", "console.log(1)"],
    ["console", "globalThis.console.error(1)"],
    ["console", "const log = console.log;"],
    ["console", "f({ logger: console })"],
    ["console", "f({ console })"],
    ["process.stdout", 'process.stdout.write("a")'],
    ["process.stdout", 'process?.stdout?.write("a")'],
    ["process.stderr", 'process["stderr"].write("a")'],
    ["process.stdout", "const { stdout } = process;"],
    ["process.stdout", "const { stdout: out } = globalThis.process;"],
    ["Math.random", "const x = Math.random();"],
    ["Math.random", "f(Math.random)"],
    ["Math.random", "const { random } = Math;"],
    ["Date.now", "const t = Date.now();"],
    ["new Date()", "const t = new Date();"],
  ])("finds %s in %s", (name, text) => {
    expect(globalsOf(text)).toContain(name);
  });

  test.each([
    ["console", "// console.log(1)"],
    ["console", "view.console.log(1)"],
    ["console", "const options = { console: 1 };"],
    ["Math.random", 'const text = "Math.random()";'],
    ["Math.random", "source.random()"],
    ["new Date()", "const t = new Date(0);"],
    ["process.stdout", "process.env.stdout"],
  ])("does not find %s in %s", (name, text) => {
    expect(globalsOf(text)).not.toContain(name);
  });
});
