import { describe, expect, test } from "vitest";
import { memoryRows } from "../../src/features/rows.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { HEAD } from "../../src/models/head.ts";
import { adam } from "../../src/optim/adam.ts";
import type { Callback } from "../../src/train/callback.ts";
import type { FitState } from "../../src/train/fit-options.ts";
import type { LearningRateFinding } from "../../src/train/learning-rate-finder.ts";
import type { PhaseRecipe } from "../../src/train/recipe.ts";
import { type PhaseOptions, trainPhase } from "../../src/train/train-phase.ts";
import { type Trainer, TrainStep } from "../../src/train/train-step.ts";
import { clusters, headStep, noise, normalizedNetwork, RECIPE, WIDTH } from "./made.ts";

const PEAK = 0.5;
/** Batches of 8 from 30 samples: 4 steps of 6 epochs each, 24 in all. */
const recipe: PhaseRecipe = { ...RECIPE, epochs: 6, batchSize: 8, learningRate: PEAK, warmup: 0 };

/** Trains a head on made points; validation gives a loss for each epoch. */
async function run(changes: Partial<PhaseRecipe> = {}, options: Partial<PhaseOptions> = {}, losses?: number[]) {
  await using step = await headStep({ loss: crossEntropy({ soft: changes.mixup !== undefined }) });
  const { features, targets } = clusters(30);
  const rates: number[] = [];
  const watch: Callback = { name: "watch", onStep: ({ learningRate }) => void rates.push(learningRate) };
  const result = await trainPhase({
    phase: "head",
    step,
    train: { rows: memoryRows(features, WIDTH), targets },
    validate: async () => ({ loss: losses?.[step.steps / 4 - 1] ?? 1 / step.steps }),
    recipe: { ...recipe, ...changes },
    sampleShape: [WIDTH],
    numClasses: 3,
    callbacks: [watch],
    ...options,
  });
  return { ...result, rates, weights: result.parameters.get(HEAD.weight)!.data };
}

/** Learning rates of the last steps of the epochs. */
const ratesOf = async (...given: Parameters<typeof run>): Promise<number[]> =>
  (await run(...given)).history.map(({ learningRate }) => learningRate);

const epochs = [1, 2, 3, 4, 5, 6];

function expectRates(rates: readonly number[], wanted: readonly number[]): void {
  expect(rates).toHaveLength(wanted.length);
  for (const [i, rate] of wanted.entries()) expect(rates[i]! / rate).toBeCloseTo(1, 10);
}

