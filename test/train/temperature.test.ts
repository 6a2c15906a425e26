import { expect, test } from "vitest";
import { classTargets } from "../../src/losses/targets.ts";
import { rng } from "../../src/random.ts";
import { divided, temperatureOf } from "../../src/train/temperature.ts";

const random = rng(3);
const classes = ["a", "b", "c"];

/** Logits of `count` rows, and classes drawn from their softmax: at temperature 1 they are as sure as they are right. */
function calibrated(count: number) {
  const logits = Float32Array.from({ length: 3 * count }, () => 2 * random.normal());
  const labels = Int32Array.from({ length: count }, (_, i) => {
    const shares = [...logits.subarray(3 * i, 3 * i + 3)].map(Math.exp);
    const drawn = random.next() * shares.reduce((x, y) => x + y);
    return shares.findIndex((_, k) => shares.slice(0, k + 1).reduce((x, y) => x + y) > drawn);
  });
  return { logits, targets: classTargets(labels) };
}

test("brings logits that are three times too sure back to what their classes say", () => {
  const { logits, targets } = calibrated(3000);
  const options = { classes, activation: "softmax" } as const;
  const plain = temperatureOf(logits, targets, options)!;
  expect(plain).toBeCloseTo(1, 1);
  const sure = logits.map((value) => 3 * value);
  const temperature = temperatureOf(sure, targets, options)!;
  expect(temperature / plain).toBeCloseTo(3, 2);
  const back = divided(sure, temperature);
  expect(temperatureOf(back, targets, options)).toBeCloseTo(1, 2);
});

test("reads several labels as indicators", () => {
  const logits = Float32Array.from({ length: 3000 }, () => 2 * random.normal());
  const values = logits.map((value) => Number(random.next() < 1 / (1 + Math.exp(-value))));
  const targets = { task: "multi-label", values, width: 3 } as const;
  const half = logits.map((value) => value / 2);
  expect(temperatureOf(half, targets, { classes, activation: "sigmoid" })).toBeCloseTo(0.5, 1);
});

test("a regression has none, and is divided by nothing", () => {
  const values = Float32Array.of(1, 2);
  const targets = { task: "regression", values, width: 1 } as const;
  expect(temperatureOf(values, targets, { classes: ["x"], activation: "identity" })).toBeUndefined();
  expect(divided(values, undefined)).toBe(values);
});

test("dividing makes a new array", () => {
  const values = Float32Array.of(1, -3);
  expect([...divided(values, 2)]).toEqual([0.5, -1.5]);
  expect([...values]).toEqual([1, -3]);
});
