import { describe, expect, test } from "vitest";
import { measure, standardize } from "../../../src/features/standardize.ts";
import { classTargets, type Targets } from "../../../src/losses/targets.ts";
import { HEAD } from "../../../src/models/head.ts";
import { rng } from "../../../src/random.ts";
import { type Probe, type ProbeOptions, type ProbeRows, trainProbe } from "../../../src/train/probe/probe.ts";
import golden from "../../golden/probe/probe.json" with { type: "json" };
import { clusters, WIDTH } from "../made.ts";

const weightOf = ({ parameters }: Probe) => parameters.get(HEAD.weight)!;
const biasOf = ({ parameters }: Probe) => parameters.get(HEAD.bias)!;

const options: ProbeOptions = {
  train: clusters(60, { spread: 1 }),
  validation: clusters(30, { seed: 1, spread: 1 }),
  numClasses: 3,
  activation: "softmax",
};

/** Largest difference of two vectors, as part of the largest number. */
function difference(x: ArrayLike<number>, y: readonly number[]): number {
  const largest = Math.max(...y.map(Math.abs));
  return Math.max(...y.map((value, i) => Math.abs(value - x[i]!))) / largest;
}

function matrix(count: number, width: number, seed: number): Float32Array {
  const random = rng(seed);
  return Float32Array.from({ length: count * width }, () => random.normal());
}

describe("is scikit-learn's model for the same penalty", () => {
  test.each(golden.cases.map((row, i) => [`${i} ${row.activation} ${row.penalty}`, row] as const))(
    "%s",
    async (_, row) => {
      const { numClasses, penalty } = row;
      const targets: Targets = {
        task: row.task as Targets["task"],
        values: Float32Array.from(row.targets),
        width: row.targetWidth,
        weights: Float32Array.from(row.weights),
      };
      const rows = { features: Float32Array.from(row.features), targets };
      const probe = await trainProbe({
        train: rows,
        validation: rows,
        numClasses,
        activation: row.activation as ProbeOptions["activation"],
        penalties: [penalty],
      });
      expect(probe.converged).toBe(true);
      expect(probe.penalty).toBe(penalty);
      expect(weightOf(probe).shape).toEqual([numClasses, row.width]);
      expect(difference(weightOf(probe).data, row.weight)).toBeLessThan(1e-4);
      // The bias of a softmax is determined up to a constant.
      const mean = row.activation === "softmax" ? biasOf(probe).data.reduce((sum, b) => sum + b, 0) / numClasses : 0;
      const bias = biasOf(probe).data.map((b) => b - mean);
      expect(difference(bias, row.bias)).toBeLessThan(1e-4);
    },
  );
});

test("chooses the penalty with the smallest validation loss", async () => {
  const probe = await trainProbe(options);
  const { penalty, validationLoss, tried, converged, iterations } = probe;
  expect(converged).toBe(true);
  expect(iterations).toBeGreaterThan(tried.length);
  expect(validationLoss).toBe(Math.min(...tried.map((one) => one.validationLoss)));
  expect(tried.find((one) => one.validationLoss === validationLoss)!.penalty).toBe(penalty);
  expect(tried[0]!.penalty).toBe(100);
  // Found on a path from strong to weak that ended beyond it, and looked at closely.
  expect(Math.max(...tried.map((one) => one.validationLoss))).toBeGreaterThan(1.2 * validationLoss);
  const again = await trainProbe({ ...options, penalties: [penalty] });
  expect(difference(weightOf(again).data, [...weightOf(probe).data])).toBeLessThan(2e-4);
  expect(again.validationLoss).toBeCloseTo(validationLoss, 4);
});

