import { describe, expect, test } from "vitest";
import { adaptBatchNorm } from "../../src/models/adapt-batch-norm.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { Layers, random, residualNetwork } from "./networks.ts";

async function* stream(...batches: Tensor[]): AsyncGenerator<Tensor> {
  yield* batches;
}

const network = ((): ReturnType<Layers["end"]> => {
  const l = new Layers();
  return l.end(l.relu(l.norm("image", "bn", 3)), 3);
})();

describe("adaptBatchNorm", () => {
  test("measures mean and unbiased variance over batches of any sizes", async () => {
    const batches = [random("a", 4, 3, 16, 16), random("b", 1, 3, 16, 16), random("c", 7, 3, 16, 16)];
    for (const [i, { data }] of batches.entries()) for (let j = 0; j < data.length; j++) data[j]! += i + (j % 5);
    const adapted = await adaptBatchNorm(network, stream(...batches));
    for (let c = 0; c < 3; c++) {
      const values = batches.flatMap(({ data }) => Array.from(data).filter((_, i) => Math.floor(i / 256) % 3 === c));
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
      expect(Number(adapted.initializers.get("bn.running_mean")!.data[c]) / mean).toBeCloseTo(1, 5);
      expect(Number(adapted.initializers.get("bn.running_var")!.data[c]) / variance).toBeCloseTo(1, 5);
    }
    expect(adapted.initializers.get("bn.weight")).toBe(network.initializers.get("bn.weight"));
    expect(adapted.nodes).toEqual(network.nodes);
    expect(adapted.outputs).toHaveLength(1);
  });

  test("reaches normalizations behind others", async () => {
    const deep = residualNetwork();
    const adapted = await adaptBatchNorm(deep, stream(random("a", 8, 3, 16, 16)));
    const changed = [...adapted.initializers].filter(([name, value]) => value !== deep.initializers.get(name));
    expect(changed.map(([name]) => name).every((name) => /running_(mean|var)$/.test(name))).toBe(true);
    expect(changed).toHaveLength(20);
  });

  test("measures at the size of the images where the file leaves it open", async () => {
    const l = new Layers(["n", 3, "h", "w"]);
    const open = l.end(l.norm("image", "bn", 3), 3);
    const adapted = await adaptBatchNorm(open, stream(random("a", 2, 3, 6, 4)));
    expect(adapted.inputs[0]!.shape).toEqual(["batch", 3, "h", "w"]);
    expect(Number(adapted.initializers.get("bn.running_var")!.data[0])).toBeGreaterThan(0);
  });

  test("refuses too few images, and networks without normalization", async () => {
    await expect(adaptBatchNorm(network, stream())).rejects.toThrow(
      "requires at least two images to measure statistics on, got 0.",
    );
    await expect(adaptBatchNorm(network, stream(random("a", 1, 3, 16, 16)))).rejects.toMatchObject({
      code: "BAD_DATA",
    });
    const l = new Layers();
    const plain = l.end(l.relu("image"), 3);
    await expect(adaptBatchNorm(plain, stream())).rejects.toMatchObject({ code: "BAD_CONFIG" });
  });
});
