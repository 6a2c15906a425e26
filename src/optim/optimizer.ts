/** What an optimizer is: named state tensors and one in-place update, so that checkpoints need no code. */
import { RootstockError } from "../errors.ts";

/** What an update needs to know besides the numbers it changes. */
export interface UpdateStep {
  /** Size of the step, positive; schedules and parameter groups decide it. */
  readonly learningRate: number;
  /** Count of updates including this one, from 1. Adam's bias correction reads it. */
  readonly step: number;
  /** Whether the optimizer's weight decay applies. False for biases and the scales of normalization layers. */
  readonly decay: boolean;
}

/** Changes parameters along their gradients. It holds no state: what it remembers lives in the slots it is given. */
export interface Optimizer {
  readonly name: string;
  /** JSON-safe copy of the resolved options, for run records and checkpoints. */
  readonly options: Readonly<Record<string, number | string | boolean | readonly number[]>>;
  /** Names of the per-parameter state tensors, each shaped like its parameter and starting at zero. */
  readonly slots: readonly string[];
  /**
   * Updates `parameter` and every slot in place. All arrays have the same length; slots come in the order of `slots`.
   * @throws RootstockError SHAPE_MISMATCH if a slot is missing or the lengths disagree.
   */
  update(parameter: Float32Array, gradient: Float32Array, slots: readonly Float32Array[], at: UpdateStep): void;
}

/** Makes the state of one parameter of `length` elements before its first update: one array of zeros per slot. */
export function zeroSlots(optimizer: Optimizer, length: number): Float32Array[] {
  return optimizer.slots.map(() => new Float32Array(length));
}

/**
 * Throws unless gradient and slots match the parameter, element for element. For use inside optimizers.
 * @throws RootstockError SHAPE_MISMATCH.
 */
export function checkUpdate(
  optimizer: Optimizer,
  parameter: Float32Array,
  gradient: Float32Array,
  slots: readonly Float32Array[],
): void {
  const expected = optimizer.slots.length;
  const size = parameter.length;
  if (gradient.length === size && slots.length === expected && slots.every((slot) => slot.length === size)) return;
  throw new RootstockError(
    "SHAPE_MISMATCH",
    `${optimizer.name} requires a gradient and ${expected} slots of ${size} elements, like the parameter; ` +
      `got a gradient of ${gradient.length} and slots of [${slots.map((slot) => slot.length)}].`,
  );
}