describe("the learning rate", () => {
  test.each<[string, Partial<PhaseRecipe>, (epoch: number) => number]>([
    ["constant", { schedule: "constant" }, () => PEAK],
    [
      "in steps",
      { schedule: "step", scheduleOptions: { stepSize: 2, gamma: 0.1 } },
      (epoch) => PEAK * 0.1 ** [0, 0, 1, 1, 2, 2][epoch - 1]!,
    ],
    [
      "at milestones",
      { schedule: "multi-step", scheduleOptions: { milestones: [1, 3], gamma: 0.5 } },
      (epoch) => PEAK * 0.5 ** [0, 1, 1, 2, 2, 2][epoch - 1]!,
    ],
    ["exponential", { schedule: "exponential", scheduleOptions: { gamma: 0.5 } }, (epoch) => PEAK * 0.5 ** (epoch - 1)],
    [
      "polynomial",
      { schedule: "polynomial", scheduleOptions: { power: 2 } },
      (epoch) => PEAK * (1 - (4 * epoch) / 25) ** 2,
    ],
    [
      "cosine",
      { schedule: "cosine", scheduleOptions: { final: 0.01 } },
      (epoch) => 0.01 + (PEAK - 0.01) * 0.5 * (1 + Math.cos((Math.PI * 4 * epoch) / 25)),
    ],
    [
      "cosine with restarts",
      { schedule: "cosine-restarts", scheduleOptions: { firstCycle: 2, factor: 1 } },
      (epoch) => (PEAK / 2) * (1 + Math.cos((Math.PI * (epoch % 2 === 1 ? 3 : 7)) / 8)),
    ],
  ])("is %s", async (_, changes, wanted) => {
    expectRates(await ratesOf(changes), epochs.map(wanted));
  });

  test("of one cycle rises from a 25th and ends far below, without a second warm-up", async () => {
    const { rates } = await run({ schedule: "one-cycle", warmup: 0.5 });
    expect(rates).toHaveLength(24);
    expect(rates[0]! / (PEAK / 25)).toBeCloseTo(1, 10);
    expect(Math.max(...rates) / PEAK).toBeGreaterThan(0.99);
    expect(rates.indexOf(Math.max(...rates))).toBe(6); // 0.3 of 24 steps
    expect(rates.at(-1)! / (PEAK / 25 / 1e4)).toBeCloseTo(1, 10);
  });

  test.each<[string, Partial<PhaseRecipe>, number | undefined, number]>([
    ["a share of the steps", { warmup: 0.25 }, undefined, 6],
    ["at most as many as a phase allows", { warmup: 0.25 }, 3, 3],
    ["none", { warmup: 0 }, 3, 0],
  ])("rises first in %s", async (_, changes, mostWarmup, rising) => {
    for (const schedule of ["constant", "plateau"] as const) {
      const { rates } = await run({ schedule, ...changes }, { mostWarmup });
      expectRates(
        rates,
        rates.map((_rate, i) => PEAK * Math.min(1, (i + 1) / Math.max(1, rising))),
      );
    }
  });

  test("falls where the loss stays, with the options of the plateau", async () => {
    const scheduleOptions = { factor: 0.5, patience: 2, minimum: 0.2 };
    const losses = [3, 2, 2, 2.5, 2, 2];
    const { rates, history } = await run({ schedule: "plateau", scheduleOptions }, {}, losses);
    // Two epochs without a smaller loss: after the fourth it falls by half, after the sixth it would to its minimum.
    expectRates(
      epochs.map((epoch) => rates[4 * epoch - 1]!),
      [PEAK, PEAK, PEAK, PEAK, PEAK / 2, PEAK / 2],
    );
    expect(history.map(({ learningRate }) => learningRate).slice(0, 5)).toEqual([PEAK, PEAK, PEAK, PEAK, PEAK / 2]);
    const monitor = { measure: "loss", mode: "max" } as const; // then each of these is no better than the first
    const other = await ratesOf({ schedule: "plateau", scheduleOptions, monitor }, {}, losses);
    expectRates(other, [PEAK, PEAK, PEAK, PEAK / 2, PEAK / 2, 0.2]);
  });
});

describe("a search for the peak", () => {
  test("is made before the first step, told, and forgotten but for its rate", async () => {
    const findings: LearningRateFinding[] = [];
    const onFound = (finding: LearningRateFinding): void => void findings.push(finding);
    const searched = await run({ schedule: "constant", findLearningRate: true }, { onFound });
    const [found] = findings;
    expect(found!.suggested).toBeGreaterThan(0);
    expect(new Set(searched.rates)).toEqual(new Set([found!.suggested]));
    const given = await run({ schedule: "constant", learningRate: found!.suggested! });
    expect(given.weights).toEqual(searched.weights); // the steps of the search have left no trace
    expect(findings).toHaveLength(1);
  });

  test("finds the same where the phase goes on from a checkpoint", async () => {
    const states: FitState[] = [];
    const checkpoints = {
      due: () => true,
      save: async (state: FitState) => void states.push(structuredClone(state)),
    };
    const whole = await run({ findLearningRate: true }, { checkpoints });
    const rest = await run({ findLearningRate: true }, { from: states[6] });
    expect([rest.weights, rest.history]).toEqual([whole.weights, whole.history]);
  });
});

