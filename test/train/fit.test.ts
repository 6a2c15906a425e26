import { describe, expect, test } from "vitest";
import { RootstockError } from "../../src/errors.ts";
import { memoryRows, type RowViews } from "../../src/features/rows.ts";
import { crossEntropy } from "../../src/losses/cross-entropy.ts";
import { classTargets } from "../../src/losses/targets.ts";
import { HEAD } from "../../src/models/head.ts";
import { constant, SCHEDULES } from "../../src/optim/schedule.ts";
import { OPTIMIZERS } from "../../src/optim/table.ts";
import { rng } from "../../src/random.ts";
import type { Callback } from "../../src/train/callback.ts";
import { earlyStopping } from "../../src/train/callbacks/early-stopping.ts";
import { reduceOnPlateau } from "../../src/train/callbacks/reduce-on-plateau.ts";
import { fit as train } from "../../src/train/fit.ts";
import type { FitOptions, FitState } from "../../src/train/fit-options.ts";
import { epochMeasures } from "../../src/train/measure.ts";
import { batchMixer } from "../../src/train/mixing.ts";
import { everyState, rowsOf, run } from "./fitting.ts";
import { CLASSES, clusters, headStep, WIDTH } from "./made.ts";

test("visits every sample once per epoch and the loss falls", async () => {
  const { history } = await run();
  expect(history.map(({ steps }) => steps)).toEqual([4, 8, 12, 16]); // 30 samples are 3 batches of 8 and one of 6
  expect(history.at(-1)!.trainLoss).toBeLessThan(history[0]!.trainLoss / 2);
});

test("the training loss of an epoch is the mean by the weights", async () => {
  const { features, targets } = clusters(6);
  const weights = Float32Array.of(5, 1, 1, 1, 1, 1);
  const rows = { rows: memoryRows(features, WIDTH), targets: { ...targets, weights } };
  const options = { epochs: 1, batchSize: 4, schedule: constant(1e-9) }; // nothing moves: every batch has the loss of a guess
  const { history } = await run({ ...options, train: rows });
  expect(history[0]!.trainLoss).toBeCloseTo(Math.log(3), 6);
  const biased = { ...rows, targets: { ...rows.targets, weights: Float32Array.of(100, 1, 1, 1, 1, 1) } };
  const heavy = await run({ epochs: 40, train: biased });
  const light = await run({ epochs: 40, train: rowsOf({ features, targets }) });
  // What weighs more moves the bias of its class up.
  const bias = ({ parameters }: typeof heavy) => parameters.get(HEAD.bias)!.data[0]!;
  expect(bias(heavy)).toBeGreaterThan(bias(light));
});

test("keeps the parameters of the best epoch, whether or not it is the last", async () => {
  const losses = [3, 1, 2, 2];
  let epoch = 0;
  const best = await run({ validate: async () => ({ loss: losses[epoch++]! }) });
  expect(best.bestEpoch).toBe(2);
  expect(best.history.map((report) => report.best)).toEqual([true, true, false, false]);
  expect(best.weights).toEqual((await run({ epochs: 2 })).weights);
});

test("the parameters at the start are kept where no epoch is better, if asked for", async () => {
  const losses = [1, 3, 2];
  let look = 0;
  const kept = await run({ keepStart: true, epochs: 2, validate: async () => ({ loss: losses[look++]! }) });
  expect(kept.bestEpoch).toBe(0);
  expect(kept.weights.every((value) => value === 0)).toBe(true); // a fresh head is zero
  expect(kept.history.map(({ epoch, best }) => [epoch, best])).toEqual([
    [1, false],
    [2, false],
  ]);
});

test("mode max keeps the largest value, and a tie keeps the earlier epoch", async () => {
  let epoch = 0;
  const { bestEpoch } = await run({
    monitor: { measure: "accuracy", mode: "max" },
    validate: async () => ({ accuracy: [0.1, 0.9, 0.9, 0.2][epoch++]! }),
  });
  expect(bestEpoch).toBe(2);
});

test("one seed gives the same bits, another seed gives others", async () => {
  const [a, b, c] = [await run(), await run(), await run({ rng: rng(2) })];
  expect(b.weights).toEqual(a.weights);
  expect(c.weights).not.toEqual(a.weights);
});