test("says the loss that training shows", async () => {
  const { features } = clusters(20, { spread: 1 });
  const values = Float32Array.from({ length: 40 }, (_, i) => features[(i >> 1) * WIDTH + (i % 2)]! + 1);
  const set = { features, targets: { task: "regression", values, width: 2 } as const };
  const probe = await trainProbe({
    train: set,
    validation: set,
    numClasses: 2,
    activation: "identity",
    penalties: [1],
  });
  const [weight, bias] = [weightOf(probe).data, biasOf(probe).data];
  let sum = 0;
  for (let i = 0; i < 40; i++) {
    const output = weight
      .subarray((i % 2) * WIDTH, (i % 2) * WIDTH + WIDTH)
      .reduce((total, w, j) => total + w * features[(i >> 1) * WIDTH + j]!, bias[i % 2]!);
    sum += (output - values[i]!) ** 2;
  }
  expect(probe.validationLoss).toBeCloseTo(sum / 40, 5);
});

test("equal inputs give equal bits, with any number of threads, turned or not", async () => {
  for (const [count, width] of [
    [40, 300],
    [300, 40],
  ] as const) {
    const labels = Int32Array.from({ length: count }, (_, i) => i % 7);
    const set = { features: matrix(count, width, 3), targets: classTargets(labels) };
    const bits = async (threads?: number) => {
      const probe = await trainProbe({ ...options, train: set, validation: set, numClasses: 7, threads });
      return [weightOf(probe).data, biasOf(probe).data, probe.iterations];
    };
    const once = await bits();
    for (const threads of [1, 2, 3, 8]) expect(await bits(threads)).toEqual(once);
  }
});

test("a row counts as often as its weight says", async () => {
  const train = clusters(9, { spread: 1 });
  const repeat = ({ features, targets }: ProbeRows): ProbeRows => ({
    features: Float32Array.of(...features, ...features.subarray(0, 3 * WIDTH)),
    targets: classTargets([...targets.values, ...targets.values.subarray(0, 3)]),
  });
  const weights = Float32Array.from({ length: 9 }, (_, i) => (i < 3 ? 20 : 10));
  const weighted = { ...train, targets: { ...train.targets, weights } };
  const one = await trainProbe({ ...options, train: weighted, validation: weighted, penalties: [0.01] });
  const other = await trainProbe({ ...options, train: repeat(train), validation: repeat(train), penalties: [0.01] });
  expect(difference(weightOf(one).data, [...weightOf(other).data])).toBeLessThan(1e-4);
  expect(one.validationLoss).toBeCloseTo(other.validationLoss, 5);
});

