import { expect, test } from "vitest";
import { differentiate, gradientName } from "../../src/autodiff/gradient.ts";
import { lower } from "../../src/autodiff/lowering/lower.ts";
import { PORTABLE } from "../../src/autodiff/lowering/portable.ts";
import { recompute } from "../../src/autodiff/recompute.ts";
import { int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Value } from "../../src/graph/graph.ts";
import { memoryUse } from "../../src/graph/liveness.ts";
import { rng } from "../../src/random.ts";
import { Session } from "../../src/runtime/session.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

const random = rng(5);
const noise = (...shape: number[]): Tensor<"float32"> =>
  float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal() / 3),
  );

/** Residual blocks with normalization by the batch, whose sums are the checkpoints. */
function network(blocks: number): { graph: Graph; weights: Map<Value, Tensor>; checkpoints: Value[] } {
  const b = new GraphBuilder("network");
  const weights = new Map<Value, Tensor>();
  const parameter = (name: string, value: Tensor): Value => {
    weights.set(name, value);
    return b.input({ name, dtype: "float32", shape: value.shape });
  };
  let x = b.input({ name: "x", dtype: "float32", shape: [2, 8, 12, 12] });
  const checkpoints: Value[] = [];
  for (let i = 0; i < blocks; i++) {
    let inner = x;
    for (const part of ["a", "b"]) {
      const w = parameter(`w${i}${part}`, noise(8, 8, 3, 3));
      const convolved = b.op("Conv", [inner, w], { pads: ints([1, 1, 1, 1]) });
      const [scale, shift] = [parameter(`s${i}${part}`, noise(8)), parameter(`t${i}${part}`, noise(8))];
      const statistics = [b.constant(noise(8), `mean${i}${part}`), b.constant(noise(8), `variance${i}${part}`)];
      const norm = b.ops("BatchNormalization", [convolved, scale, shift, ...statistics], 3, { training_mode: int(1) });
      inner = b.op("Relu", [norm[0]!]);
    }
    x = b.named("Add", [x, inner], `block${i}`);
    checkpoints.push(x);
  }
  b.named("ReduceSum", [b.mul(x, b.constant(noise(2, 8, 12, 12)))], "loss", { keepdims: int(0) });
  return { graph: b.build([{ name: "loss", dtype: "float32", shape: [] }]), weights, checkpoints };
}

test("what is computed twice gives the same bits, and takes less memory", async () => {
  const { graph, weights, checkpoints } = network(6);
  const names = [...weights.keys()];
  const plain = differentiate(graph, { of: "loss", with: names });
  const forward = graph.nodes.length;
  const small = recompute(plain, { forward, checkpoints: checkpoints.slice(0, -1), inputs: ["x"] });
  const feeds = { x: noise(2, 8, 12, 12), ...Object.fromEntries(weights) };
  const results = [];
  for (const each of [plain, small]) {
    await using session = await Session.create(lower(each, PORTABLE), { optimization: "none" });
    results.push(await session.run(feeds));
  }
  for (const name of ["loss", ...names.map(gradientName)]) expect(results[1]![name]).toEqual(results[0]![name]);
  const [before, after] = [memoryUse(lower(plain, PORTABLE)).peak, memoryUse(lower(small, PORTABLE)).peak];
  expect(after).toBeLessThan(0.6 * before);
});

test("the last stretch is not computed twice, nor is anything without checkpoints", () => {
  const { graph, weights, checkpoints } = network(2);
  const plain = differentiate(graph, { of: "loss", with: [...weights.keys()] });
  const forward = graph.nodes.length;
  expect(recompute(plain, { forward, checkpoints: [], inputs: ["x"] }).nodes).toEqual(plain.nodes);
  const again = recompute(plain, { forward, checkpoints: checkpoints.slice(0, 1), inputs: ["x"] });
  const convolutions = again.nodes.filter(({ op }) => op === "Conv").map(({ inputs }) => inputs[1]);
  expect(convolutions).toEqual(["w0a", "w0b", "w1a", "w1b", "w0a", "w0b"]);
});

test("values drawn at random are kept", () => {
  const b = new GraphBuilder("random");
  const w = b.input({ name: "w", dtype: "float32", shape: [4] });
  const drawn = b.op("RandomNormalLike", [w]);
  const first = b.named("Mul", [b.mul(w, drawn), w], "first");
  b.named("ReduceSum", [b.mul(first, first)], "loss", { keepdims: int(0) });
  const graph = b.build([{ name: "loss", dtype: "float32", shape: [] }]);
  const plain = differentiate(graph, { of: "loss", with: ["w"] });
  const again = recompute(plain, { forward: graph.nodes.length, checkpoints: ["first"], inputs: [] });
  expect(again.nodes.filter(({ op }) => op === "RandomNormalLike")).toHaveLength(1);
  expect(again.nodes.filter(({ op }) => op === "Mul").length).toBeGreaterThan(
    plain.nodes.filter(({ op }) => op === "Mul").length,
  );
});