test("a callback can stop the run, and callbacks see every epoch in order", async () => {
  const seen: number[] = [];
  const { history, stopped } = await run({
    callbacks: [
      { name: "see", onEpochEnd: ({ epoch }) => void seen.push(epoch) },
      { name: "stop", onEpochEnd: ({ epoch }, control) => (epoch === 2 ? control.stop("enough") : undefined) },
    ],
  });
  expect([seen, history.length, stopped]).toEqual([[1, 2], 2, "enough"]);
});

test("a loss that is no number ends the run with the step and the advice", async () => {
  const broken = { features: new Float32Array(8 * 4).fill(Number.NaN), targets: classTargets(new Int32Array(8)) };
  await expect(run({ train: rowsOf(broken) })).rejects.toMatchObject({
    code: "DIVERGED",
    message: expect.stringContaining("smaller learning rate"),
  });
});

test("an abort ends the run between two steps", async () => {
  await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});

describe("a fit that goes on from a state", () => {
  const monitor = { measure: "loss", mode: "min" } as const;
  const { features, targets } = clusters(14, { spread: 2 });
  const held = clusters(12, { seed: 1, spread: 2 });
  const views: RowViews = {
    values: clusters(28, { seed: 2, spread: 2 }).features,
    places: Int32Array.from({ length: 14 }, (_, i) => i),
    count: 2,
    seed: 5,
  };
  const PLANS = {
    "with all there is": { keepStart: true, soup: 3, averageDecay: 0.6, patience: 4 },
    "that is stopped": { keepStart: false, soup: 2, averageDecay: undefined, patience: 1 },
  } as const;

  /** Batches of 4 of 14 rows, with views and mixing, a schedule and a plateau; measured on rows that are held out. */
  async function whole(plan: keyof typeof PLANS, from?: FitState, checkpoints?: FitOptions["checkpoints"]) {
    const { keepStart, soup, averageDecay, patience } = PLANS[plan];
    const loss = crossEntropy({ soft: true });
    await using step = await headStep({ loss, averageDecay, optimizer: OPTIMIZERS.adam.create(), clipNorm: 0.5 });
    const measures: number[] = [];
    const result = await train({
      step,
      train: { rows: memoryRows(features, WIDTH, views), targets },
      validate: async () => {
        const outputs = await step.logits(held.features.slice());
        const measured = await epochMeasures(outputs, {
          targets: held.targets,
          classes: CLASSES,
          loss,
          scale: undefined,
        });
        measures.push(measured["loss"]!);
        return measured;
      },
      epochs: 6,
      batchSize: 4,
      schedule: SCHEDULES["cosine-restarts"].create({ peak: 0.3, totalSteps: 24, stepsPerEpoch: 4, firstCycle: 2.5 }),
      monitor,
      keepStart,
      soup,
      mix: batchMixer({ mixup: 0.5, probability: 0.7, sampleShape: [WIDTH], numClasses: 3 }),
      rng: rng(8),
      callbacks: [earlyStopping({ monitor, patience }), reduceOnPlateau({ monitor, factor: 0.5, patience: 1 })],
      from,
      checkpoints,
    });
    return { result, held: await step.parameters(), last: measures.at(-1) };
  }

  test.each(Object.keys(PLANS) as (keyof typeof PLANS)[])(
    "ends as without the break, wherever it was: %s",
    async (plan) => {
      const { states, checkpoints } = everyState();
      const wanted = await whole(plan, undefined, checkpoints);
      const { history, stopped } = wanted.result;
      expect(states).toHaveLength(5 * history.length); // 4 steps and the end of each epoch
      expect(new Set(history.map(({ learningRate }) => learningRate)).size).toBe(history.length);
      expect(stopped === undefined).toBe(plan === "with all there is");
      for (const state of states) {
        const { epoch, done } = state;
        expect({ epoch, done, ...(await whole(plan, state)) }).toEqual({ epoch, done, ...wanted });
      }
    },
  );

  test("reads the states of the breaks before it too", async () => {
    const first = everyState();
    const wanted = await whole("with all there is", undefined, first.checkpoints);
    const second = everyState();
    await whole("with all there is", first.states[6], second.checkpoints);
    expect(second.states).toEqual(first.states.slice(7));
    expect(await whole("with all there is", second.states[3])).toEqual(wanted);
  });

  test("holds the best epochs, best first, with the parameters that were measured", async () => {
    const { states, checkpoints } = everyState((after) => after === "epoch");
    const { result } = await whole("with all there is", undefined, checkpoints);
    for (const { kept, history, epoch } of states) {
      const all = history.map((report) => ({ epoch: report.epoch, value: report.validation["loss"]! }));
      const start = kept.find((one) => one.epoch === 0)?.value ?? Number.POSITIVE_INFINITY;
      const best = [{ epoch: 0, value: start }, ...all].sort((a, b) => a.value - b.value);
      expect(kept.map((one) => ({ epoch: one.epoch, value: one.value }))).toEqual(
        best.slice(0, Math.min(3, epoch)).map((one) => ({ epoch: one.epoch, value: one.value })),
      );
    }
    expect(result.bestEpoch).toBe(states.at(-1)!.kept[0]!.epoch);
  });

  test("ends the epoch in which a callback has stopped it", async () => {
    const stopAt = (step: number): Callback => ({
      name: "stop",
      onStep: (report, control) => (report.step === step ? control.stop("enough") : undefined),
    });
    for (const step of [1, 4, 6]) {
      const { states, checkpoints } = everyState();
      const { weights: wanted, history, stopped } = await run({ callbacks: [stopAt(step)], checkpoints });
      expect([history.length, stopped]).toEqual([Math.ceil(step / 4), "enough"]);
      const after = states.filter((state) => state.stopped !== undefined);
      expect(after.length).toBeGreaterThan(0);
      for (const from of after) {
        const again = await run({ callbacks: [stopAt(-1)], from });
        expect([again.weights, again.history, again.stopped]).toEqual([wanted, history, "enough"]);
      }
    }
  });
});