describe("hostile problems", () => {
  const finite = (probe: Probe): void => {
    for (const { data } of probe.parameters.values()) expect(data.every(Number.isFinite)).toBe(true);
    expect(Number.isFinite(probe.validationLoss)).toBe(true);
    expect(probe.converged).toBe(true);
  };

  test("a class that no training row shows", async () => {
    const probe = await trainProbe({ ...options, numClasses: 4 });
    finite(probe);
    expect(weightOf(probe).data.subarray(3 * WIDTH)).toEqual(new Float32Array(WIDTH));
    const validation = {
      ...options.validation,
      targets: classTargets([3, ...options.validation.targets.values.slice(1)]),
    };
    finite(await trainProbe({ ...options, numClasses: 4, validation }));
  });

  test("an independent class that all or no training rows have", async () => {
    const { features } = clusters(60);
    const values = Float32Array.from(
      { length: 180 },
      (_, i) => [0, 1, Number(features[4 * Math.floor(i / 3)]! > 1)][i % 3]!,
    );
    const set = { features, targets: { task: "multi-label", values, width: 3 } as const };
    const probe = await trainProbe({ train: set, validation: set, numClasses: 3, activation: "sigmoid" });
    finite(probe);
    const [never, always] = biasOf(probe).data;
    expect(never).toBeCloseTo(-Math.log(61), 4);
    expect(always).toBeCloseTo(Math.log(61), 4);
    expect(weightOf(probe).data.subarray(0, 2 * WIDTH)).toEqual(new Float32Array(2 * WIDTH));
    const constant = { ...set, targets: { ...set.targets, values: new Float32Array(180) } };
    finite(await trainProbe({ train: constant, validation: constant, numClasses: 3, activation: "sigmoid" }));
  });

  test("one class in training", async () => {
    const train = { ...options.train, targets: classTargets(new Int32Array(60)) };
    const probe = await trainProbe({ ...options, train });
    finite(probe);
    expect(biasOf(probe).data[1]).toBeCloseTo(-Math.log(61), 4);
    finite(await trainProbe({ ...options, train, validation: train, numClasses: 1 }));
  });

  test("one class in validation", async () => {
    finite(
      await trainProbe({
        ...options,
        validation: { ...options.validation, targets: classTargets(new Int32Array(30)) },
      }),
    );
  });

  test("fewer rows than classes", async () => {
    const set = { features: matrix(3, 8, 1), targets: classTargets([0, 5, 9]) };
    finite(await trainProbe({ ...options, train: set, validation: set, numClasses: 10 }));
  });

  test("one row", async () => {
    const set = { features: matrix(1, 8, 1), targets: classTargets([1]) };
    finite(await trainProbe({ ...options, train: set, validation: set }));
  });

  test("constant features", async () => {
    const set = { features: new Float32Array(60 * 5), targets: options.train.targets };
    const probe = await trainProbe({ ...options, train: set, validation: set, deviation: new Float32Array(5).fill(1) });
    finite(probe);
    expect(probe.validationLoss).toBeCloseTo(Math.log(3), 6);
    expect(probe.penalty).toBe(Math.max(...probe.tried.map(({ penalty }) => penalty))); // all are equal
    const one = { ...set, features: set.features.map((_, i) => (i % 5 === 2 ? 1e-3 : 0)) };
    finite(await trainProbe({ ...options, train: one, validation: one }));
  });

  test("classes that can be told apart without an error", async () => {
    const [train, validation] = [clusters(60, { spread: 0.01 }), clusters(30, { seed: 1, spread: 0.01 })];
    const probe = await trainProbe({ ...options, train, validation });
    finite(probe);
    expect(probe.validationLoss).toBeLessThan(0.01);
    finite(await trainProbe({ ...options, train, validation, penalties: [1e-9] }));
  });

  test("equal rows, and fewer of them than features", async () => {
    const row = matrix(1, 50, 1);
    const features = new Float32Array(20 * 50);
    for (let i = 0; i < 20; i++)
      features.set(
        row.map((value) => value * (i % 3)),
        i * 50,
      );
    const set = { features, targets: classTargets(Int32Array.from({ length: 20 }, (_, i) => Number(i % 3 > 1))) };
    finite(await trainProbe({ ...options, train: set, validation: set, numClasses: 2 }));
  });

  test("features and targets of any size", async () => {
    for (const size of [1e-6, 1, 1e6]) {
      const features = options.train.features.map((value) => value * Math.min(100, size));
      finite(
        await trainProbe({
          ...options,
          train: { ...options.train, features },
          validation: { ...options.train, features },
        }),
      );
      const values = Float32Array.from({ length: 60 }, (_, i) => size * (options.train.features[i * WIDTH]! + 7));
      const set = { features: options.train.features, targets: { task: "regression", values, width: 1 } as const };
      finite(await trainProbe({ train: set, validation: set, numClasses: 1, activation: "identity" }));
    }
  });
});

test("features that varied little may be used less", async () => {
  // The second feature says the class in training only, as a feature that is almost constant can.
  const make = (count: number, seed: number): ProbeRows => {
    const random = rng(seed);
    const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
    const features = Float32Array.from({ length: count * 3 }, (_, i) => {
      const sign = 2 * (Math.floor(i / 3) % 2) - 1;
      return [
        sign + random.normal(),
        seed === 0 ? 0.01 * (sign + random.normal()) : 0.1 * random.normal(),
        1.5 * random.normal(),
      ][i % 3]!;
    });
    return { features, targets: classTargets(labels) };
  };
  const [train, validation] = [make(40, 0), make(40, 1)];
  const scale = measure(train.features, 3);
  const scaled = (rows: ProbeRows) => ({ ...rows, features: standardize(rows.features, scale) });
  const shared = { ...options, train: scaled(train), validation: scaled(validation), numClasses: 2 };
  const plain = await trainProbe(shared);
  const discounted = await trainProbe({ ...shared, deviation: scale.deviation });
  expect(discounted.validationLoss).toBeLessThan(0.95 * plain.validationLoss);
});

