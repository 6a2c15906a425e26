import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { imageFolder } from "../../src/data/image-folder.ts";
import { bySplit, type Dataset, type Split } from "../../src/data/sample.ts";
import { HEAD, type Parameters } from "../../src/models/head.ts";
import { loadModel } from "../../src/models/load-model.ts";
import type { Model } from "../../src/models/model.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { type FeatureRows, featureRows } from "../../src/train/data-rows.ts";
import { type Measured, measureNetwork, modelOf, type Unmeasured } from "../../src/train/finish-run.ts";
import { planRun } from "../../src/train/run-plan.ts";
import { type HeadScale, type LabelledFeatures, measureHeadScale, trainHead } from "../../src/train/train-head.ts";
import { featuresGraph } from "../../src/train/unfreeze-network.ts";
import { temporaryFolder } from "../data/made.ts";
import { TINY_INPUT, writeColorImages, writeTinyModel } from "../models/tiny.ts";

let model: Model;
let data: Dataset;
let network: Features;
let scale: HeadScale;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rootstock-finish-"));
  model = await loadModel(await writeTinyModel(join(root, "tiny.onnx")));
  const listed = await imageFolder(await writeColorImages(join(root, "images"), 10));
  data = withSplits(listed, ["train", "train", "validation", "validation", "test"]);
  network = await networkOf(data);
  scale = network.scale;
});

/** A head on features that are in memory. */
interface Features extends Unmeasured {
  readonly rows: FeatureRows;
}

/** The splits dealt out in turn. */
function withSplits(dataset: Dataset, splits: readonly Split[]): Dataset {
  const samples = dataset.samples.map((sample, i) => ({ ...sample, split: splits[i % splits.length]! }));
  return { ...dataset, samples };
}

/** A head that a few epochs have trained on frozen features. */
async function networkOf(dataset: Dataset): Promise<Features> {
  const { backbone, recipe } = planRun(model, dataset, { epochs: 40, learningRate: 0.05, views: 0 });
  const rows = await featureRows(backbone, dataset, {
    preprocessing: TINY_INPUT,
    cache: false,
    name: "tiny",
    clock: () => 0,
  });
  const [train, validation] = [rows.split("train"), rows.split("validation")];
  const own = measureHeadScale(train);
  const { classes } = dataset;
  const { parameters: head } = await trainHead({ train, validation, scale: own, classes, recipe, callbacks: [] });
  const scoring = featuresGraph(backbone);
  return { scoring, rows, head, scale: own, classes, activation: "softmax", session: { threads: 1 } };
}

/** Logits of a split by a head on raw features, as a double loop. */
function logitsOf({ features, targets }: LabelledFeatures, head: Parameters): number[][] {
  const [weight, bias] = [head.get(HEAD.weight)!, head.get(HEAD.bias)!];
  const width = weight.shape[1]!;
  return Array.from(targets.values, (_, row) =>
    Array.from(bias.data, (start, k) => {
      let sum = start;
      for (let i = 0; i < width; i++) sum += weight.data[k * width + i]! * features[row * width + i]!;
      return sum;
    }),
  );
}

function losses(logits: readonly (readonly number[])[], labels: ArrayLike<number>): number {
  const each = logits.map((row, i) => Math.log(row.reduce((sum, x) => sum + Math.exp(x), 0)) - row[labels[i]!]!);
  return each.reduce((sum, loss) => sum + loss, 0) / each.length;
}

/** The loss of classes. */
function lossOf({ evaluation }: Measured): number {
  if (evaluation.task !== "single-label") throw new Error(`got ${evaluation.task}`);
  return evaluation.metrics.loss;
}

test("measures on the test split, with the head on raw features and as sure as validation says", async () => {
  const measured = await measureNetwork(network);
  const { head, temperature, evaluation, evaluatedOn } = measured;
  expect(evaluatedOn).toBe("test");
  expect(evaluation.task === "single-label" && evaluation.perClass.map(({ support }) => support)).toEqual([2, 2, 2]);
  const held = network.rows.split("test");
  expect(lossOf(measured)).toBeCloseTo(losses(logitsOf(held, head), held.targets.values), 4);

  // The same head, twice as sure, is brought back to the same numbers by twice the temperature.
  const doubled = new Map(
    [...network.head].map(([name, { shape, data: w }]) => [
      name,
      float32(
        shape,
        w.map((x) => 2 * x),
      ),
    ]),
  );
  const again = await measureNetwork({ ...network, head: doubled });
  expect(again.temperature! / temperature!).toBeCloseTo(2, 2);
  expect(lossOf(again)).toBeCloseTo(lossOf(measured), 3);

  // On validation no other temperature is better, where each target keeps 1 / (n + 2) for all classes.
  const { features, targets } = network.rows.split("validation");
  const logits = logitsOf({ features, targets }, head);
  const spread = 1 / (logits.length + 2);
  const lossAt = (factor: number): number => {
    const warm = logits.map((row) => row.map((x) => x / factor));
    const doubt = warm.map((row, i) => spread * (row[targets.values[i]!]! - row.reduce((x, y) => x + y) / row.length));
    return losses(warm, targets.values) + doubt.reduce((x, y) => x + y) / doubt.length;
  };
  expect(lossAt(1)).toBeLessThan(lossAt(1.05));
  expect(lossAt(1)).toBeLessThan(lossAt(0.95));
});

