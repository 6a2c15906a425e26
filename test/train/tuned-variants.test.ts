import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Choose, type GradientKey, keyText, variantsOf } from "../../src/autodiff/lowering/fast/choice.ts";
import { blockedLayout } from "../../src/runtime/blocked-layout.ts";
import { tunedVariants } from "../../src/train/tuned-variants.ts";
import { temporaryFolder } from "../data/made.ts";

const window = { kernel: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], size: [4, 4], group: 1 };
const first: GradientKey = { kind: "dW1x1", x: [2, 32, 4, 4], dy: [2, 16, 4, 4], window };
const second: GradientKey = { ...first, x: [2, 16, 4, 4] };
const planOf =
  (...keys: GradientKey[]) =>
  (choose: Choose) => {
    for (const key of keys) choose(key, variantsOf(key));
  };
const block = await blockedLayout();

/** Measures for a plan and tells how many gradients were measured. */
async function measure(folder: string, ...keys: GradientKey[]) {
  let measured = 0;
  const onMeasure = (count: number): void => {
    measured = count;
  };
  const options = { block: block ?? 16, folder, rounds: 1, session: { threads: 1 }, onMeasure };
  return { table: await tunedVariants(planOf(...keys), options), measured };
}

test.runIf(block !== undefined)("measures what is not on disk yet, and keeps it", async () => {
  const folder = await temporaryFolder();
  const once = await measure(folder, first);
  expect(once.measured).toBe(1);
  const [file] = readdirSync(folder);
  expect(file).toMatch(/^onnxruntime-\d+\.\d+\.\d+-[0-9a-f]{16}\.json$/);
  // A table that says something else shows that it is read.
  const other = variantsOf(first).find((variant) => variant !== once.table[keyText(first)])!;
  writeFileSync(join(folder, file!), JSON.stringify({ version: 1, variants: { [keyText(first)]: other } }));
  const again = await measure(folder, first, second);
  expect(again.measured).toBe(1);
  expect(again.table[keyText(first)]).toBe(other);
  expect(Object.keys(again.table)).toEqual([first, second].map(keyText));
  expect((await measure(folder, second)).measured).toBe(0);
});

test.runIf(block !== undefined)("measures anew where the table is damaged or of another version", async () => {
  const folder = await temporaryFolder();
  await measure(folder, first);
  const path = join(folder, readdirSync(folder)[0]!);
  for (const text of ["{", "null", '{"version":2,"variants":{}}', '{"version":1,"variants":{"x":"fastest"}}']) {
    writeFileSync(path, text);
    expect((await measure(folder, first)).measured, text).toBe(1);
    expect(Object.keys(JSON.parse(readFileSync(path, "utf8")).variants)).toEqual([keyText(first)]);
  }
});
