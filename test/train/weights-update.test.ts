import { describe, expect, test } from "vitest";
import { HEAD, type Parameters } from "../../src/models/head.ts";
import { OPTIMIZERS, type OptimizerName } from "../../src/optim/table.ts";
import { rng } from "../../src/random.ts";
import { float32, sizeOf } from "../../src/tensor/tensor.ts";
import { type UpdateOptions, Weights } from "../../src/train/weights-update.ts";

const sgd = OPTIMIZERS.sgd.create({ momentum: 0 });
const values = (weights: Weights, name = "w"): number[] => [...weights.parameters.get(name)!.data];

/** A weight [1, 2] of 3 and -4, a bias of 5, and a head of 1. */
function small(options: Partial<UpdateOptions> = {}): Weights {
  const parameters: Parameters = new Map([
    ["w", float32([1, 2], [3, -4])],
    ["b", float32([1], [5])],
    [HEAD.weight, float32([1, 1], [1])],
  ]);
  return new Weights({ parameters, optimizer: sgd, ...options }, new Set());
}

const gradients = (w: readonly [number, number], b: number, head: number) =>
  new Map([
    ["w", Float32Array.from(w)],
    ["b", Float32Array.of(b)],
    [HEAD.weight, Float32Array.of(head)],
  ]);

function expectClose(actual: ArrayLike<number>, wanted: readonly number[]): void {
  expect(actual.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) expect(actual[i]).toBeCloseTo(value, 5);
}

describe("an update", () => {
  test("moves each parameter against its gradient, by its own rate", () => {
    const weights = small({ rates: new Map([["w", 0.5]]) });
    weights.update(gradients([1, -2], 3, 4), 0.1);
    expectClose(values(weights), [3 - 0.05, -4 + 0.1]);
    expectClose(values(weights, "b"), [5 - 0.3]);
    expectClose(values(weights, HEAD.weight), [1 - 0.4]);
    expect(weights.steps).toBe(1);
  });

  test("decays weights, not biases", () => {
    const weights = small({ optimizer: OPTIMIZERS.sgd.create({ momentum: 0, weightDecay: 0.1 }) });
    weights.update(gradients([0, 0], 0, 0), 1);
    expectClose(values(weights), [2.7, -3.6]);
    expectClose(values(weights, HEAD.weight), [0.9]);
    expect(values(weights, "b")).toEqual([5]);
  });

  test("scales all gradients together to the largest norm that is allowed, as clip_grad_norm_", () => {
    const large = small({ clipNorm: 2 });
    large.update(gradients([1, 2], 4, 2), 1); // their norm is 5
    const scale = 2 / (5 + 1e-6);
    expectClose(values(large), [3 - scale, -4 - 2 * scale]);
    expectClose(values(large, "b"), [5 - 4 * scale]);
    expectClose(values(large, HEAD.weight), [1 - 2 * scale]);
    const within = small({ clipNorm: 6 });
    within.update(gradients([1, 2], 4, 2), 1);
    expect([...values(within), ...values(within, "b")]).toEqual([2, -6, 1]);
  });
});

describe("a pull towards the start", () => {
  test("is strength times the distance, and takes the place of the decay of all but the head", () => {
    const weights = small({
      optimizer: OPTIMIZERS.sgd.create({ momentum: 0, weightDecay: 0.5 }),
      startPenalty: 0.25,
    });
    weights.update(gradients([2, 0], 4, 0), 1); // at the start there is no distance, and nothing decays but the head
    expectClose(values(weights), [1, -4]);
    expectClose(values(weights, "b"), [1]);
    expectClose(values(weights, HEAD.weight), [0.5]);
    weights.update(gradients([0, 0], 0, 0), 1); // 2 and 4 away from the start: back by a quarter of that
    expectClose(values(weights), [1.5, -4]);
    expectClose(values(weights, "b"), [2]);
    expectClose(values(weights, HEAD.weight), [0.25]);
  });

  test("counts in the norm, as a part of the loss does", () => {
    const weights = small({ startPenalty: 1, clipNorm: 1 });
    weights.update(gradients([0.6, 0], 0, 0), 1);
    expectClose(values(weights), [2.4, -4]);
    weights.update(gradients([2.6, 0], 0, 0), 1); // 2.6 - 0.6 is 2, which is clipped to 1
    expectClose(values(weights), [1.4, -4]);
  });

  test("is to where the run began, also after other weights were taken", () => {
    const weights = small({ startPenalty: 0.5 });
    const moved = new Map(weights.copy()).set("w", float32([1, 2], [13, -4]));
    weights.restore(moved);
    weights.update(gradients([0, 0], 0, 0), 1);
    expectClose(values(weights), [8, -4]);
  });
});

