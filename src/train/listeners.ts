/** The callbacks of a fit: told one after the other, heard in what they ask, and named where one of them fails. */
import { messageOf, RootstockError } from "../errors.ts";
import { checkKeys, shown } from "../transforms/known-options.ts";
import type { Callback, RunControl, StopOptions } from "./callback.ts";
import type { CallbackStates, FitState } from "./fit-options.ts";

/** What callbacks have asked for so far: a fit looks at it between two steps. */
export interface Asked extends Pick<{ -readonly [K in keyof FitState]: FitState[K] }, "rate" | "stopped"> {
  /** Whether no further phase begins. */
  endsRun: boolean;
  /** Whether a checkpoint is wanted after the epoch. */
  save: boolean;
}

/** The reason of a stop that has none. */
const NO_REASON = "a callback asked for it";

/** What a callback may do to a fit. */
export function controlOf(asked: Asked, parameters: RunControl["parameters"]): RunControl {
  return {
    stop: (reason = NO_REASON, options: StopOptions = {}) => {
      if (typeof reason !== "string") throw noReason(reason);
      checkKeys("stop", options, { all: true });
      const { all = false }: StopOptions = options;
      if (typeof all !== "boolean")
        throw new RootstockError("BAD_CONFIG", `stop: all requires true or false, got ${shown(all)}.`);
      asked.stopped ??= reason === "" ? NO_REASON : reason;
      asked.endsRun ||= all;
    },
    scaleLearningRate: (factor) => {
      if (!(factor > 0 && Number.isFinite(factor)))
        throw new RangeError(`scaleLearningRate requires a number above 0, got ${factor}.`);
      asked.rate *= factor;
    },
    save: () => {
      asked.save = true;
    },
    parameters,
  };
}

function noReason(reason: unknown): RootstockError {
  const error = reason instanceof Error;
  const got = error ? "an error" : shown(reason);
  const advice = error ? "Pass its message." : "Options come second: stop(reason, { all: true }).";
  return new RootstockError("BAD_CONFIG", `stop requires a reason as text, got ${got}. ${advice}`);
}

/** A hook of callbacks, as messages name it. */
export type Hook = "onPhaseStart" | "onStep" | "onEpochEnd" | "onPhaseEnd";

/**
 * Tells all callbacks, in their order, and waits for each.
 * @throws RootstockError that names the first that fails, with what it has thrown as the cause: with the code of that, else
 *   BAD_CONFIG. Callbacks after it are not told.
 */
export async function tellAll(
  callbacks: readonly Callback[],
  hook: Hook,
  call: (callback: Callback) => void | Promise<void>,
): Promise<void> {
  for (const callback of callbacks) {
    try {
      await call(callback);
    } catch (error) {
      throw failedIn(callback, hook, error);
    }
  }
}

/** Tells all callbacks that the phase has ended, whatever one of them throws. @throws as `tellAll` what fails first. */
export async function tellEnd(callbacks: readonly Callback[]): Promise<void> {
  const errors: unknown[] = [];
  for (const callback of callbacks)
    await tellAll([callback], "onPhaseEnd", () => callback.onPhaseEnd?.()).catch((error: unknown) => {
      errors.push(error);
    });
  if (errors.length > 0) throw errors[0];
}

function failedIn({ name }: Callback, hook: Hook, error: unknown): RootstockError {
  const code = error instanceof RootstockError ? error.code : "BAD_CONFIG"; // a callback is an option
  const message = (messageOf(error) || (error as Error).name).replace(/(?<![.!?])$/, "."); // no text: an error without one
  return new RootstockError(code, `the callback "${name}" failed in ${hook}: ${message}`, { cause: error });
}

/** Where what callbacks asked of the run is kept beside their states, which are named by number and name. */
const OF_RUN = "run";

/** What callbacks remember, and whether one of them has ended the run. */
export function statesOf(callbacks: readonly Callback[], { endsRun }: Pick<Asked, "endsRun">): CallbackStates {
  const states = callbacks.flatMap(({ name, state }, i) => (state ? [[`${i} ${name}`, state()] as const] : []));
  return { ...Object.fromEntries(states), ...(endsRun && { [OF_RUN]: "ends" }) };
}

/** Whether a callback has ended the run, not the phase alone. */
export function endsRun(states: CallbackStates | undefined): boolean {
  return states?.[OF_RUN] === "ends";
}

/** Gives callbacks what they remembered. */
export function restoreStates(callbacks: readonly Callback[], states: CallbackStates = {}): void {
  for (const [i, { name, restore }] of callbacks.entries())
    if (Object.hasOwn(states, `${i} ${name}`)) restore?.(states[`${i} ${name}`]!);
}
