/**
 * Functions that Keras records where code applies them to tensors: `x / 127.5 - 1`, `tf.nn.relu6(x)`, `x[..., ::-1]`.
 * They are known by name; anything else that a file names is refused.
 */
import { z } from "zod";
import { int } from "../../../graph/attributes.ts";
import { axisOf, type KerasTensor, plainTensor, shapeText, storedAxis, toPlain } from "../keras-tensor.ts";
import { type LayerCall, type LayerRule, layerRule } from "../layer-rule.ts";
import { binary, elementwise } from "./arithmetic.ts";
import { argument, type FunctionRule, plainArgument, tensorArgument, unsupported } from "./function-call.ts";
import { getItem } from "./indexing.ts";
import { joined } from "./merging.ts";

/** Tensors of a list argument. */
function tensorList(call: LayerCall, name: string): KerasTensor[] {
  const found = argument(call, 0, name);
  const items = found.kind === "list" ? found.items : call.args;
  return items.map((item) => {
    if (item.kind === "tensor") return item.tensor;
    throw unsupported(call, "a list of tensors");
  });
}

/** Matrices [h, w] as the channels of a map. */
const stack: FunctionRule = (call, config) => {
  const { b } = call;
  const tensors = tensorList(call, "x").map((t) => toPlain(b, t));
  const axis = plainArgument(call, config, "axis");
  const [shape = []] = tensors.map((t) => t.shape);
  if ((axis !== -1 && axis !== shape.length + 1) || shape.length !== 2)
    throw unsupported(call, `matrices to stack along the last axis, got ${shapeText(shape)}`);
  const planes = tensors.map((t): KerasTensor => {
    return { value: b.op("Unsqueeze", [t.value, b.ints([1])]), shape: [...t.shape, 1], form: "planes" };
  });
  return joined(call, planes, -1);
};

const concat: FunctionRule = (call, config) => {
  const axis = plainArgument(call, config, "axis");
  if (!Number.isSafeInteger(axis)) throw unsupported(call, "one axis");
  return joined(call, tensorList(call, "xs"), Number(axis));
};

/** The mean over axes of a map. */
const mean: FunctionRule = (call, config) => {
  const { b, name, where } = call;
  const given = tensorArgument(call, 0, "x", "input_tensor");
  const t = typeof given.form === "object" ? toPlain(b, given) : given;
  const { data: axes } = z
    .array(z.int())
    .min(1)
    .safeParse([plainArgument(call, config, "axis")].flat());
  if (!axes) throw unsupported(call, "axes other than the batch");
  const own = axes.map((axis) => axisOf(axis, t, where));
  const keepdims = Boolean(plainArgument(call, config, "keepdims"));
  const base = keepdims || own.length === 2 ? t : toPlain(b, t);
  const stored = b.ints(own.map((axis) => storedAxis(base, axis)));
  const value = b.op("ReduceMean", [base.value, stored], { keepdims: int(Number(keepdims)) }, name);
  if (keepdims) return { ...base, value, shape: base.shape.map((size, i) => (own.includes(i) ? 1 : size)) };
  return plainTensor(
    value,
    base.shape.filter((_, i) => !own.includes(i)),
  );
};

const FUNCTIONS = {
  add: binary("Add"),
  subtract: binary("Sub"),
  multiply: binary("Mul"),
  divide: binary("Div"),
  maximum: binary("Max"),
  minimum: binary("Min"),
  relu: elementwise("relu"),
  relu6: elementwise("relu6"),
  sigmoid: elementwise("sigmoid"),
  tanh: elementwise("tanh"),
  silu: elementwise("silu"),
  gelu: elementwise("gelu"),
  softmax: elementwise("softmax"),
  softplus: elementwise("softplus"),
  exp: elementwise("exponential"),
  elu: elementwise("elu"),
  selu: elementwise("selu"),
  "hard swish": elementwise("hard_swish"),
  getItem,
  stack,
  concat,
  mean,
} as const satisfies Record<string, FunctionRule>;

/** Classes of keras.ops (Keras 3) by the function. */
const KERAS_OPERATIONS: Readonly<Record<string, keyof typeof FUNCTIONS>> = {
  Add: "add",
  Subtract: "subtract",
  Multiply: "multiply",
  Divide: "divide",
  TrueDivide: "divide",
  Maximum: "maximum",
  Minimum: "minimum",
  Relu: "relu",
  Relu6: "relu6",
  Sigmoid: "sigmoid",
  Tanh: "tanh",
  Silu: "silu",
  Gelu: "gelu",
  Softmax: "softmax",
  Softplus: "softplus",
  Exp: "exp",
  Elu: "elu",
  Selu: "selu",
  HardSilu: "hard swish",
  HardSwish: "hard swish",
  GetItem: "getItem",
  Stack: "stack",
  Concatenate: "concat",
  Mean: "mean",
};

/** TensorFlow's functions (TFOpLambda and SlicingOpLambda of Keras 2) by the function. */
const TENSORFLOW_FUNCTIONS: Readonly<Record<string, keyof typeof FUNCTIONS>> = {
  "__operators__.add": "add",
  "__operators__.getitem": "getItem",
  concat: "concat",
  "math.add": "add",
  "math.divide": "divide",
  "math.exp": "exp",
  "math.maximum": "maximum",
  "math.minimum": "minimum",
  "math.multiply": "multiply",
  "math.reduce_mean": "mean",
  "math.sigmoid": "sigmoid",
  "math.softplus": "softplus",
  "math.subtract": "subtract",
  "math.tanh": "tanh",
  "math.truediv": "divide",
  "nn.bias_add": "add",
  "nn.elu": "elu",
  "nn.gelu": "gelu",
  "nn.relu": "relu",
  "nn.relu6": "relu6",
  "nn.selu": "selu",
  "nn.sigmoid": "sigmoid",
  "nn.silu": "silu",
  "nn.softmax": "softmax",
  "nn.swish": "silu",
  "nn.tanh": "tanh",
  stack: "stack",
};

const record = z.record(z.string(), z.unknown());

function functionRule(name: keyof typeof FUNCTIONS): LayerRule {
  const f: FunctionRule = FUNCTIONS[name];
  return layerRule(record, { apply: (call, config, dialect) => f(call, config, dialect) });
}

/** The rule of a class of keras.ops. */
export function operationRule(className: string): LayerRule | undefined {
  return Object.hasOwn(KERAS_OPERATIONS, className) ? functionRule(KERAS_OPERATIONS[className]!) : undefined;
}

/** The rule of a function of TensorFlow that a layer applies. */
export const tensorflowFunction: LayerRule = (config, dialect) => {
  const { data } = z.object({ function: z.string() }).safeParse(config);
  const name = data?.function ?? "a function without a name";
  if (!Object.hasOwn(TENSORFLOW_FUNCTIONS, name)) return `tf.${name.slice(0, 80)} is not supported`;
  return functionRule(TENSORFLOW_FUNCTIONS[name]!)(config, dialect);
};