describe("the phase ends", () => {
  const losses = [1, 0.95, 0.92, 0.7, 0.65, 0.64];

  test.each<[Partial<PhaseRecipe>, number, string | undefined]>([
    [{ patience: 2 }, 6, undefined],
    [{ patience: 2, minDelta: 0.1 }, 3, "loss did not improve for 2 epochs"],
    [{ patience: 3, minDelta: 0.1 }, 6, undefined],
    [{ patience: 1, minDelta: 0.2 }, 2, "loss did not improve for 1 epoch"],
  ])("with %o after %d epochs", async (changes, count, stopped) => {
    const { history, stopped: reason, bestEpoch } = await run(changes, {}, losses);
    expect([history.length, reason]).toEqual([count, stopped]);
    expect(bestEpoch).toBe(count); // the smallest loss is kept, however little smaller it is
  });
});

/** The same trainer, whose batches are seen. */
function seen(step: TrainStep) {
  const batches: { readonly samples: Float32Array; readonly width: number; readonly values: Float32Array }[] = [];
  const trainer: Trainer = {
    get steps() {
      return step.steps;
    },
    memory: step.memory,
    run: (samples, targets, learningRate) => {
      batches.push({ samples: samples.slice(), width: targets.width, values: targets.values.slice() });
      return step.run(samples, targets, learningRate);
    },
    logits: (samples) => step.logits(samples),
    parameters: () => step.parameters(),
    restore: (parameters) => step.restore(parameters),
    state: () => step.state(),
    load: (state) => step.load(state),
    [Symbol.asyncDispose]: async () => {},
  };
  return { trainer, batches };
}

describe("samples are mixed", () => {
  test("by mixup, another way in each epoch, and the same with the same seed", async () => {
    const plain = await run({ mixup: 0 });
    const mixed = await run({ mixup: 0.5 });
    expect(mixed.weights).not.toEqual(plain.weights);
    expect((await run({ mixup: 0.5 })).weights).toEqual(mixed.weights);
    expect((await run({ mixup: 0.5, seed: 1 })).weights).not.toEqual(mixed.weights);
    expect((await run({ mixup: 2 })).weights).not.toEqual(mixed.weights);
  });

  test("by CutMix, as images of the phase's shape, with the targets by area", async () => {
    const network = normalizedNetwork(8);
    const { samples, targets } = noise(12, network);
    await using step = await TrainStep.create({ ...network, loss: crossEntropy({ soft: true }), optimizer: adam() });
    const { trainer, batches } = seen(step);
    await trainPhase({
      phase: "all",
      step: trainer,
      train: { rows: memoryRows(samples, network.rowLength), targets },
      validate: async () => ({ loss: 1 / step.steps }),
      recipe: { ...recipe, epochs: 3, batchSize: 100, cutMix: 1, learningRate: 1e-3 },
      sampleShape: [8, 6, 6],
      layout: "NCHW",
      numClasses: 3,
      callbacks: [],
    });
    expect(batches.map(({ width, values }) => [width, values.length])).toEqual(new Array(3).fill([3, 36])); // all 12 at once
    const shares = batches.map(({ values }) => Math.max(...values.subarray(0, 3)));
    for (const [i, { values, samples: images }] of batches.entries()) {
      for (let row = 0; row < 12; row++)
        expect(values.subarray(3 * row, 3 * row + 3).reduce((x, y) => x + y)).toBeCloseTo(1, 6);
      // Every number is one of the plain images: nothing is blended.
      const known = new Set(samples);
      expect(images.every((value) => known.has(value))).toBe(true);
      expect(36 * shares[i]!).toBeCloseTo(Math.round(36 * shares[i]!), 4); // an area of 36 pixels
    }
    expect(new Set(shares).size).toBeGreaterThan(1);
  });
});

test("the order of the samples is the seed's", async () => {
  const [first, again, other] = [await run(), await run(), await run({ seed: 1 })];
  expect(again.weights).toEqual(first.weights);
  expect(other.weights).not.toEqual(first.weights);
});

test.each([
  [1, 6],
  [3, 8],
])("of %d best epochs the average is tried", async (soup, looks) => {
  let looked = 0;
  const { averaged, bestEpoch } = await run({ soup }, { validate: async () => ({ loss: 1 / Math.min(6, ++looked) }) });
  expect([averaged, bestEpoch, looked]).toEqual([1, 6, looks]); // it is no better here
});