test("is the probe on features in a size of their own", async () => {
  const { deviation } = measure(options.train.features, WIDTH);
  const penalties = [0.05];
  const one = await trainProbe({ ...options, deviation: new Float32Array(WIDTH).fill(7), penalties });
  const plain = await trainProbe({ ...options, penalties });
  expect(weightOf(one)).toEqual(weightOf(plain));
  await expect(trainProbe({ ...options, deviation: deviation.subarray(1) })).rejects.toThrow("as many deviations");
});

describe("refuses", () => {
  const bad = (change: Partial<ProbeOptions>) => trainProbe({ ...options, ...change });
  const withFeature = (rows: ProbeRows, index: number, value: number): ProbeRows => {
    const features = rows.features.slice();
    features[index] = value;
    return { ...rows, features };
  };

  test("features that are no numbers", async () => {
    await expect(bad({ train: withFeature(options.train, 9, Number.NaN) })).rejects.toMatchObject({
      code: "BAD_DATA",
      message: expect.stringContaining("got NaN at training row 2, column 1"),
    });
    await expect(bad({ validation: withFeature(options.validation, 3, Infinity) })).rejects.toThrow(
      "got Infinity at validation row 0, column 3",
    );
  });

  test("targets that are none", async () => {
    const labels = (values: readonly number[]) => ({
      ...options.train,
      targets: { ...classTargets(options.train.targets.values.map((v, i) => values[i] ?? v)) },
    });
    await expect(bad({ train: labels([0, 3]) })).rejects.toThrow("class index from 0 to 2, got 3 at training row 1");
    await expect(bad({ validation: labels([0.5]) })).rejects.toThrow("got 0.5 at validation row 0");
    const weights = new Float32Array(60).fill(1);
    weights[4] = -1;
    await expect(bad({ train: { ...options.train, targets: { ...options.train.targets, weights } } })).rejects.toThrow(
      "weights require a finite number above 0, got -1 at training row 4",
    );
  });

  test("rows that do not fit", async () => {
    const none = { features: new Float32Array(0), targets: classTargets([]) };
    await expect(bad({ validation: none })).rejects.toThrow("at least 1 validation row, got none");
    await expect(bad({ train: none })).rejects.toThrow("at least 1 training row, got none");
    const narrow = { features: new Float32Array(90), targets: options.validation.targets };
    await expect(bad({ validation: narrow })).rejects.toMatchObject({ code: "SHAPE_MISMATCH" });
    await expect(bad({ train: { ...options.train, features: new Float32Array(61) } })).rejects.toThrow(
      "got 61 numbers",
    );
  });

  test("options that cannot be used", async () => {
    await expect(bad({ numClasses: 0 })).rejects.toMatchObject({ code: "BAD_CONFIG" });
    await expect(bad({ penalties: [] })).rejects.toThrow("got none");
    await expect(bad({ penalties: [1, 0] })).rejects.toThrow("got 0");
    await expect(bad({ activation: "identity" })).rejects.toThrow("requires targets of regression, got single-label");
  });
});

test("can be interrupted", async () => {
  const stop = new AbortController();
  const set = {
    features: matrix(400, 300, 3),
    targets: classTargets(Int32Array.from({ length: 400 }, (_, i) => i % 50)),
  };
  const running = trainProbe({ ...options, train: set, validation: set, numClasses: 50, signal: stop.signal });
  setTimeout(() => stop.abort(), 20);
  await expect(running).rejects.toMatchObject({ code: "ABORTED" });
  await expect(trainProbe({ ...options, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
