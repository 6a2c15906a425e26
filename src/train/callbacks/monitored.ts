/** What callbacks that watch one measure share: reading it, and telling whether it got better. */
import { RootstockError } from "../../errors.ts";
import { shown } from "../../transforms/known-options.ts";
import type { Monitor } from "../callback.ts";

/**
 * A monitor, without anything else that was in the object. No direction is guessed.
 * @param where What names it in the message: "monitor", or a callback's.
 * @throws RootstockError BAD_CONFIG for anything else.
 */
export function checkedMonitor(where: string, monitor: unknown): Monitor {
  const form = '{ measure, mode }, such as { measure: "loss", mode: "min" }';
  if (typeof monitor !== "object" || monitor === null || Array.isArray(monitor))
    throw new RootstockError("BAD_CONFIG", `${where} requires ${form}, got ${shown(monitor)}.`);
  const { measure, mode } = monitor as { readonly [K in keyof Monitor]?: unknown };
  if (typeof measure !== "string" || measure === "")
    throw new RootstockError("BAD_CONFIG", `${where}.measure requires the name of a measure, got ${shown(measure)}.`);
  if (mode === "min" || mode === "max") return { measure, mode };
  throw new RootstockError("BAD_CONFIG", `${where}.mode requires one of min, max, got ${shown(mode)}.`);
}

/**
 * The value of the monitored measure in an epoch.
 * @param who the callback's name, for the message.
 * @throws RootstockError BAD_CONFIG if there is no such measure.
 */
export function monitored(who: string, { measure }: Monitor, validation: Readonly<Record<string, number>>): number {
  const value = Object.hasOwn(validation, measure) ? validation[measure] : undefined;
  if (value !== undefined) return value;
  const names = Object.keys(validation).join(", ");
  throw new RootstockError(
    "BAD_CONFIG",
    `${who} monitors "${measure}"; there is only ${names}. Name one of these as its monitor.`,
  );
}

/**
 * Whether a value is better than the best before it by more than `minDelta`. Any finite number is better than none;
 * NaN and infinities are never better, so that one broken epoch does not end as the best.
 */
export function improves({ mode }: Monitor, value: number, best: number | undefined, minDelta: number): boolean {
  if (!Number.isFinite(value)) return false;
  if (best === undefined) return true;
  return mode === "min" ? value < best - minDelta : value > best + minDelta;
}
