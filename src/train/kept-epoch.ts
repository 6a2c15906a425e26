/** Which epochs of a fit are worth keeping. */
import type { Parameters } from "../models/head.ts";
import type { Monitor } from "./callback.ts";

/** Parameters of an epoch that may be kept in the end. */
export interface KeptEpoch {
  /** From 1; 0 for the start. */
  readonly epoch: number;
  /** The monitored measure. */
  readonly value: number;
  readonly parameters: Parameters;
}

/** Whether one value of a measure is better than another. What is no number is worse than any. */
export function isBetter(value: number, than: number, { mode }: Monitor): boolean {
  if (Number.isNaN(than)) return !Number.isNaN(value);
  return mode === "min" ? value < than : value > than;
}
