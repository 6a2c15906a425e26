import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/cli/arguments.ts";
import {
  LOSS_NAMES,
  OPTIMIZER_NAMES,
  readLoss,
  readOptimizer,
  readSchedule,
  SCHEDULE_NAMES,
} from "../../src/cli/part-options.ts";
import { LOSSES } from "../../src/losses/table.ts";
import { SCHEDULES } from "../../src/optim/schedule.ts";
import { OPTIMIZERS } from "../../src/optim/table.ts";

const optimizer = (text: string) => readOptimizer(text, undefined);

test("every part of the library can be chosen, but the loss that needs a teacher", () => {
  expect(OPTIMIZER_NAMES).toEqual(Object.keys(OPTIMIZERS));
  expect(SCHEDULE_NAMES).toEqual([...Object.keys(SCHEDULES), "plateau"]);
  expect([...LOSS_NAMES, "distillation"].sort()).toEqual(Object.keys(LOSSES).sort());
  for (const name of OPTIMIZER_NAMES) expect(optimizer(name)).toMatchObject({ optimizer: { name } });
  for (const name of SCHEDULE_NAMES) expect(readSchedule(name)).toEqual({ name });
  for (const name of LOSS_NAMES) expect(readLoss(name)).toEqual({ name });
});

test("settings are kept", () => {
  expect(optimizer("adamw:betas=0.8|0.9,epsilon=1e-6")).toEqual({
    optimizer: { name: "adamw", betas: [0.8, 0.9], epsilon: 1e-6 },
    weightDecay: undefined,
  });
  expect(readSchedule("plateau:patience=3,min-delta=0.01")).toEqual({ name: "plateau", patience: 3, minDelta: 0.01 });
  expect(readLoss("cross-entropy:classWeights=1|2")).toEqual({ name: "cross-entropy", classWeights: [1, 2] });
});

describe("what cannot be is told with the option and the part in front", () => {
  test.each<[(text: string) => unknown, string, string]>([
    [optimizer, "adam:betas=0.9", '--optimizer adam: betas requires 2 numbers with | between them, such as "betas='],
    [optimizer, "adam:betas=2|0.9", "--optimizer adam: betas[0] must be in [0, 1), got 2."],
    [optimizer, "sgd:betas=0.9|0.9", '--optimizer sgd takes momentum, nesterov, weightDecay, got "betas".'],
    [optimizer, "sgd:momentum=0,nesterov", "--optimizer sgd: momentum must be in (0, 1) with nesterov, got 0."],
    [readSchedule, "plateau:patience=-1", "--schedule plateau: patience requires a whole number from 1, got -1."],
    [readSchedule, "plateau:minDelta=-3", "--schedule plateau: minDelta requires a number from 0, got -3."],
    [readSchedule, "step:gamma=2", "--schedule step: gamma must be in (0, 1], got 2."],
    [readSchedule, "cosine:peak=2", '--schedule cosine takes final, got "peak".'],
    [readSchedule, "constant:gamma=1", '--schedule constant takes no settings, got "gamma".'],
    [readLoss, "focal:gamma=-1", "--loss focal: gamma requires a number in [0, 100], got -1."],
    [readLoss, "cross-entropy:labelSmoothing=1", "--loss cross-entropy: labelSmoothing requires a number in [0, 1)"],
    [readLoss, "cross-entropy:soft", '--loss cross-entropy takes labelSmoothing, classWeights, got "soft".'],
    [readLoss, "distillation", "--loss distillation requires the probabilities of a teacher, got images with labels"],
    [readLoss, "distillation:temperature=3", "--loss distillation requires the probabilities of a teacher"],
  ])("%o %s", (read, text, message) => {
    expect(() => read(text)).toThrow(UsageError);
    expect(() => read(text)).toThrow(message);
  });
});
