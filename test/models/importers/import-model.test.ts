import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { importModel, isWholeModel } from "../../../src/models/importers/import-model.ts";
import { difference, GOLDEN, goldenInput, type Recorded, runImported } from "./memory.ts";

test.each(["keras2.h5", "keras2.keras", "keras3.h5", "keras3.keras"])("%s", async (file) => {
  const path = `${GOLDEN}whole-${file}`;
  const { output } = JSON.parse(readFileSync(`${GOLDEN}whole-${file.slice(0, 6)}.json`, "utf8")) as {
    output: Recorded;
  };
  expect(await isWholeModel(path)).toBe(true);
  const { graph } = await importModel(path);
  console.log([...graph.initializers.keys()], graph.nodes.map((n) => n.op + " " + n.name).join("; "));
  const got = await runImported(graph, goldenInput([1, 8, 8, 3]), output.shape);
  expect(difference(got, output)).toBeLessThan(2e-6);
});
