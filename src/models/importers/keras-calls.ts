/** What a layer is applied to, in the three notations that Keras has used for it. */
import { RootstockError } from "../../errors.ts";

/** An output of a call of a layer. */
export interface KerasRef {
  readonly layer: string;
  /** Which call of the layer, from 0. */
  readonly node: number;
  readonly tensor: number;
}

/** An argument of a call: a tensor, a list with tensors in it, or plain data. */
export type KerasArgument =
  | { readonly kind: "tensor"; readonly ref: KerasRef }
  | { readonly kind: "list"; readonly items: readonly KerasArgument[] }
  | { readonly kind: "constant"; readonly value: unknown };

/** One application of a layer. */
export interface KerasCall {
  readonly args: readonly KerasArgument[];
  readonly kwargs: ReadonlyMap<string, KerasArgument>;
}

const MAX_CALLS = 10_000;
const MAX_ARGUMENTS = 10_000;
const MAX_DEPTH = 8;

/** The tensors that a call reads, in order. */
export function tensorsOf({ args, kwargs }: KerasCall): KerasRef[] {
  const within = (argument: KerasArgument): KerasRef[] => {
    if (argument.kind === "tensor") return [argument.ref];
    return argument.kind === "list" ? argument.items.flatMap(within) : [];
  };
  return [...args, ...kwargs.values()].flatMap(within);
}

/** Reads `inbound_nodes`. @throws RootstockError BAD_MODEL */
export function parseCalls(json: readonly unknown[], where: string): KerasCall[] {
  if (json.length > MAX_CALLS) throw bad(where, `at most ${MAX_CALLS} calls, got ${json.length}`);
  return json.map((call) => {
    const record = asRecord(call);
    if (record && "args" in record) return modernCall(record, where);
    if (!Array.isArray(call)) throw bad(where, "lists of calls");
    return legacyCall(call, where);
  });
}

/** Reads `input_layers` and `output_layers`: [name, call, tensor], or lists or records of such. */
export function parseRefs(json: unknown, where: string, depth = 0): KerasRef[] {
  if (isTensorRef(json)) return [refOf(json)];
  const items = Array.isArray(json) ? json : Object.values(asRecord(json) ?? {});
  if (items.length === 0 || items.length > MAX_ARGUMENTS || depth > MAX_DEPTH)
    throw bad(where, "references [layer, call, tensor]");
  return items.flatMap((item) => parseRefs(item, where, depth + 1));
}

/** Keras 3: {"args": […], "kwargs": {…}}, in which tensors are records. */
function modernCall(record: Readonly<Record<string, unknown>>, where: string): KerasCall {
  const args = Array.isArray(record["args"]) ? record["args"] : [];
  const kwargs = Object.entries(asRecord(record["kwargs"]) ?? {});
  if (args.length + kwargs.length > MAX_ARGUMENTS) throw bad(where, `at most ${MAX_ARGUMENTS} arguments`);
  return {
    args: args.map((value) => modernArgument(value, where)),
    kwargs: new Map(kwargs.map(([key, value]) => [key, modernArgument(value, where)])),
  };
}

function modernArgument(value: unknown, where: string, depth = 0): KerasArgument {
  const record = asRecord(value);
  if (record?.["class_name"] === "__keras_tensor__") {
    const history = asRecord(record["config"])?.["keras_history"];
    if (!isTensorRef(history)) throw bad(where, "a keras_history [layer, call, tensor] in each tensor");
    return { kind: "tensor", ref: refOf(history) };
  }
  if (Array.isArray(value) && value.length <= MAX_ARGUMENTS && depth < MAX_DEPTH) {
    const items = value.map((item) => modernArgument(item, where, depth + 1));
    if (items.some(({ kind }) => kind !== "constant")) return { kind: "list", items };
  }
  return { kind: "constant", value };
}

/**
 * Keras 2: a list of [name, call, tensor, kwargs] for layers, one such entry by itself for TensorFlow functions, whose
 * further arguments are in its kwargs; a first argument that is a number is ["_CONSTANT_VALUE", -1, number, kwargs].
 */
function legacyCall(call: readonly unknown[], where: string): KerasCall {
  const entries = typeof call[0] === "string" ? [call] : call;
  if (entries.length > MAX_ARGUMENTS) throw bad(where, `at most ${MAX_ARGUMENTS} arguments`);
  const kwargs = new Map<string, KerasArgument>();
  const args = entries.map((entry): KerasArgument => {
    if (!Array.isArray(entry)) throw bad(where, "entries [layer, call, tensor]");
    for (const [key, value] of Object.entries(asRecord(entry[3]) ?? {})) kwargs.set(key, legacyArgument(value));
    if (entry[0] === "_CONSTANT_VALUE") return { kind: "constant", value: entry[2] };
    if (!isTensorRef(entry)) throw bad(where, "entries [layer, call, tensor]");
    return { kind: "tensor", ref: refOf(entry) };
  });
  return { args, kwargs };
}

function legacyArgument(value: unknown, depth = 0): KerasArgument {
  if (isTensorRef(value)) return { kind: "tensor", ref: refOf(value) };
  if (Array.isArray(value) && value.length <= MAX_ARGUMENTS && depth < MAX_DEPTH) {
    const items = value.map((item) => legacyArgument(item, depth + 1));
    if (items.some(({ kind }) => kind !== "constant")) return { kind: "list", items };
  }
  return { kind: "constant", value };
}

type TensorRef = readonly [layer: string, node: number, tensor: number, ...rest: unknown[]];

/** Whether JSON is [layer, call, tensor], perhaps with arguments behind it. */
export function isTensorRef(json: unknown): json is TensorRef {
  if (!Array.isArray(json) || json.length < 3 || json.length > 4 || typeof json[0] !== "string") return false;
  return [json[1], json[2]].every((index) => Number.isSafeInteger(index) && index >= 0);
}

function refOf([layer, node, tensor]: TensorRef): KerasRef {
  return { layer, node, tensor };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, unknown>>) : undefined; // was compared
}

function bad(where: string, what: string): RootstockError {
  return new RootstockError("BAD_MODEL", `${where} requires ${what}. The file is damaged.`);
}