describe("a running average", () => {
  test("is what is measured and copied: d average + (1 - d) parameter, d = min(decay, (1 + t) / (10 + t))", () => {
    const weights = small({ averageDecay: 0.2 });
    expect([...weights.measured.get("b")!.data]).toEqual([5]);
    weights.update(gradients([0, 0], 1, 0), 1); // 5 becomes 4; d is 2 / 11
    const first = (2 / 11) * 5 + (9 / 11) * 4;
    expectClose(weights.measured.get("b")!.data, [first]);
    expect(values(weights, "b")).toEqual([4]);
    weights.update(gradients([0, 0], 1, 0), 1); // 4 becomes 3; 3 / 12 is more than the decay of 0.2
    expectClose(weights.copy().get("b")!.data, [0.2 * first + 0.8 * 3]);
  });

  test("starts anew from weights that are taken", () => {
    const weights = small({ averageDecay: 0.9 });
    const start = weights.copy();
    weights.update(gradients([5, 5], 5, 5), 1);
    weights.restore(start);
    expect(weights.copy()).toEqual(start);
    expect(weights.parameters).toEqual(start);
  });

  test("is not there by default", () => {
    const weights = small();
    weights.update(gradients([1, 1], 1, 1), 1);
    expect(weights.measured).toBe(weights.parameters);
    expect(weights.state().average).toBeUndefined();
  });
});

/** A network with a kernel that is trained in another order than files have it, and running statistics. */
const SHAPES = { kernel: [4, 3, 2, 2], bias: [4], "stage/proj": [2, 5], [HEAD.weight]: [3, 4], [HEAD.bias]: [3] };
const tapsOutside = new Set(["kernel"]);

function random(seed: string, shapes: Readonly<Record<string, readonly number[]>> = SHAPES): Parameters {
  const source = rng(seed);
  const filled = (shape: readonly number[]) =>
    float32(
      shape,
      Float32Array.from({ length: sizeOf(shape) }, () => source.normal()),
    );
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, filled(shape)] as const));
}

function network(name: OptimizerName, options: Partial<UpdateOptions> = {}): Weights {
  const create = { sgd: { momentum: 0.9, nesterov: true }, rmsprop: { momentum: 0.5, centered: true } };
  return new Weights(
    {
      parameters: random("start"),
      running: random("running", { "norm.mean": [4], "norm.var": [4] }),
      optimizer: OPTIMIZERS[name].create({ ...create[name as keyof typeof create], weightDecay: 0.01 }),
      rates: new Map([["kernel", 0.3]]),
      ...options,
    },
    tapsOutside,
  );
}

function train(weights: Weights, from: number, to: number): void {
  for (let step = from; step <= to; step++) {
    const gradients = [...random(`gradients ${step}`)].map(([name, { data }]) => [name, data] as const);
    weights.update(new Map(gradients), 0.01 / step);
    for (const { data } of weights.running.values())
      for (const [i, value] of data.entries()) data[i] = 0.9 * value + step;
  }
}

