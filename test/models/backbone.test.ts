import { describe, expect, test } from "vitest";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Dim, Graph, Shape, Value } from "../../src/graph/graph.ts";
import { backboneGraph, type Cut, FEATURES, findCut } from "../../src/models/backbone.ts";
import { classifierGraph, HEAD, linearHead } from "../../src/models/head.ts";
import { rng } from "../../src/random.ts";
import { float32, sizeOf, type Tensor, toNumbers } from "../../src/tensor/tensor.ts";
import { bytesOfGraph, runBytes } from "../graph/run-graph.ts";
import { tinyGraph } from "./tiny.ts";

const random = (seed: string, ...shape: number[]): Tensor<"float32"> => {
  const draws = rng(seed);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => draws.normal()),
  );
};

/** A graph over an image x [n, 3, 8, 8] with these outputs; shapes of outputs are only declared. */
function graphOf(body: (b: GraphBuilder) => Value | readonly Value[], shape: Shape = ["n", 3, 8, 8]): Graph {
  const b = new GraphBuilder("hand-made");
  b.input({ name: "x", dtype: "float32", shape });
  return b.build([body(b)].flat().map((name) => ({ name, dtype: "float32" })));
}

const conv = (b: GraphBuilder, x: Value, [from, to]: readonly [number, number], name: string, kernel = 1): Value =>
  b.op("Conv", [x, b.constant(random(name, to, from, kernel, kernel))], {}, name);
const relu = (b: GraphBuilder, x: Value): Value => b.op("Relu", [x]);
const pooled = (b: GraphBuilder, x: Value): Value => b.op("GlobalAveragePool", [x], {}, "pooled");
const flat = (b: GraphBuilder, x: Value): Value => b.op("Flatten", [x], { axis: int(1) }, "flat");
/** Features [n, 12] of the image. */
const vector = (b: GraphBuilder): Value => flat(b, pooled(b, relu(b, conv(b, "x", [3, 12], "stem", 3))));
const gemm = (b: GraphBuilder, x: Value, [from, to]: readonly [number, number], name = "classifier"): Value =>
  b.op("Gemm", [x, b.constant(random(name, to, from)), b.constant(random("bias", to))], { transB: int(1) }, name);

const summary = ({ value, shape, pooling, width, classifier, numClasses }: Cut): unknown[] => [
  value,
  shape,
  pooling,
  width,
  classifier?.name,
  numClasses,
];

function refusal(graph: Graph, at?: Value): string {
  try {
    findCut(graph, at);
  } catch (error) {
    expect(error).toMatchObject({ name: "RootstockError", code: "BAD_MODEL" });
    return (error as Error).message;
  }
  throw new Error("was accepted");
}

/** Mean over the trailing `inner` elements of each of `outer` groups. */
function means(values: readonly number[], inner: number): number[] {
  return Array.from({ length: values.length / inner }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < inner; j++) sum += values[i * inner + j]!;
    return sum / inner;
  });
}