describe("an abort", () => {
  test("keeps the state first, from which the fit goes on", async () => {
    const wanted = await run();
    const abort = new AbortController();
    const callbacks: Callback[] = [{ name: "abort", onStep: ({ step }) => void (step === 6 && abort.abort()) }];
    const { states, checkpoints } = everyState(() => false);
    const failed = run({ callbacks, checkpoints, signal: abort.signal });
    await expect(failed).rejects.toMatchObject({ code: "ABORTED", message: "training was interrupted after 6 steps." });
    expect(states.map(({ epoch, done }) => [epoch, done])).toEqual([[2, 16]]);
    const { weights, history } = await run({ from: states[0] });
    expect([weights, history]).toEqual([wanted.weights, wanted.history]);
  });

  test("in the middle of validation does, too: only the look is taken again", async () => {
    const wanted = await run();
    const { states, checkpoints } = everyState(() => false);
    let looks = 0;
    const validate = async () => {
      if (++looks === 2) throw new RootstockError("ABORTED", "validation was interrupted.");
      return { loss: 1 / looks };
    };
    await expect(run({ validate, checkpoints })).rejects.toMatchObject({ code: "ABORTED" });
    expect(states.map(({ epoch, done, trainer }) => [epoch, done, trainer.steps])).toEqual([[2, 30, 8]]);
    const { weights, history } = await run({ from: states[0] });
    expect(history.slice(1)).toEqual(wanted.history.slice(1));
    expect(weights).toEqual(wanted.weights);
  });

  test("other errors keep no state: it may be what failed", async () => {
    const { states, checkpoints } = everyState(() => false);
    const validate = () => Promise.reject(new RootstockError("DIVERGED", "infinite"));
    await expect(run({ validate, checkpoints })).rejects.toMatchObject({ code: "DIVERGED" });
    expect(states).toEqual([]);
  });
});

test("a measure that is not there ends the fit with those that are", async () => {
  const monitor = { measure: "accuracy", mode: "max" } as const;
  await expect(run({ monitor })).rejects.toMatchObject({
    code: "BAD_CONFIG",
    message: expect.stringContaining('training monitors "accuracy"; there is only loss.'),
  });
});