describe("a state", () => {
  const everything = { averageDecay: 0.5, clipNorm: 1, startPenalty: 0.1 };
  const names = Object.keys(OPTIMIZERS) as OptimizerName[]; // the keys of a literal are all there are

  test.each(names.flatMap((name) => [[name, {}] as const, [name, everything] as const]))(
    "of %s goes on bit for bit, with %o",
    (name, options) => {
      const whole = network(name, options);
      train(whole, 1, 7);
      for (const at of [0, 1, 4]) {
        const first = network(name, options);
        train(first, 1, at);
        const state = structuredClone(first.state());
        train(first, at + 1, at + 2); // what happens afterwards is not in it
        const second = network(name, options);
        train(second, 1, 1); // nor what was there before
        second.load(state);
        expect(second.steps).toBe(at);
        train(second, at + 1, 7);
        expect(second.state()).toEqual(whole.state());
        expect(second.copy()).toEqual(whole.copy());
      }
    },
  );

  test("has every slot under the parameter's name, in the order of files", () => {
    const weights = network("adam");
    const slot = (name: string) => weights.state().slots.get(name)!;
    const gradient = random("gradients 1").get("kernel")!; // [4, kh, kw, 3] as the graph gives it
    train(weights, 1, 1);
    expect(Object.fromEntries([...weights.state().slots].map(([name, { shape }]) => [name, shape]))).toEqual(
      Object.fromEntries(
        Object.entries(SHAPES).flatMap(([name, shape]) =>
          ["firstMoment", "secondMoment"].map((key) => [`${name}/${key}`, shape]),
        ),
      ),
    );
    // A bias has no decay, so its first moment is that of the gradient alone.
    expect(slot("bias/firstMoment").data[0]).toBeCloseTo(0.1 * random("gradients 1").get("bias")!.data[0]!, 6);
    // Element [1, 2, 0, 1] of the file's order is element [1, 0, 1, 2] of the graph's.
    const [fileIndex, graphIndex] = [1 * 12 + 2 * 4 + 1, 1 * 12 + 1 * 3 + 2];
    const decay = 0.01 * random("start").get("kernel")!.data[fileIndex]!;
    expect(slot("kernel/firstMoment").data[fileIndex]).toBeCloseTo(0.1 * (gradient.data[graphIndex]! + decay), 6);
  });

  test("and what is copied are copies, in the order of files", () => {
    const weights = network("adamw");
    expect(weights.copy()).toEqual(new Map([...random("start"), ...weights.running]));
    expect(weights.parameters.get("kernel")!.shape).toEqual([4, 2, 2, 3]);
    const [state, copy] = [weights.state(), weights.copy()];
    const before = structuredClone([state, copy]);
    train(weights, 1, 2);
    expect([state, copy]).toEqual(before);
    state.parameters.get("bias")!.data.fill(9);
    expect(weights.copy().get("bias")!.data).not.toEqual(state.parameters.get("bias")!.data);
  });
});

describe("weights that are taken", () => {
  test("are parameters and statistics; what the optimizer remembers and the count of steps stay", () => {
    const weights = network("sgd");
    train(weights, 1, 3);
    const slots = structuredClone(weights.state().slots);
    const other = new Map([...random("other"), ...random("other", { "norm.mean": [4], "norm.var": [4] })]);
    weights.restore(other);
    expect(weights.copy()).toEqual(other);
    expect(weights.state().slots).toEqual(slots);
    expect(weights.steps).toBe(3);
  });

  test.each([
    ["no weights", new Map(), 'restoring requires "kernel" [4, 3, 2, 2], got none.'],
    [
      "another kernel",
      random("x", { ...SHAPES, kernel: [4, 3, 3, 3] }),
      'requires "kernel" [4, 3, 2, 2], got [4, 3, 3, 3].',
    ],
    ["no statistics", random("x"), 'requires "norm.mean" [4], got none.'],
    [
      "a kernel of another rank",
      random("x", { ...SHAPES, kernel: [4, 12] }),
      'requires "kernel" [4, 3, 2, 2], got [4, 12].',
    ],
    ["a kernel of other axes", random("x", { ...SHAPES, kernel: [3, 4, 2, 2] }), "got [3, 4, 2, 2]."],
    [
      "a weight transposed",
      random("x", { ...SHAPES, "stage/proj": [5, 2] }),
      'requires "stage/proj" [2, 5], got [5, 2].',
    ],
  ])("are refused: %s", (_, parameters, message) => {
    const wrong = expect.objectContaining({ code: "SHAPE_MISMATCH", message: expect.stringContaining(message) });
    const weights = network("adam");
    const before = weights.state();
    expect(() => weights.restore(parameters)).toThrow(wrong);
    expect(() => weights.load({ ...before, parameters })).toThrow(wrong);
    expect(weights.state()).toEqual(before); // nothing of it was taken
  });

  test("and the state of another optimizer, or without the average, too", () => {
    const weights = network("adam", { averageDecay: 0.5 });
    train(weights, 1, 1);
    const before = weights.state();
    const refuse = (state: object, message: string): void => {
      const error = expect.objectContaining({ code: "SHAPE_MISMATCH", message: expect.stringContaining(message) });
      expect(() => weights.load({ ...before, steps: 9, ...state })).toThrow(error);
      expect(weights.state()).toEqual(before);
    };
    refuse({ slots: network("sgd").state().slots }, 'requires "kernel/firstMoment" [4, 3, 2, 2], got none.');
    refuse(
      { slots: new Map([...before.slots, ["bias/secondMoment", float32([3], [1, 2, 3])]]) },
      'requires "bias/secondMoment" [4], got [3].',
    );
    refuse({ average: undefined }, 'requires the average of "kernel" [4, 3, 2, 2], got none.');
  });
});
