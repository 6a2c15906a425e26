/** Which phase of a run is on, and how many updates the phases before it made: for files that hold several phases. */
import { z } from "zod";
import type { Json } from "../../json.ts";
import type { PhaseReport } from "../callback.ts";
import { restored } from "./restored.ts";

/** A phase as files name it. */
export interface Phase {
  /** Name of its folder: "1-head", "2-last". Numbers keep the order, and phases of one name apart. */
  readonly folder: string;
  /** Updates of all phases before. */
  readonly stepsBefore: number;
  /** Updates of this phase so far: above 0 where it is continued. */
  readonly steps: number;
  /** Whether the phase was begun by the run that this one continues. */
  readonly continued: boolean;
}

export interface PhaseCount {
  /** Called when a phase begins; right after `restore`, it is the phase that goes on. */
  start(report: PhaseReport): Phase;
  /** Called with the updates of the phase so far. */
  reached(steps: number): void;
  state(): Json;
  restore(state: Json): void;
}

const stateSchema = z.strictObject({
  /** Number of the phase, from 1; 0 before the first. */
  index: z.int().min(0),
  name: z.string(),
  stepsBefore: z.int().min(0),
  steps: z.int().min(0),
});

/** Counts the phases of a run for the callback `who`. */
export function phaseCount(who: string): PhaseCount {
  let now: z.infer<typeof stateSchema> = { index: 0, name: "", stepsBefore: 0, steps: 0 };
  let taken = false;
  return {
    start: ({ phase, epochsDone, stepsPerEpoch }) => {
      const same = taken && phase === now.name;
      taken = false;
      if (!same) {
        const steps = epochsDone * stepsPerEpoch;
        now = { index: now.index + 1, name: phase, stepsBefore: now.stepsBefore + now.steps, steps };
      }
      const continued = same || epochsDone > 0;
      const { index, stepsBefore, steps } = now;
      return { folder: `${index}-${fileName(phase)}`, stepsBefore, steps, continued };
    },
    reached: (steps) => {
      now = { ...now, steps };
    },
    state: () => ({ ...now }),
    restore: (state) => {
      now = restored(who, stateSchema, state);
      taken = now.index > 0;
    },
  };
}

/** A phase's name as the name of a folder on any system: patterns of parameters have stars and slashes. */
function fileName(phase: string): string {
  return (
    phase
      .replace(/[^\p{L}\p{N}._-]+/gu, "-")
      .replace(/^[-.]+|[-.]+$/g, "")
      .slice(0, 40) || "phase"
  );
}
