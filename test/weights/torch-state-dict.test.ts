import { describe, expect, test } from "vitest";
import { findStateDict } from "../../src/weights/torch-state-dict.ts";
import type { PickleOpaque, PickleValue, TorchTensor } from "../../src/weights/torch-values.ts";

const type = { name: "float32", bytes: 4, dtype: "float32" } as const;
const storage = { kind: "storage", type, key: "0", count: 1, start: 0 } as const;
const tensor: TorchTensor = { kind: "tensor", storage, type, offset: 0, shape: [1], strides: [1] };

function dict(record: Readonly<Record<string, PickleValue>>): PickleValue {
  return { kind: "dict", entries: new Map<PickleValue, PickleValue>(Object.entries(record)) };
}

function opaque(global: string, state: PickleValue): PickleOpaque {
  return { kind: "opaque", global, args: [], state, entries: new Map() };
}

function found(root: PickleValue, key?: string): { names: string[]; notes: readonly string[] } {
  const { tensors, notes } = findStateDict(root, "w.pth", key);
  return { names: [...tensors.keys()], notes };
}

const weights = dict({ "a.weight": tensor, "a.bias": tensor });

describe("finds", () => {
  test.each<[string, PickleValue, string | undefined]>([
    ["a state dict itself", weights, undefined],
    ["a usual key", dict({ epoch: 3, state_dict: weights }), "state_dict"],
    ["the first of two usual keys", dict({ ema: weights, model: weights }), "model"],
    ["a usual key beside single tensors", dict({ best_prec1: tensor, net: weights }), "net"],
    ["an unusual key if it is the only one", dict({ epoch: 3, backbone: weights }), "backbone"],
    ["a usual key within another", dict({ model: dict({ state_dict: weights }) }), "model.state_dict"],
  ])("%s", (_what, root, place) => {
    const { names, notes } = found(root);
    expect(names).toEqual(["a.weight", "a.bias"]);
    expect(notes[0]).toBe(place && `the tensors are those under "${place}"`);
  });

  test("the place that is asked for", () => {
    const root = dict({ model: dict({ other: tensor }), extra: dict({ inner: weights }) });
    expect(found(root, "extra.inner").names).toEqual(["a.weight", "a.bias"]);
  });

  test("the parameters and buffers of a whole module, in the order of state_dict()", () => {
    const part = (parameters: PickleValue, buffers: PickleValue, modules: PickleValue): PickleValue =>
      opaque("torch.nn.M", dict({ training: true, _parameters: parameters, _buffers: buffers, _modules: modules }));
    const none = dict({});
    const inner = part(dict({ weight: tensor, bias: null }), dict({ running_mean: tensor }), none);
    const root = part(dict({ scale: tensor }), none, dict({ conv: inner, tied: inner }));
    const names = ["scale", "conv.weight", "conv.running_mean", "tied.weight", "tied.running_mean"];
    expect(found(root).names).toEqual(names);
    expect(found(dict({ ema: root })).names).toEqual(names);
  });

  test("what is no tensor, and says so", () => {
    const { names, notes } = found(dict({ a: tensor, _extra_state: 3, version: "1" }));
    expect(names).toEqual(["a"]);
    expect(notes).toEqual(["entries that are no tensors were left out: _extra_state, version"]);
  });
});

describe("refused", () => {
  test.each<[string, PickleValue, string]>([
    [
      "two unusual places",
      dict({ actor: weights, critic: dict({ a: tensor, b: tensor }) }),
      'Choose one of "actor" (2 tensors), "critic" (2 tensors)',
    ],
    ["no tensors", dict({ epoch: 3, lr: 0.1 }), "a dict with epoch, lr and no tensors"],
    ["an object of a foreign class", opaque("fastai.Learner", null), "an object of class fastai.Learner"],
    ["a single tensor", tensor, "a single tensor without a name"],
  ])("%s", (_what, root, message) => {
    expect(() => found(root)).toThrow(message);
    expect(() => found(root)).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
  });
});

test("takes bounded time for modules that share their parts, 2^40 of them", () => {
  let module: PickleValue = opaque("M", dict({}));
  for (let i = 0; i < 40; i++) module = opaque("M", dict({ _modules: dict({ a: module, b: module }) }));
  expect(() => found(dict({ model: module }))).toThrow("no tensors");
});

test("takes bounded time for a dict that holds itself", () => {
  const root = { kind: "dict", entries: new Map<PickleValue, PickleValue>() } as const;
  root.entries.set("model", root);
  expect(() => found(root)).toThrow("no tensors");
});