describe("findCut", () => {
  test("cuts before a Gemm", () => {
    const graph = graphOf((b) => gemm(b, vector(b), [12, 5]));
    expect(summary(findCut(graph))).toEqual(["flat", ["n", 12], "none", 12, "classifier", 5]);
  });

  test("counts the classes of a Gemm whose weight is not transposed", () => {
    const graph = graphOf((b) => b.op("Gemm", [vector(b), b.constant(random("w", 12, 5))], {}, "classifier"));
    expect(findCut(graph)).toMatchObject({ value: "flat", numClasses: 5 });
  });

  test("cuts before a MatMul whose bias is added", () => {
    for (const flipped of [false, true]) {
      const graph = graphOf((b) => {
        const scores = b.op("MatMul", [vector(b), b.constant(random("w", 12, 7))], {}, "classifier");
        const bias = b.constant(random("bias", 7));
        return flipped ? b.add(bias, scores) : b.add(scores, bias);
      });
      expect(summary(findCut(graph))).toEqual(["flat", ["n", 12], "none", 12, "classifier", 7]);
    }
  });

  test("cuts SqueezeNet's kind before its 1x1 convolution, although the scores are rectified and averaged", () => {
    const graph = graphOf((b) => {
      const features = relu(b, conv(b, "x", [3, 16], "fire", 3));
      return flat(b, pooled(b, relu(b, conv(b, features, [16, 1000], "classifier"))));
    });
    expect(summary(findCut(graph))).toEqual(["relu", ["n", 16, 6, 6], "spatial", 16, "classifier", 1000]);
  });

  test("takes rectified values of another width for features", () => {
    const graph = graphOf((b) => flat(b, pooled(b, relu(b, conv(b, "x", [3, 128], "last")))));
    expect(summary(findCut(graph))).toEqual(["flat", ["n", 128], "none", 128, undefined, undefined]);
  });

  test("cuts before a convolution after the average", () => {
    const graph = graphOf((b) => {
      const features = pooled(b, relu(b, conv(b, "x", [3, 16], "stem", 3)));
      return b.op("Softmax", [flat(b, conv(b, features, [16, 9], "classifier"))], { axis: int(1) });
    });
    expect(summary(findCut(graph))).toEqual(["pooled", ["n", 16, 1, 1], "spatial", 16, "classifier", 9]);
  });

  test("cuts VGG's kind before the last of its linear layers", () => {
    const graph = graphOf((b) => gemm(b, relu(b, gemm(b, vector(b), [12, 40], "fc1")), [40, 6], "fc2"));
    expect(summary(findCut(graph))).toEqual(["relu_1", ["n", 40], "none", 40, "fc2", 6]);
  });

  test("keeps all linear layers of a stack that ends rectified, since it has no classifier", () => {
    const graph = graphOf((b) => b.op("Relu", [gemm(b, vector(b), [12, 40], "fc1")], {}, "fc1.relu"));
    expect(summary(findCut(graph))).toEqual(["fc1.relu", ["n", 40], "none", 40, undefined, undefined]);
  });

  test.each(["Softmax", "Sigmoid", "LogSoftmax", "Identity"])("looks through %s at the end", (op) => {
    const graph = graphOf((b) => b.op(op, [gemm(b, vector(b), [12, 5])]));
    expect(findCut(graph)).toMatchObject({ value: "flat", width: 12, numClasses: 5 });
  });

  test.each(["Mul", "Div", "Sub"])("looks through %s by a constant at the end", (op) => {
    const graph = graphOf((b) => b.op(op, [gemm(b, vector(b), [12, 5]), b.scalar(2)]));
    expect(findCut(graph)).toMatchObject({ value: "flat", width: 12, numClasses: 5 });
  });

  test("does not take a product of two computed values for scaled scores", () => {
    const graph = graphOf((b) => {
      const scores = gemm(b, vector(b), [12, 5]);
      return b.op("Mul", [scores, b.sigmoid(scores)], {}, "gated");
    });
    expect(findCut(graph)).toMatchObject({ value: "gated", classifier: undefined });
  });

  test("looks through Clip at the end, unless it rectifies what may be features", () => {
    const clipped = (low: number | undefined, scores: (b: GraphBuilder, x: Value) => Value = (_, x) => x): Graph =>
      graphOf((b) => {
        const x = scores(b, gemm(b, vector(b), [12, 5]));
        return b.op("Clip", low === undefined ? [x] : [x, b.scalar(low), b.scalar(6)], {}, "clipped");
      });
    for (const graph of [clipped(-50), clipped(undefined), clipped(1e-7, (b, x) => b.op("Softmax", [x]))])
      expect(findCut(graph)).toMatchObject({ value: "flat", numClasses: 5 });
    expect(findCut(clipped(0))).toMatchObject({ value: "clipped", classifier: undefined }); // ReLU6
  });

  test("leaves out dropout and identities before the classifier", () => {
    const graph = graphOf((b) => {
      const dropped = b.op("Dropout", [b.op("Identity", [b.op("Dropout", [vector(b)])])]);
      return gemm(b, dropped, [12, 5]);
    });
    expect(summary(findCut(graph))).toEqual(["flat", ["n", 12], "none", 12, "classifier", 5]);
    expect(backboneGraph(graph, findCut(graph)).nodes.map(({ op }) => op)).not.toContain("Dropout");
  });

  test("averages tokens of a graph that ends with them", () => {
    const graph = graphOf((b) => {
      const map = b.reshape(conv(b, "x", [3, 12], "stem", 3), b.ints([0, 12, 36]));
      return b.op("Transpose", [map], { perm: { kind: "ints", value: [0, 2, 1] } }, "tokens");
    });
    // A 3x3 convolution is no classifier, so its tokens are the features.
    expect(summary(findCut(graph))).toEqual(["tokens", ["n", 36, 12], "tokens", 12, undefined, undefined]);
  });

  test("averages the positions of a graph that ends with a feature map", () => {
    const graph = graphOf((b) => b.op("Relu", [conv(b, "x", [3, 12], "stem", 3)], {}, "map"));
    expect(summary(findCut(graph))).toEqual(["map", ["n", 12, 6, 6], "spatial", 12, undefined, undefined]);
  });

  test("finds the classifier among several outputs, in any order", () => {
    for (const last of [false, true]) {
      const graph = graphOf((b) => {
        const features = vector(b);
        const scores = gemm(b, features, [12, 5]);
        const embedding = b.op("Tanh", [features], {}, "embedding");
        return last ? [embedding, scores] : [scores, embedding];
      });
      expect(findCut(graph)).toMatchObject({ value: "flat", numClasses: 5 });
    }
  });

  test("refuses several outputs without a classifier, listing values to cut at", () => {
    const graph = graphOf((b) => {
      const map = relu(b, conv(b, "x", [3, 12], "stem", 3));
      return [b.op("Tanh", [map]), b.op("Exp", [map])];
    });
    expect(refusal(graph)).toBe(
      "the model has 2 outputs and none of them is a classifier's. Choose where to cut with --cut: " +
        '"exp" [n, 12, 6, 6].',
    );
  });

  test("refuses an output that joins branches, as detectors' do", () => {
    const graph = graphOf((b) => {
      const map = relu(b, conv(b, "x", [3, 12], "stem", 3));
      return b.op("Concat", [b.op("Tanh", [map]), b.op("Exp", [map])], { axis: int(1) }, "boxes");
    });
    expect(refusal(graph)).toContain('the output "boxes" joins several branches');
  });

  test("does not take a product of two computed values for a classifier", () => {
    const graph = graphOf((b) => {
      const features = vector(b);
      return b.op("MatMul", [features, b.op("Transpose", [features])], {}, "similarity");
    });
    expect(refusal(graph)).toContain('cannot use "similarity" as features: it is float32 [n, n]');
  });

  test("does not take a residual sum for a bias", () => {
    const graph = graphOf((b) => {
      const features = vector(b);
      return b.op("Add", [features, gemm(b, features, [12, 12], "block")], {}, "sum");
    });
    expect(findCut(graph)).toMatchObject({ value: "sum", width: 12, classifier: undefined });
  });

  test("does not take a grouped or a larger convolution for a classifier", () => {
    const grouped = graphOf((b) => {
      const map = relu(b, conv(b, "x", [3, 12], "stem", 3));
      const each = b.op("Conv", [map, b.constant(random("w", 12, 1, 1, 1))], { group: int(12) });
      return flat(b, pooled(b, each));
    });
    expect(findCut(grouped)).toMatchObject({ value: "flat", classifier: undefined });
    expect(findCut(graphOf((b) => flat(b, pooled(b, conv(b, "x", [3, 10], "c", 3))))).classifier).toBeUndefined();
  });
});

