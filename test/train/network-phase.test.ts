import { existsSync, readdirSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { bySplit, type Dataset } from "../../src/data/sample.ts";
import { evaluateClassification } from "../../src/metrics/classification.ts";
import { HEAD } from "../../src/models/head.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { withConstants } from "../../src/models/trainable-graph.ts";
import type { StepReport } from "../../src/train/callback.ts";
import { networkPhase } from "../../src/train/network-phase.ts";
import type { FineTuneOptions, Progress } from "../../src/train/options.ts";
import type { PhaseOutcome } from "../../src/train/run-checkpoints.ts";
import { GraphScorer, scoreRows } from "../../src/train/score.ts";
import { targetsOf } from "../../src/train/targets.ts";
import { divided, temperatureOf } from "../../src/train/temperature.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { plant } from "./seedling.ts";

let model: Model;
let data: Dataset;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-network-phase-"));
  model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  data = await imageFolder(await writeColorImages(join(root, "images"), 10));
});

/** Trains the only phase of the options. */
async function run(options: FineTuneOptions, ended?: PhaseOutcome) {
  const events: Progress[] = [];
  const steps: StepReport[] = [];
  const given: FineTuneOptions = {
    epochs: 2,
    learningRate: 0.01,
    keepHead: false,
    augmentation: "none",
    cache: false,
    onProgress: (event) => events.push(event),
    ...options,
  };
  const { plan, seedling } = await plant(model, data, given);
  await using phase = await networkPhase({
    ...seedling,
    plan: plan.phases[0]!,
    recipe: plan.recipe,
    options: given,
    ended,
    callbacks: [{ name: "steps", onStep: (report) => void steps.push(report) }, ...(options.callbacks ?? [])],
  });
  const { outcome, backbone, head, parameters, network, rows } = phase;
  const { features: rowScale } = seedling.scale;
  const part = withConstants(network.trainable.evaluation, parameters);
  await using scorer = await GraphScorer.create(part, { threads: 1 });
  const features = await scoreRows(scorer, rows.split("validation").rows);
  const notes = events.flatMap((event) => (event.kind === "plan" ? [event.text] : []));
  return { outcome, before: seedling.backbone, backbone, head, parameters, rowScale, features, notes, steps };
}

