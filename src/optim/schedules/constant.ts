/** No schedule: one learning rate. */
import type { Schedule } from "./span.ts";

/** The same learning rate for every step. */
export function constant(learningRate: number): Schedule {
  return () => learningRate;
}
