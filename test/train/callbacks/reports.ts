/** Reports and controls with which tests call callbacks as a run does. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Parameters } from "../../../src/models/head.ts";
import type { EpochReport, PhaseReport, RunControl } from "../../../src/train/callback.ts";

/** A report of an epoch, of a head with 10 steps per epoch unless told otherwise. */
export function epochReport(epoch: number, changes: Partial<EpochReport> = {}): EpochReport {
  return {
    phase: "head",
    epoch,
    epochs: 99,
    steps: 10 * epoch,
    learningRate: 0.1,
    trainLoss: 1 / epoch,
    validation: { loss: 2 / epoch },
    best: false,
    ...changes,
  };
}

export function phaseReport(changes: Partial<PhaseReport> = {}): PhaseReport {
  return { phase: "head", epochs: 99, stepsPerEpoch: 10, epochsDone: 0, ...changes };
}

/** A control that writes down what is asked of it. */
export function recordedControl(parameters: Parameters = new Map()) {
  const asked = { stop: [] as string[], factors: [] as number[], saves: 0 };
  const control: RunControl = {
    stop: (reason = "") => asked.stop.push(reason),
    scaleLearningRate: (factor) => asked.factors.push(factor),
    save: () => {
      asked.saves++;
    },
    parameters: async () => parameters,
  };
  return { asked, control };
}

/** An empty folder that is gone after the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rootstock-callbacks-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
