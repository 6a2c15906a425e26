/** What a run divides the logits of its network by, so that it is as sure as it is right. */
import type { Activation } from "../losses/loss.ts";
import type { Targets } from "../losses/targets.ts";
import { fitTemperature, type TemperatureOptions } from "../metrics/temperature.ts";

/** Fits the temperature of logits [n, classes] to their targets; undefined for a regression, which has none. */
export function temperatureOf(
  logits: Float32Array,
  targets: Targets,
  { classes, activation }: { readonly classes: readonly string[]; readonly activation: Activation },
): number | undefined {
  if (activation === "identity") return undefined;
  return fitTemperature({ logits, labels: labelsOf(targets), numClasses: classes.length, activation });
}

/** Classes as a temperature is fitted to them. */
export function labelsOf({ task, values }: Targets): TemperatureOptions["labels"] {
  return task === "multi-label" ? { indicators: values } : values;
}

/** The values divided by a number, as a new array; as they are without one. */
export function divided(values: Float32Array, divisor: number | undefined): Float32Array {
  return divisor === undefined ? values : values.map((value) => value / divisor);
}
