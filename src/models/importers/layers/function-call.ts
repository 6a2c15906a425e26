/** How functions that Keras recorded take their arguments. */
import { RootstockError } from "../../../errors.ts";
import type { KerasTensor } from "../keras-tensor.ts";
import type { CallArgument, KerasDialect, LayerCall } from "../layer-rule.ts";

/** What a function becomes. Its arguments are in the call, or in the configuration of its layer. */
export type FunctionRule = (
  call: LayerCall,
  config: Readonly<Record<string, unknown>>,
  dialect: KerasDialect,
) => KerasTensor;

/** An argument by position or by one of its names. */
export function argument({ args, kwargs, where }: LayerCall, index: number, ...names: readonly string[]): CallArgument {
  const named = names.map((name) => kwargs.get(name)).find((value) => value !== undefined);
  const found = args[index] ?? named;
  if (found) return found;
  throw new RootstockError("BAD_MODEL", `${where} requires the argument ${names[0]}. The file is damaged.`);
}

/** A tensor argument. */
export function tensorArgument(call: LayerCall, index: number, ...names: readonly string[]): KerasTensor {
  const found = argument(call, index, ...names);
  if (found.kind === "tensor") return found.tensor;
  throw unsupported(call, `the argument ${names[0]} to be a tensor`);
}

/** Plain data that is given by position or name, or belongs to the configuration. */
export function plainArgument(call: LayerCall, config: Readonly<Record<string, unknown>>, name: string): unknown {
  const given = call.kwargs.get(name);
  return given?.kind === "constant" ? given.value : config[name];
}

export function unsupported({ where }: LayerCall, what: string): RootstockError {
  return new RootstockError("UNSUPPORTED_OP", `${where} requires ${what}. Write it as a layer, or export to ONNX.`);
}
