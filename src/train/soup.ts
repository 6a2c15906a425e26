/** Averages the weights of the best epochs, as far as that helps. */
import type { Parameters } from "../models/head.ts";
import { float32 } from "../tensor/tensor.ts";
import type { Monitor } from "./callback.ts";
import { isBetter, type KeptEpoch } from "./kept-epoch.ts";
import type { Trainer } from "./train-step.ts";

export interface SoupOptions {
  /** Holds the result afterwards. */
  readonly step: Pick<Trainer, "restore">;
  /** Measures the step's current parameters on the validation set. */
  readonly validate: () => Promise<Readonly<Record<string, number>>>;
  readonly monitor: Monitor;
  /** Best first; at least one. */
  readonly kept: readonly KeptEpoch[];
}

/**
 * Greedy soup (Wortsman et al. 2022, arXiv:2203.05482): starts with the best parameters and adds each of the others to
 * their average where the average is then better on validation. Of one set of parameters nothing is measured again.
 */
export async function greedySoup({ step, validate, monitor, kept }: SoupOptions): Promise<{
  readonly parameters: Parameters;
  /** Sets in the average. */
  readonly averaged: number;
}> {
  const members = [kept[0]!.parameters];
  let [parameters, value] = [kept[0]!.parameters, kept[0]!.value];
  for (const candidate of kept.slice(1)) {
    const mixed = meanOf([...members, candidate.parameters]);
    await step.restore(mixed);
    const reached = (await validate())[monitor.measure]!;
    if (!isBetter(reached, value, monitor)) continue;
    members.push(candidate.parameters);
    [parameters, value] = [mixed, reached];
  }
  await step.restore(parameters);
  return { parameters, averaged: members.length };
}

function meanOf(sets: readonly Parameters[]): Parameters {
  return new Map(
    [...sets[0]!].map(([name, { shape }]) => {
      const parts = sets.map((set) => set.get(name)!.data);
      const mean = Float32Array.from(
        parts[0]!,
        (_, i) => parts.reduce((sum, part) => sum + part[i]!, 0) / parts.length,
      );
      return [name, float32(shape, mean)] as const;
    }),
  );
}
