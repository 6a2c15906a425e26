/** The check of callbacks before a run: one that nobody would call is a mistake that training would hide. */
import type { Task } from "../data/sample.ts";
import { listed, RootstockError } from "../errors.ts";
import { didYouMean, shown } from "../transforms/known-options.ts";
import type { Callback } from "./callback.ts";
import { checkedMonitor } from "./callbacks/monitored.ts";
import { checkMeasure } from "./epoch-measures.ts";
import type { Hook } from "./listeners.ts";

const HOOKS = ["onPhaseStart", "onStep", "onEpochEnd", "onPhaseEnd"] as const satisfies readonly Hook[];

/** What is a function where it is there. */
const METHODS = [...HOOKS, "state", "restore"] as const;

/**
 * Throws unless `callbacks` is a list of objects with a name, a hook that a fit calls and none that it does not know, each
 * with a monitor that data of the task have, if any.
 * @throws RootstockError BAD_CONFIG naming the place and the hook that was probably meant.
 */
export function checkCallbacks(callbacks: unknown, task: Task): void {
  if (callbacks === undefined) return;
  if (!Array.isArray(callbacks))
    throw new RootstockError("BAD_CONFIG", `callbacks requires a list of callbacks, got ${shown(callbacks)}.`);
  for (const [i, callback] of callbacks.entries()) checkCallback(callback, i, task);
}

function checkCallback(callback: unknown, index: number, task: Task): void {
  const place = `callbacks[${index}]`;
  if (typeof callback !== "object" || callback === null || Array.isArray(callback))
    throw new RootstockError(
      "BAD_CONFIG",
      `${place} requires an object with a name and hooks, such as { name: "mine", onEpochEnd: (report, run) => {} }, got ${shown(callback)}.`,
    );
  const given = callback as { readonly [K in keyof Callback]?: unknown };
  if (typeof given.name !== "string" || given.name === "")
    throw new RootstockError("BAD_CONFIG", `${place} requires a name as text, got ${shown(given.name)}.`);
  const where = `${place} ("${given.name.slice(0, 40)}")`;
  for (const method of METHODS)
    if (given[method] !== undefined && typeof given[method] !== "function")
      throw new RootstockError("BAD_CONFIG", `${where} requires ${method} as a function, got ${shown(given[method])}.`);
  const unknown = hooksOf(callback).filter((key) => !HOOKS.some((hook) => hook === key));
  if (unknown.length > 0)
    throw new RootstockError(
      "BAD_CONFIG",
      `${where} has the hook ${listed(unknown.map(shown))}, which nothing calls; there are ${HOOKS.join(", ")}.${didYouMean(unknown[0], HOOKS)}`,
    );
  if (HOOKS.every((hook) => given[hook] === undefined))
    throw new RootstockError("BAD_CONFIG", `${where} requires at least one hook of ${HOOKS.join(", ")}, got none.`);
  if (given.monitor !== undefined)
    checkMeasure(`${where}: monitor`, checkedMonitor(`${where}: monitor`, given.monitor), task);
}

/** Names of functions like hooks, its own and those of its class. */
function hooksOf(callback: object): string[] {
  const names = new Set<string>();
  for (let object = callback; object !== Object.prototype && object !== null; object = Object.getPrototypeOf(object))
    for (const name of Object.getOwnPropertyNames(object)) if (/^on[A-Z_]/.test(name)) names.add(name);
  return [...names].filter((name) => typeof (callback as Readonly<Record<string, unknown>>)[name] === "function");
}