describe("a phase", () => {
  test("gives the backbone with the weights that trained, and the head apart", async () => {
    const { outcome, before, backbone, head, parameters, steps } = await run({ unfreeze: "weight_2" });
    expect([...parameters.keys()]).toEqual(["weight_2"]);
    expect([...head.keys()].sort()).toEqual([HEAD.bias, HEAD.weight]);
    expect(outcome.phase).toBe("weight_2");
    expect(outcome.parameters).toEqual(new Map([...parameters, ...head]));
    for (const [name, value] of before.initializers) {
      const after = backbone.initializers.get(name)!;
      if (name === "weight_2") {
        expect(after).toEqual(parameters.get(name));
        expect(after.data).not.toEqual(value.data);
      } else {
        expect(after).toEqual(value);
      }
    }
    expect(new Set(steps.map(({ phase, epoch }) => `${phase} ${epoch}`))).toEqual(
      new Set(["weight_2 1", "weight_2 2"]),
    );
  });

  test("measures what its parts give: rows, features, standardization and head", async () => {
    const { outcome, features, rowScale, head } = await run({ strategy: "full" });
    const { mean, deviation } = rowScale;
    const [weight, bias] = [head.get(HEAD.weight)!.data, head.get(HEAD.bias)!.data];
    const width = mean.length;
    const logits = Float32Array.from({ length: 3 * 6 }, (_, i) => {
      const [row, k] = [Math.floor(i / 3), i % 3];
      let sum = bias[k]!;
      for (let j = 0; j < width; j++)
        sum += (weight[k * width + j]! * (features[row * width + j]! - mean[j]!)) / deviation[j]!;
      return sum;
    });
    const targets = targetsOf(data, bySplit(data, "validation"));
    const { classes } = data;
    const calibrated = divided(logits, temperatureOf(logits, targets, { classes, activation: "softmax" }));
    const { metrics } = evaluateClassification({
      logits: calibrated,
      labels: targets.values,
      classes,
      activation: "softmax",
    });
    expect(outcome.history[outcome.bestEpoch - 1]!.validation["loss"]).toBeCloseTo(metrics.loss, 4);
  });

  test("that has ended is taken as it was, without a step", async () => {
    const first = await run({ unfreeze: "last" });
    const again = await run({ unfreeze: "last" }, first.outcome);
    expect([again.steps, again.notes]).toEqual([[], []]);
    expect(again.outcome).toEqual(first.outcome);
    expect(again.backbone.initializers).toEqual(first.backbone.initializers);
    expect(again.head).toEqual(first.head);
    expect(again.features).toEqual(first.features);
  });

  test.runIf(existsSync("/proc/self/task"))("ends its threads where it is stopped as where it ends", async () => {
    const threads = (): number => readdirSync("/proc/self/task").length;
    const streamed = { unfreeze: "last", memoryBytes: 0 } as const; // decodes the images of each epoch
    const onStep = (): void => {
      throw new Error("enough");
    };
    const stopped = () => expect(run({ ...streamed, callbacks: [{ name: "stop", onStep }] })).rejects.toThrow("enough");
    await run(streamed);
    await stopped(); // by now everything is there that stays
    const before = threads();
    for (let i = 0; i < 3; i++) await stopped();
    await expect.poll(threads, { timeout: 10_000 }).toBeLessThan(before + 3); // a run that leaves one leaves three
  });

  test("says before its first step what it takes in memory and time", async () => {
    const { notes } = await run({ unfreeze: "last" });
    expect(notes).toEqual([
      expect.stringMatching(/^memory {4}about \d+ MB: activations \d+ MB; weights, gradients and optimizer \d+ MB$/),
      expect.stringMatching(/^time {6}about 1 s for 2 epochs on this machine/),
    ]);
    expect((await run({ unfreeze: "last", microBatch: 3 })).notes[0]).toContain(", 3 images at once;");
  });

  test("makes the same of a batch in parts, but for rounding", async () => {
    const [whole, parts] = [await run({ strategy: "full" }), await run({ strategy: "full", microBatch: 5 })];
    for (const [name, { data: values }] of whole.outcome.parameters)
      for (const [i, value] of parts.outcome.parameters.get(name)!.data.entries())
        expect(value).toBeCloseTo(values[i]!, 3);
  });

  test("takes fewer images at once until a step fits into memory, and refuses what never does", async () => {
    const small = await run({ strategy: "full", memoryLimit: 60_000 });
    const [, count] = /, (\d+) images at once/.exec(small.notes[0]!) ?? [];
    expect(Number(count)).toBeLessThan(16);
    await expect(run({ strategy: "full", memoryLimit: 1000 })).rejects.toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringMatching(/requires about 0 MB of memory for a single image.*Unfreeze less/),
    });
  });

  test("lets the head and the stages learn at rates of their own", async () => {
    const sgd = {
      strategy: "full",
      optimizer: { name: "sgd", momentum: 0 },
      weightDecay: 0,
      epochs: 1,
      batchSize: 100,
    } as const;
    const moved = async (options: FineTuneOptions) => {
      const { outcome, before } = await run({ ...sgd, ...options });
      return (name: string): number[] => {
        const start = before.initializers.get(name)?.data as Float32Array | undefined; // weights are float32
        return [...outcome.parameters.get(name)!.data].map((value, i) => value - (start?.[i] ?? 0));
      };
    };
    const [plain, scaled] = [await moved({}), await moved({ headRate: 4, layerDecay: 0.25 })];
    // One step of gradient descent: each moves by its rate. The head is zero, so only it has a gradient in the first step.
    for (const name of [HEAD.weight, HEAD.bias])
      scaled(name).forEach((value, i) => {
        expect(value).toBeCloseTo(4 * plain(name)[i]!, 5);
      });
    const two = { batchSize: 12 }; // two steps: the second moves the backbone too
    const [first, second] = [await moved(two), await moved({ ...two, layerDecay: 0.25 })];
    const length = (values: readonly number[]): number => Math.hypot(...values);
    expect(length(second("weight_2")) / length(first("weight_2"))).toBeCloseTo(1, 5);
    expect(length(second("weight")) / length(first("weight"))).toBeCloseTo(0.25, 2);
  });
});