describe("a chosen cut", () => {
  const graph = graphOf((b) => {
    const map = b.op("Relu", [conv(b, "x", [3, 12], "stem", 3)], {}, "map");
    b.op("Reshape", [map, b.ints([0, 0, -1])], {}, "rows");
    b.op("Unsqueeze", [map, b.ints([2])], {}, "five");
    b.op("Shape", [map], {}, "size");
    return gemm(b, flat(b, pooled(b, map)), [12, 5]);
  });

  test.each([
    ["map", ["n", 12, 6, 6], "spatial", 12],
    ["rows", ["n", 12, 36], "tokens", 36],
    ["flat", ["n", 12], "none", 12],
    ["pooled", ["n", 12, 1, 1], "spatial", 12],
    ["classifier", ["n", 5], "none", 5],
  ])('at "%s" takes that value', (at, shape, pooling, width) => {
    expect(summary(findCut(graph, at))).toEqual([at, shape, pooling, width, undefined, undefined]);
  });

  test("at a value that does not exist lists others, the widest first", () => {
    expect(refusal(graph, "nothing")).toBe(
      'the graph computes no value "nothing". Cut at one of: "map" [n, 12, 6, 6], "pooled" [n, 12, 1, 1].',
    );
    expect(refusal(graph, "x")).toContain('the graph computes no value "x"'); // an input is not computed
  });

  test("at whole numbers or too many axes says what it is and what is required", () => {
    expect(refusal(graph, "size")).toContain(
      'cannot use "size" as features: it is int64 [4]; required is float32 [n, c]',
    );
    expect(refusal(graph, "five")).toContain("it is float32 [n, 12, 1, 6, 6]; required is");
    expect(refusal(graph, "five")).toContain('choose an inner value with --cut: "map" [n, 12, 6, 6]');
  });

  test("behind an operator that nothing is known of names that operator", () => {
    const foreign = graphOf((b) => relu(b, b.op("Mystery", [b.op("Abs", ["x"])], {}, "m")));
    expect(refusal(foreign)).toContain(
      'it is a value of unknown type, since the shape of what Mystery "m" gives is not known; required is',
    );
  });

  test("of unknown width behind such an operator names it too", () => {
    const foreign = graphOf((b) => flat(b, b.op("Add", ["x", b.op("Mystery", ["x"], {}, "m")])));
    expect(refusal(foreign)).toContain('it is float32 [flat.0, flat.1], since the shape of what Mystery "m" gives');
  });

  test("at a value whose width is symbolic is refused", () => {
    const symbolic = graphOf((b) => b.op("Relu", ["x"], {}, "y"), ["n", "channels", 8, 8]);
    expect(refusal(symbolic)).toContain('cannot use "y" as features: it is float32 [n, channels, 8, 8]');
  });
});

