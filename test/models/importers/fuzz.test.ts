/** Damaged and hostile models give RootstockError and nothing else, within bounds of time and memory. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { importGraph } from "../../../src/models/importers/import-graph.ts";
import { importModel } from "../../../src/models/importers/import-model.ts";
import { parseKerasModel } from "../../../src/models/importers/keras-config.ts";
import { rng } from "../../../src/random.ts";
import { temporaryFolder } from "../../data/made.ts";
import { writeTfjs } from "../../weights/tfjs-files.ts";
import { filled, GOLDEN, goldenCases, memoryWeights } from "./memory.ts";
import { ALLOWED, mutated, pick, survive } from "./mutations.ts";

const ROUNDS = 2000;

describe.each([2, 3])("configurations of Keras %d", (version) => {
  test(`${ROUNDS} mutations`, async () => {
    const cases = goldenCases(`keras${version}.json.gz`);
    const seen = new Map<string, number>();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < ROUNDS; i++) {
      const random = rng(`${version}/${i}`);
      const { topology, weights, name } = pick(random, cases);
      const source = memoryWeights(
        Object.fromEntries(weights.map(([path, shape], k) => [path, filled(path, shape, k)])),
      );
      const json = mutated(topology, random);
      const build = () => importGraph(parseKerasModel(json, name), source, { version }, name);
      await survive(build, seen, `${version}/${i} ${name}`);
    }
    expect([...seen.keys()].filter((code) => !ALLOWED.includes(code))).toEqual([]);
    // Mutations must reach the layers, not only the reader.
    expect(
      Math.min(...["BAD_MODEL", "SHAPE_MISMATCH", "UNSUPPORTED_OP"].map((code) => seen.get(code) ?? 0)),
    ).toBeGreaterThan(5);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 29);
  });
});

describe.each(["keras2.h5", "keras2.keras", "keras3.h5", "keras3.keras"])("bytes of whole-%s", (file) => {
  test(`${ROUNDS / 4} mutations`, async () => {
    const bytes = new Uint8Array(await readFile(`${GOLDEN}whole-${file}`));
    const path = join(await temporaryFolder(), `model${file.slice(6)}`);
    const seen = new Map<string, number>();
    for (let i = 0; i < ROUNDS / 4; i++) {
      const random = rng(`${file}/${i}`);
      let copy = bytes.slice();
      for (let flips = Math.floor(random.next() * 20); flips >= 0; flips--)
        copy[Math.floor(random.next() * copy.length)] = Math.floor(random.next() * 256);
      if (random.next() < 0.2) copy = copy.subarray(0, Math.floor(random.next() * copy.length));
      await writeFile(path, copy);
      await survive(() => importModel(path), seen, `${file}/${i}`);
    }
    expect([...seen.keys()].filter((code) => !ALLOWED.includes(code))).toEqual([]);
    expect(seen.get("BAD_MODEL")).toBeGreaterThan(20);
  });
});

test(`${ROUNDS / 4} mutations of a TensorFlow.js model`, async () => {
  const golden = goldenCases("keras2.json.gz").find(({ name }) => name === "flatten dense")!;
  const weights = golden.weights.map(([name, shape], k) => ({ name, tensor: filled(name, shape, k) }));
  const folder = join(await temporaryFolder(), "model");
  await mkdir(folder);
  const seen = new Map<string, number>();
  for (let i = 0; i < ROUNDS / 4; i++) {
    const random = rng(`tfjs/${i}`);
    await writeTfjs(folder, golden.topology, weights, { edit: (json) => mutated(json, random), shards: 2 });
    await survive(() => importModel(folder), seen, `tfjs/${i}`);
  }
  expect([...seen.keys()].filter((code) => !ALLOWED.includes(code))).toEqual([]);
  expect(seen.get("BAD_MODEL")).toBeGreaterThan(20);
});

test("models within models that call each other twice are stopped", () => {
  const ref = (name: string, node = 0) => [name, node, 0, {}];
  let inner: object = { class_name: "ReLU", name: "l0", config: { name: "l0" } };
  for (let i = 1; i < 20; i++) {
    const own = { ...inner, inbound_nodes: [[ref(`in${i}`)], [ref(`l${i - 1}`)]] };
    const input = {
      class_name: "InputLayer",
      name: `in${i}`,
      config: { batch_shape: [null, 2, 2, 3] },
      inbound_nodes: [],
    };
    const config = {
      name: `l${i}`,
      layers: [input, own],
      input_layers: [[`in${i}`, 0, 0]],
      output_layers: [[`l${i - 1}`, 1, 0]],
    };
    inner = { class_name: "Functional", name: `l${i}`, config };
  }
  const start = performance.now();
  expect(() => importGraph(parseKerasModel(inner, "x"), memoryWeights({}), { version: 3 }, "x")).toThrow(
    /applications of layers/,
  );
  expect(performance.now() - start).toBeLessThan(2000);
});
