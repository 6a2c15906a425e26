import { expect, test } from "vitest";
import { Output } from "../../src/cli/output.ts";
import { summarizeEvaluation } from "../../src/cli/summarize-evaluation.ts";
import { evaluateClassification } from "../../src/metrics/classification.ts";
import type { Evaluation } from "../../src/metrics/evaluation.ts";
import { evaluateMultiLabel } from "../../src/metrics/multi-label.ts";
import { evaluateRegression } from "../../src/metrics/regression.ts";

function printed(evaluation: Evaluation): string[] {
  const lines: string[] = [];
  const stream = { write: (text: unknown) => lines.push(String(text)) > 0 };
  summarizeEvaluation(evaluation, "test", new Output({ stdout: stream, stderr: stream, json: false, clock: () => 0 }));
  return lines.join("").trim().split("\n");
}

test("classes that exclude each other: accuracy, its interval, and who is taken for whom", () => {
  const logits = Float32Array.of(1, 0, 0, 1, 1, 0, 0, 1);
  const lines = printed(
    evaluateClassification({ logits, labels: [0, 1, 1, 1], classes: ["cat", "dog"], activation: "softmax" }),
  );
  expect(lines[0]).toMatch(/^accuracy {2}75\.0 % {2}\(95 % interval 30\.1 % to 95\.4 %; 3 of 4 test images\)$/);
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}dog +1 +2 +66\.7 %$/));
});

test("independent classes: mean average precision, and each class", () => {
  const logits = Float32Array.of(1, -1, 1, 1, -1, -1);
  const targets = Float32Array.of(1, 0, 1, 0, 1, 0);
  const lines = printed(evaluateMultiLabel({ logits, targets, classes: ["cat", "dog"] }));
  expect(lines[0]).toBe("mean average precision  1.000  (3 test images)");
  expect(lines[1]).toContain("every class right in 33.3 % of images");
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}cat +3 +100\.0 % +66\.7 % +0\.800 +1\.000$/));
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}dog +0 +0\.0 % +– +0\.000 +–$/));
});

test("numbers: what is explained, and the error beside that of the training mean", () => {
  const predictions = Float32Array.of(1, 2, 3, 5);
  const values = Float32Array.of(1, 2, 3, 4);
  const one = printed(evaluateRegression({ predictions, values, targets: ["age"], trainingMean: [2] }));
  expect(one[0]).toBe("R²        0.800, mean absolute error 0.25 (the training mean gets 1) on 4 test images");
  expect(one).toContainEqual(expect.stringMatching(/^ {2}age +0\.800 +0\.25 \(1\) +0\.5 \(1\.225\)$/));
  const two = printed(evaluateRegression({ predictions, values: Float32Array.of(2, 9, 1, 9), targets: ["x", "y"] }));
  expect(two[1]).toContain("no better than always answering with the mean");
  expect(two).toContainEqual(expect.stringMatching(/^ {2}y +0\.000 +5\.5 +5\.701$/));
  expect(two.join()).not.toContain("brackets");
});