describe("backboneGraph", () => {
  const feed = (n: Dim): Record<string, Tensor> => ({ x: random("x", Number(n), 3, 8, 8) });
  const computed = async (graph: Graph, name: Value, feeds: Record<string, Tensor>): Promise<number[]> => {
    const out = await runBytes(bytesOfGraph({ ...graph, outputs: [{ name, dtype: "float32" }] }), feeds);
    return Array.from(out[name]!.data as Float32Array); // a float32 value
  };

  const graph = graphOf((b) => {
    const map = b.op("Relu", [conv(b, "x", [3, 12], "stem", 3)], {}, "map");
    const tokens = b.op("Reshape", [map, b.ints([0, 12, 36])], {}, "rows");
    b.op("Transpose", [tokens], { perm: { kind: "ints", value: [0, 2, 1] } }, "tokens");
    return gemm(b, flat(b, pooled(b, map)), [12, 5]);
  });

  test("gives vectors as they are, bit for bit", async () => {
    const backbone = backboneGraph(graph, findCut(graph));
    expect(backbone.outputs).toEqual([{ name: FEATURES, dtype: "float32", shape: ["n", 12] }]);
    expect(await computed(backbone, FEATURES, feed(3))).toEqual(await computed(graph, "flat", feed(3)));
  });

  test("averages feature maps over their positions and tokens over their number", async () => {
    const wanted = means(await computed(graph, "map", feed(2)), 36);
    for (const at of ["map", "tokens", "pooled"]) {
      const got = await computed(backboneGraph(graph, findCut(graph, at)), FEATURES, feed(2));
      expect(got.length).toBe(24);
      for (const [i, value] of got.entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-6);
    }
  });

  test("leaves out everything after the cut", () => {
    const backbone = backboneGraph(graph, findCut(graph));
    expect(backbone.nodes.map(({ op }) => op)).toEqual(["Conv", "Relu", "GlobalAveragePool", "Flatten", "Identity"]);
    expect([...backbone.initializers.values()].map(({ shape }) => shape)).toEqual([[12, 3, 3, 3]]);
  });

  test("keeps a fixed batch", () => {
    const fixed = tinyGraph({ batch: 4 });
    expect(backboneGraph(fixed, findCut(fixed)).outputs[0]!.shape).toEqual([4, 8]);
  });

  test("of an exported classifier is the backbone that it was made from", async () => {
    const backbone = backboneGraph(graph, findCut(graph));
    const exported = classifierGraph(backbone, linearHead({ width: 12, numClasses: 3 }), "softmax");
    const cut = findCut(exported);
    expect(cut).toMatchObject({ value: "flat", width: 12, numClasses: 3 });
    const wanted = await computed(backbone, FEATURES, feed(2));
    for (const at of [undefined, FEATURES]) {
      const again = backboneGraph(exported, findCut(exported, at));
      expect(again.initializers.has(HEAD.weight)).toBe(false);
      expect(await computed(again, FEATURES, feed(2))).toEqual(wanted);
    }
  });

  test("renames a value of the file that has the name of the features", async () => {
    const wanted = await computed(backboneGraph(graph, findCut(graph, "map")), FEATURES, feed(2));
    const inner = graphOf((b) => {
      const map = relu(b, b.named("Conv", ["x", b.constant(random("stem", 12, 3, 3, 3))], FEATURES));
      return gemm(b, flat(b, pooled(b, map)), [12, 5]);
    });
    expect(await computed(backboneGraph(inner, findCut(inner)), FEATURES, feed(2))).toEqual(wanted);
    // Cut at the value itself, which is a map: the average takes its name.
    const backbone = backboneGraph(inner, findCut(inner, FEATURES));
    expect(backbone.outputs[0]!.shape).toEqual(["n", 12]);
    expect(await computed(backbone, FEATURES, feed(2))).toHaveLength(24);
  });

  test("does not touch the numbers of the tiny model", async () => {
    const tiny = tinyGraph();
    const feeds = { input: random("tiny", 2, 3, 16, 16) };
    const got = await computed(backboneGraph(tiny, findCut(tiny)), FEATURES, feeds);
    expect(got).toEqual(await computed(tiny, "embedding", feeds));
    expect(toNumbers(float32([got.length], got)).some((value) => value !== 0)).toBe(true);
  });
});
