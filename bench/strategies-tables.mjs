/** The tables of bench/strategies.mjs: what both sides reach, with intervals, and how long they take. */
import { wilsonInterval } from "../dist/metrics/interval.js";
import { median, show } from "./numbers.mjs";

const WAYS = ["Rootstock", "PyTorch, first way", "PyTorch, second way"];

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Accuracy and loss of every recipe. Differences are of the same images, each the mean of its seeds. The last
 * two columns are the largest differences of the mean training loss of an epoch, over epochs and seeds.
 */
export function* accuracyTable(rows) {
  const pairs = ["Rootstock − first", "first − second"];
  yield `| dataset | recipe | accuracy, %: ${[...WAYS, ...pairs].join(" | ")} | loss: ${[...WAYS, ...pairs].join(" | ")} | training loss: Rootstock − first | first − second |`;
  yield `|---|---${"|--:".repeat(12)}|`;
  for (const { name, recipe, plan, results } of rows) {
    const sides = [...results.values()];
    const [own, first, second] = sides;
    const difference = (of, a, b, digits) => b && estimate(minus(byImage(a, of), byImage(b, of)), digits, "+");
    const percent = ({ correct }) => correct.map((value) => 100 * value);
    const loss = ({ losses }) => losses;
    const curve = (a, b) => (b && plan.epochs > 0 && !plan.augmented ? curveDifference(a, b) : undefined);
    const cells = [
      ...threeOf(sides.map(accuracy)),
      ...[difference(percent, own, first, 1), difference(percent, first, second, 1)],
      ...threeOf(sides.map((list) => estimate(byImage(list, loss), 3))),
      ...[difference(loss, own, first, 3), difference(loss, first, second, 3)],
      ...[curve(own, first), curve(first, second)],
    ];
    yield line([name, recipe, ...cells]);
  }
}

/** Seconds of every recipe: without start-up, with it, and of the loop alone. */
export function* timeTable(rows) {
  const [own, ...others] = WAYS;
  const group = (title) => [`${title}: ${own}`, ...others, "Rootstock is faster by"].join(" | ");
  yield `| dataset | recipe | ${["seconds", "with start-up", "the loop alone"].map(group).join(" | ")} |`;
  yield `|---|---${"|--:".repeat(12)}|`;
  for (const { name, recipe, ways, results } of rows) {
    const cells = [({ total }) => total, ({ startup, total }) => startup + total, ({ training }) => training].flatMap(
      (secondsOf, i) => {
        const times = [...results.values()].map((list) => list.map(({ seconds }) => secondsOf(seconds)));
        const text = times.map((list, side) => `${i === 0 && side > 0 ? `${ways[side - 1]}: ` : ""}${spread(list)}`);
        const ratios = times.slice(1).map((list) => `${show(median(list) / median(times[0]))} ×`);
        return [...threeOf(text), ratios.join(", ")];
      },
    );
    yield line([name, recipe, ...cells]);
  }
}

/** "86.4 (80.0–91.0): 86.7 87.3 85.3": the mean of the seeds with the interval of that share, then each. */
function accuracy(list) {
  const values = byImage(list, ({ correct }) => correct);
  const share = mean(values);
  const [low, high] = wilsonInterval(Math.round(share * values.length), values.length);
  const percent = (value) => (100 * value).toFixed(1);
  const each = list.map(({ correct }) => percent(mean(correct))).join(" ");
  return `${percent(share)} (${percent(low)}–${percent(high)}): ${each}`;
}

/** Mean of each image over the seeds. */
function byImage(list, of) {
  const all = list.map(of);
  return all[0].map((_, i) => mean(all.map((values) => values[i])));
}

function minus(a, b) {
  return a.map((value, i) => value - b[i]);
}

/** "+0.2 ± 1.1": the mean of the images and half of its 95 % interval. */
function estimate(values, digits, sign = "") {
  const center = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1);
  const half = 1.96 * Math.sqrt(variance / values.length);
  const text = center.toFixed(digits);
  const rounded = Number(text);
  return `${rounded > 0 ? sign : ""}${rounded === 0 ? text.replace("-", "") : text} ± ${half.toFixed(digits)}`;
}

function curveDifference(a, b) {
  const differences = a.flatMap(({ seed, history }) => {
    const other = b.find((result) => result.seed === seed).history;
    return history.map(({ trainLoss }, i) => Math.abs(trainLoss - other[i].trainLoss));
  });
  return Math.max(...differences).toFixed(4);
}

/** "12.3 (12.1–12.6)": the median of the rounds, the lowest and the highest. */
function spread(list) {
  if (list.length === 1) return show(list[0]);
  return `${show(median(list))} (${show(Math.min(...list))}–${show(Math.max(...list))})`;
}

/** The last cell is empty where PyTorch has one way. */
function threeOf(cells) {
  return [...cells, undefined].slice(0, 3);
}

function line(cells) {
  return `| ${cells.map((cell) => cell ?? "").join(" | ")} |`;
}
