import { expect, test } from "vitest";
import { Output } from "../../src/cli/output.ts";
import { summarizeAugmentation, summarizeEvaluation } from "../../src/cli/summarize-evaluation.ts";
import { evaluateClassification } from "../../src/metrics/classification.ts";
import type { Evaluation } from "../../src/metrics/evaluation.ts";
import { evaluateMultiLabel } from "../../src/metrics/multi-label.ts";
import { evaluateRegression } from "../../src/metrics/regression.ts";

function printedBy(print: (output: Output) => void): string[] {
  const lines: string[] = [];
  const stream = { write: (text: unknown) => lines.push(String(text)) > 0 };
  print(new Output({ stdout: stream, stderr: stream, json: false, clock: () => 0 }));
  return lines.join("").trim().split("\n");
}

function printed(evaluation: Evaluation): string[] {
  return printedBy((output) => summarizeEvaluation(evaluation, "test", output));
}

test("classes that exclude each other: accuracy, its interval, and who is taken for whom", () => {
  const logits = Float32Array.of(1, 0, 0, 1, 1, 0, 0, 1);
  const lines = printed(
    evaluateClassification({ logits, labels: [0, 1, 1, 1], classes: ["cat", "dog"], activation: "softmax" }),
  );
  expect(lines[0]).toMatch(/^accuracy {2}75\.0 % {2}\(95 % interval 30\.1 % to 95\.4 %; 3 of 4 test images\)$/);
  expect(lines[1]).toMatch(
    /^ {10}balanced accuracy 83\.3 % \([\d.]+ % to 100\.0 %\), macro-F1 0\.733 \([\d.]+ to 1\.000\)$/,
  );
  expect(lines[2]).toMatch(/^ {10}ROC-AUC 0\.833 \(.+\), log-loss 0\.563 \(.+\), calibration error [\d.]+ \(.+\)$/);
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}dog +1 +2 +66\.7 %$/));
  expect(lines.join()).not.toContain("most probable");
});

test("more than five classes: also whether the right one is among the first five; without an area where it is not defined", () => {
  const classes = Array.from({ length: 7 }, (_, i) => `class ${i}`);
  const logits = Float32Array.of(7, 6, 5, 4, 3, 2, 1);
  const lines = printed(evaluateClassification({ logits, labels: [4], classes, activation: "softmax" }));
  expect(lines).toContainEqual(
    expect.stringMatching(/^ {10}among the 5 most probable 100\.0 % \(20\.7 % to 100\.0 %\)$/),
  );
  const alone = printed(
    evaluateClassification({ logits: Float32Array.of(1, 0), labels: [0], classes: ["a", "b"], activation: "softmax" }),
  );
  expect(alone.join()).not.toContain("ROC");
});

test("test-time augmentation: what it changes, and whether that is more than chance", () => {
  const difference = { measure: "accuracy", a: 0.9, b: 0.907, difference: 0.007, interval: [-0.003, 0.017] } as const;
  const line = (differs: boolean) =>
    printedBy((output) =>
      summarizeAugmentation(
        { paired: true, differences: [{ ...difference, differs, ...(differs ? { better: "b" as const } : {}) }] },
        output,
      ),
    );
  expect(line(false)).toEqual([
    "flip      accuracy 90.7 % with mirror images, 90.0 % without: +0.7 points (95 % interval -0.3 points to +1.7 points), no more than chance explains",
  ]);
  expect(line(true)[0]).toMatch(/, better by more than chance explains$/);
});

test("independent classes: mean average precision, and each class", () => {
  const logits = Float32Array.of(1, -1, 1, 1, -1, -1);
  const targets = Float32Array.of(1, 0, 1, 0, 1, 0);
  const lines = printed(evaluateMultiLabel({ logits, targets, classes: ["cat", "dog"] }));
  expect(lines[0]).toMatch(/^mean average precision {2}1\.000 {2}\(95 % interval [\d.]+ to 1\.000; 3 test images\)$/);
  expect(lines[1]).toMatch(/^ {10}macro-F1 0\.400 \(.+\), micro-F1 0\.667 \(.+\)$/);
  expect(lines[2]).toMatch(/^ {10}every class right in 33\.3 % \(6\.1 % to 79\.2 %\) of images$/);
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}cat +3 +100\.0 % +66\.7 % +0\.800 +1\.000$/));
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}dog +0 +0\.0 % +– +0\.000 +–$/));
  const chosen = printed(evaluateMultiLabel({ logits, targets, classes: ["cat", "dog"], thresholds: [0.125, 0.5] }));
  expect(chosen).toContainEqual(expect.stringMatching(/^ {2}cat +3 .* 1\.000 +12\.5 %$/));
  expect(chosen.join()).toContain("said above");
});

test("numbers: what is explained, and the error beside that of the training mean", () => {
  const predictions = Float32Array.of(1, 2, 3, 5);
  const values = Float32Array.of(1, 2, 3, 4);
  const one = printed(evaluateRegression({ predictions, values, targets: ["age"], trainingMean: [2] }));
  expect(one[0]).toMatch(/^R² {8}0\.800 {2}\(95 % interval .+ to .+; 4 test images\)$/);
  expect(one[1]).toMatch(
    /^ {10}mean absolute error 0\.25 \(0 to 0\.75; the training mean gets 1\), median 0 \(0 to 1\)$/,
  );
  expect(one[2]).toMatch(/^ {10}Spearman correlation 1\.000 \(.+\)$/);
  expect(one).toContainEqual(expect.stringMatching(/^ {2}age +0\.800 +0\.25 \(1\) +0\.5 \(1\.225\)$/));
  const two = printed(evaluateRegression({ predictions, values: Float32Array.of(2, 9, 1, 9), targets: ["x", "y"] }));
  expect(two[2]).toContain("no better than always answering with the mean");
  expect(two).toContainEqual(expect.stringMatching(/^ {2}y +0\.000 +5\.5 +5\.701$/));
  expect(two.join()).not.toContain("brackets");
});
