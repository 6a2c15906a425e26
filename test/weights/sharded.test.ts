import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { float32 } from "../../src/tensor/tensor.ts";
import { openWeights } from "../../src/weights/open-weights.ts";
import { writeSafetensors } from "../../src/weights/safetensors.ts";
import { temporaryFolder } from "../data/made.ts";

async function folderWith(index: unknown): Promise<string> {
  const folder = await temporaryFolder();
  await writeSafetensors(join(folder, "one.safetensors"), new Map([["a", float32([1], [1])]]));
  await writeSafetensors(join(folder, "two.safetensors"), new Map([["b", float32([2], [2, 3])]]), { x: "y" });
  const path = join(folder, "model.safetensors.index.json");
  await writeFile(path, JSON.stringify(index));
  return path;
}

test("reads tensors from the files that the index names, in its order", async () => {
  const index = { metadata: { total_size: 12 }, weight_map: { b: "two.safetensors", a: "one.safetensors" } };
  const source = await openWeights(await folderWith(index));
  expect(source.names).toEqual(["b", "a"]);
  expect(source.info("b")).toEqual({ dtype: "float32", shape: [2], bytes: 8 });
  expect([...source.read("b").data, ...source.read("a").data]).toEqual([2, 3, 1]);
  expect(source.metadata.get("x")).toBe("y");
  expect(source.notes).toEqual(["the tensors are in 2 files"]);
  source.close();
});

describe("refused", () => {
  test.each([
    ["a way out of the folder", { a: "../one.safetensors" }, "not in its folder: ../one.safetensors"],
    ["an absolute path", { a: "/etc/passwd" }, "not in its folder"],
    ["a path of Windows", { a: "C:one" }, "not in its folder"],
    ["a missing file", { a: "three.safetensors" }, "cannot be read"],
    ["a tensor that its file lacks", { a: "one.safetensors", b: "one.safetensors" }, 'lack 1 of its tensors: "b"'],
    ["an index of itself", { a: "model.safetensors.index.json" }, "it is an index of other files"],
    ["an empty index", {}, "does not name a file for each tensor"],
    ["names that are no text", { a: 3 }, "does not name a file for each tensor"],
  ])("%s", async (_what, map, message) => {
    const opened = openWeights(await folderWith({ weight_map: map }));
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toMatchObject({ code: "BAD_MODEL" });
  });
});
