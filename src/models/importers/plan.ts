/** In which order the calls of a model's layers are made, and which are needed at all. */
import { RootstockError } from "../../errors.ts";
import { printable } from "../../graph/printable.ts";
import { type KerasCall, type KerasRef, tensorsOf } from "./keras-calls.ts";
import type { KerasLayer, KerasModel } from "./keras-config.ts";

/** One call, with the place of each tensor that it reads. */
export interface PlannedCall {
  readonly layer: KerasLayer;
  readonly call: KerasCall;
  /** Identifies the call's outputs. */
  readonly key: string;
}

/** The calls that a model's outputs need, each after those whose outputs it reads. */
export interface Plan {
  readonly calls: readonly PlannedCall[];
  readonly inputs: readonly string[];
  /** Where a tensor is: the key of a call and the number of its output. */
  readonly keyOf: (ref: KerasRef) => string;
}

/** Makes a plan. @throws RootstockError BAD_MODEL if a layer is missing, or reads its own output. */
export function planOf(model: KerasModel, where: string): Plan {
  const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  if (layers.size !== model.layers.length) throw bad(where, `two layers of "${model.name}" have one name`);
  const offsets = callOffsets(model);
  const keyOf = ({ layer, node }: KerasRef): string => `${node - (offsets.get(layer) ?? 0)}/${layer}`;
  const callOf = (ref: KerasRef): PlannedCall => {
    const layer = layers.get(ref.layer);
    if (!layer) throw bad(where, `"${ref.layer}" is read and not in the list of "${model.name}"`);
    const isInput = layer.calls.length === 0;
    const call = isInput ? NO_CALL : layer.calls[ref.node - (offsets.get(ref.layer) ?? 0)];
    if (!call) throw bad(where, `call ${ref.node} of "${ref.layer}" is read, and there are ${layer.calls.length}`);
    return { layer, call, key: keyOf(ref) };
  };
  const planned = new Map<string, PlannedCall>();
  const open = new Set<string>();
  // Depth first without recursion: a call is left on the stack until what it reads is planned.
  const stack = model.outputs.map(callOf).reverse();
  for (let current = stack.at(-1); current; current = stack.at(-1)) {
    const { key, call } = current;
    const missing = planned.has(key)
      ? []
      : tensorsOf(call)
          .map(callOf)
          .filter((one) => !planned.has(one.key));
    if (missing.length === 0) {
      planned.set(key, current);
      open.delete(key);
      stack.pop();
      continue;
    }
    const cycle = missing.find((one) => open.has(one.key) || one.key === key);
    if (cycle) throw bad(where, `"${cycle.layer.name}" reads its own output`);
    open.add(key);
    stack.push(...missing.reverse());
  }
  return { calls: [...planned.values()], inputs: model.inputs.map(keyOf), keyOf };
}

const NO_CALL: KerasCall = { args: [], kwargs: new Map() };

/** Keras 2 counts the making of a nested model as its first call, so that the first one in the file is number 1. */
function callOffsets(model: KerasModel): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  const refs = [...model.layers.flatMap(({ calls }) => calls.flatMap(tensorsOf)), ...model.outputs];
  for (const { layer, node } of refs) last.set(layer, Math.max(node, last.get(layer) ?? 0));
  return new Map(
    model.layers
      .filter((layer) => layer.model)
      .map(({ name, calls }) => [name, Math.max(0, (last.get(name) ?? 0) - calls.length + 1)]),
  );
}

function bad(where: string, what: string): RootstockError {
  return new RootstockError("BAD_MODEL", printable(`${where} is damaged: ${what}.`));
}