test("measures on validation where there is no test split", async () => {
  const without = await networkOf(withSplits(data, ["train", "validation"]));
  const { evaluation, evaluatedOn } = await measureNetwork(without);
  expect(evaluatedOn).toBe("validation");
  expect(evaluation.task === "single-label" && evaluation.perClass.map(({ support }) => support)).toEqual([5, 5, 5]);
});

test("a regression keeps its unit and has no temperature", async () => {
  const values = data.samples.map((sample) => ({ ...sample, target: [1e4 * sample.target[0]! + 5e5] }));
  const numbers = await networkOf({ ...data, task: "regression", classes: ["x"], samples: values });
  const { temperature, head, evaluation, parity } = await measureNetwork({ ...numbers, activation: "identity" });
  expect(temperature).toBeUndefined();
  expect(parity.units).toEqual(numbers.scale.targets!.deviation);
  const held = numbers.rows.split("test");
  const errors = logitsOf(held, head).map(([x], i) => Math.abs(x! - held.targets.values[i]!));
  expect(evaluation.task === "regression" && evaluation.metrics.mae).toBeCloseTo(
    errors.reduce((sum, error) => sum + error, 0) / errors.length,
    -1,
  );
});

test("the model in memory and the file say of images what training says of their features", async () => {
  const measured = await measureNetwork(network);
  const { backbone } = planRun(model, data, {});
  const { model: trained, write } = modelOf({
    base: model,
    backbone,
    measured,
    activation: "softmax",
    task: data.task,
    classes: data.classes,
    trainingMean: undefined,
    augmentation: undefined,
    run: "a-run",
  });
  const path = join(await temporaryFolder(), "model.onnx");
  await write(path);
  await using file = await loadModel(path);
  expect(file.labels).toEqual(data.classes);
  expect(Object.fromEntries(file.metadata)).toMatchObject({ run_id: "a-run", activation: "softmax" });
  const held = network.rows.split("test");
  const logits = logitsOf(held, measured.head);
  for (const [row, sample] of bySplit(data, "test").entries()) {
    const shares = logits[row]!.map(Math.exp);
    const sum = shares.reduce((x, y) => x + y);
    for (const one of [trained, file])
      for (const { label, probability } of await one.predict(sample.file))
        expect(probability).toBeCloseTo(shares[data.classes.indexOf(label)]! / sum, 4);
  }
  await trained.release();
});

test("the gate looks at images all over the validation split, by the path of training", async () => {
  const { parity, head } = await measureNetwork(network);
  const samples = network.rows.split("validation").samples.map(({ file }) => file);
  expect(parity.files).toEqual(samples); // 12 of at most 16
  const logits = logitsOf(network.rows.split("validation"), head);
  const first = logits[0]!.map(Math.exp);
  expect(parity.outputs[0]).toBeCloseTo(first[0]! / first.reduce((x, y) => x + y), 4);
  expect(scale.targets).toBeUndefined();
});

test("a gate that the head does not pass writes no file", async () => {
  const measured = await measureNetwork(network);
  const { backbone } = planRun(model, data, {});
  const wrong = measured.parity.outputs.map((value) => 1 - value);
  const { write } = modelOf({
    base: model,
    backbone,
    measured: { ...measured, parity: { ...measured.parity, outputs: wrong } },
    activation: "softmax",
    task: data.task,
    classes: data.classes,
    trainingMean: undefined,
    augmentation: undefined,
    run: "a-run",
  });
  const path = join(await temporaryFolder(), "model.onnx");
  await expect(write(path)).rejects.toMatchObject({ code: "PARITY" });
  await expect(loadModel(path)).rejects.toThrow();
});