test("an epoch whose measure is no number is never the best, as long as there is another", async () => {
  let epoch = 0;
  const losses = [Number.NaN, 3, Number.NaN, 4];
  const { bestEpoch, history } = await run({ validate: async () => ({ loss: losses[epoch++]! }) });
  expect(bestEpoch).toBe(2);
  expect(history.map(({ best }) => best)).toEqual([true, true, false, false]);
});

test("the best epochs are averaged where that is better, and the average is held", async () => {
  // Validation counts: four epochs, then the average of the best two, then that with the third.
  const losses = [4, 1, 2, 3, 0.5, 9];
  let look = 0;
  const { states, checkpoints } = everyState((after) => after === "epoch");
  const soup = await run({ soup: 3, validate: async () => ({ loss: losses[look++]! }), checkpoints });
  expect([soup.averaged, soup.bestEpoch, look]).toEqual([2, 2, 6]);
  const [best, second] = states.at(-1)!.kept.map(({ parameters }) => parameters.get(HEAD.weight)!.data);
  expect(states.at(-1)!.kept.map(({ epoch }) => epoch)).toEqual([2, 3, 4]);
  expect(soup.weights).toEqual(best!.map((value, i) => (value + second![i]!) / 2));
});

describe("numbers that leave their range", () => {
  /** Trains with a rate of which the weights are too large to be numbers after some steps. */
  const broken = (changes: Partial<FitOptions> = {}) =>
    run({ schedule: (step) => (step < 10 ? 0.05 : 1e38), validate: async () => ({ loss: 1 }), ...changes });

  test("end the phase after its best epoch, and say where", async () => {
    const wanted = await run({ epochs: 2, validate: async () => ({ loss: 1 }) });
    const { weights, history, stopped, diverged, bestEpoch } = await broken({ epochs: 6 });
    expect(stopped).toMatch(/^the training loss became (NaN|Infinity) at step 1[12] \(learning rate 1e\+38\)$/);
    expect([history.length, bestEpoch, diverged]).toEqual([2, 1, true]);
    expect(wanted.bestEpoch).toBe(1);
    expect(weights).toEqual(wanted.weights);
  });

  test("in validation do, too", async () => {
    let looks = 0;
    const validate = async () => {
      if (++looks === 3) throw new RootstockError("DIVERGED", "scores (learning rate 2). Use a smaller learning rate.");
      return { loss: 1 / looks };
    };
    const { history, stopped, diverged, bestEpoch } = await run({ validate });
    expect([history.length, stopped, diverged, bestEpoch]).toEqual([
      2,
      "scores (learning rate 2), after step 12",
      true,
      2,
    ]);
  });

  test("leave the start where that counts, and are an error where nothing was measured", async () => {
    const schedule = constant(1e38);
    const { bestEpoch, history, weights } = await broken({ schedule, keepStart: true });
    expect([bestEpoch, history.length, weights.every((value) => value === 0)]).toEqual([0, 0, true]);
    await expect(broken({ schedule })).rejects.toMatchObject({ code: "DIVERGED" });
  });

  test("come at the same step where the fit goes on, and leave the same", async () => {
    const { states, checkpoints } = everyState();
    const wanted = await broken({ keepStart: true, soup: 2, checkpoints });
    expect(states.length).toBeGreaterThan(8);
    for (const from of states) expect(await broken({ keepStart: true, soup: 2, from })).toEqual(wanted);
    const [failing, left] = [
      { name: "end", onPhaseEnd: () => Promise.reject(new Error("end")) },
      everyState(() => false),
    ];
    await expect(broken({ keepStart: true, soup: 2, callbacks: [failing], ...left })).rejects.toThrow("end");
    const { diverged: _, ...rest } = wanted;
    expect(left.states).toHaveLength(1);
    expect(await broken({ keepStart: true, soup: 2, from: left.states[0] })).toMatchObject(rest);
  });

  test("are no reason of the phase's end where a callback says so", async () => {
    const error = new RootstockError("DIVERGED", "mine");
    const throwing: Callback = { name: "mine", onStep: ({ step }) => (step === 6 ? Promise.reject(error) : undefined) };
    await expect(run({ callbacks: [throwing] })).rejects.toMatchObject({ code: "DIVERGED", cause: error });
  });
});
