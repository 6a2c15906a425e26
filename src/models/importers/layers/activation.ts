/** Activations: functions by name, as other layers carry them, and as layers of their own. */
import { z } from "zod";
import { float, int } from "../../../graph/attributes.ts";
import type { GraphBuilder } from "../../../graph/builder.ts";
import type { Value } from "../../../graph/graph.ts";
import { faultsOf } from "../../../weights/json-text.ts";
import { axisOf, type KerasTensor, storedAxis, toPlain } from "../keras-tensor.ts";
import { type KerasDialect, type LayerCall, layerRule, onlyInput, variables } from "../layer-rule.ts";
import { permuted } from "../permute.ts";

/** A function of each element, or of an axis. */
interface ActivationContext {
  readonly b: GraphBuilder;
  /** Name for the last node. */
  readonly name: string;
  readonly dialect: KerasDialect;
  /** The axis of the graph's value that a softmax goes along. */
  readonly axis: number;
}
type ActivationFunction = (x: Value, context: ActivationContext) => Value;

const unary =
  (op: string, attributes = {}): ActivationFunction =>
  (x, { b, name }) =>
    b.op(op, [x], attributes, name);
const alongAxis =
  (op: string): ActivationFunction =>
  (x, { b, name, axis }) =>
    b.op(op, [x], { axis: int(axis) }, name);
const clip =
  (low: number, high: number): ActivationFunction =>
  (x, { b, name }) =>
    b.op("Clip", [x, b.scalar(low), b.scalar(high)], {}, name);
/** x sigmoid(x). */
const silu: ActivationFunction = (x, { b, name }) =>
  b.op("Mul", [x, b.op("Sigmoid", [x], {}, `${name}/sigmoid`)], {}, name);
/** Keras 2: clip(0.2 x + 0.5, 0, 1). Keras 3: relu6(x + 3) / 6. */
const hardSigmoid: ActivationFunction = (x, { b, name, dialect }) =>
  b.op("HardSigmoid", [x], { alpha: float(dialect.version < 3 ? 0.2 : 1 / 6), beta: float(0.5) }, name);
const hardSwish = unary("HardSwish");
/** x / 2 (1 + erf(x / sqrt 2)): the exact form, which is Keras' default. */
const gelu: ActivationFunction = (x, { b, name }) => {
  const erf = b.op("Erf", [b.mul(x, b.scalar(Math.SQRT1_2))]);
  return b.op("Mul", [b.mul(x, b.scalar(0.5)), b.add(erf, b.scalar(1))], {}, name);
};
const relu6 = clip(0, 6);

/** Functions by the names that configurations have for them. */
const ACTIVATIONS: Readonly<Record<string, ActivationFunction>> = {
  celu: unary("Celu"),
  elu: unary("Elu"),
  exponential: unary("Exp"),
  gelu,
  hard_sigmoid: hardSigmoid,
  hard_silu: hardSwish,
  hard_swish: hardSwish,
  hard_tanh: clip(-1, 1),
  leaky_relu: unary("LeakyRelu", { alpha: float(0.2) }),
  linear: (x) => x,
  log_softmax: alongAxis("LogSoftmax"),
  mish: unary("Mish"),
  relu: unary("Relu"),
  relu6,
  selu: unary("Selu"),
  sigmoid: unary("Sigmoid"),
  silu,
  softmax: alongAxis("Softmax"),
  softplus: unary("Softplus"),
  softsign: unary("Softsign"),
  swish: silu,
  tanh: unary("Tanh"),
};

/** An activation as a configuration gives it: a name, or a layer. */
export interface Activation {
  readonly name: string;
  readonly apply: (t: KerasTensor, call: LayerCall, dialect: KerasDialect, name: string) => KerasTensor;
}

/** Applies a function to every element; softmaxes go along `axis`, which counts the batch. */
function applied(
  f: ActivationFunction,
  t: KerasTensor,
  { b, name, dialect, where, axis = -1 }: Omit<ActivationContext, "axis"> & { where: string; axis?: number },
): KerasTensor {
  const along = t.shape.length === 0 ? 1 : storedAxis(t, axisOf(axis, t, where));
  return { ...t, value: f(t.value, { b, name, dialect, axis: along }) };
}

function byName(name: string): Activation {
  const f = ACTIVATIONS[name]!;
  return {
    name,
    apply: (t, { b, where }, dialect, node) => applied(f, t, { b, where, dialect, name: node }),
  };
}

// ReLU(x) = min(max_value, x) above the threshold, negative_slope (x - threshold) below.
const reluConfig = z.object({
  max_value: z.number().min(0).nullish(),
  negative_slope: z.union([z.number(), z.tuple([z.number()]).transform(([slope]) => slope)]).nullish(),
  threshold: z.number().nullish(),
});
const leakyConfig = z
  .object({ alpha: z.number().optional(), negative_slope: z.number().optional() })
  .transform(({ alpha, negative_slope: slope }) => slope ?? alpha ?? 0.3);
const alphaConfig = z.object({ alpha: z.number().default(1) });
const softmaxConfig = z.object({ axis: z.int("requires one axis").default(-1) });
const thresholdConfig = z.object({ theta: z.number().default(1) });

const limited = reluConfig
  .refine((config) => !config.threshold || !config.negative_slope, "a threshold with a negative slope is not supported")
  .transform(({ max_value: max, negative_slope: slope, threshold }): ActivationFunction => {
    if (threshold) {
      return (x, { b, name }) => {
        const high = b.op("ThresholdedRelu", [x], { alpha: float(threshold) }, name);
        return typeof max === "number" ? b.op("Min", [high, b.scalar(max)], {}, `${name}/max`) : high;
      };
    }
    if (slope) {
      return (x, { b, name }) => {
        const leaky = b.op("LeakyRelu", [x], { alpha: float(slope) }, name);
        return typeof max === "number" ? b.op("Min", [leaky, b.scalar(max)], {}, `${name}/max`) : leaky;
      };
    }
    return typeof max === "number" ? clip(0, max) : ACTIVATIONS["relu"]!;
  });
const leaky = leakyConfig.transform((slope) => unary("LeakyRelu", { alpha: float(slope) }));
const elu = alphaConfig.transform(({ alpha }) => unary("Elu", { alpha: float(alpha) }));
const thresholded = thresholdConfig.transform(({ theta }) => unary("ThresholdedRelu", { alpha: float(theta) }));

/** Layers without weights that can also be the activation of another layer, by class. */
const ACTIVATION_LAYERS = { ReLU: limited, LeakyReLU: leaky, ELU: elu, ThresholdedReLU: thresholded } as const;

const layer = z.object({ class_name: z.string(), config: z.unknown().optional() });

/** An activation as a configuration gives it, or why it is none that is known. */
function parseActivation(json: unknown): Activation | string {
  if (json === null || json === undefined) return byName("linear");
  if (typeof json === "string")
    return Object.hasOwn(ACTIVATIONS, json) ? byName(json) : `the activation "${json.slice(0, 80)}" is not known`;
  const { data } = layer.safeParse(json);
  if (!data) return "requires the name of a function, or a layer";
  const { class_name: name, config } = data;
  if (name === "function") return parseActivation(typeof config === "string" ? config : "function");
  if (name === "Softmax") return byName("softmax");
  if (!Object.hasOwn(ACTIVATION_LAYERS, name)) return `the activation "${name.slice(0, 80)}" is not known`;
  const parsed = ACTIVATION_LAYERS[name as keyof typeof ACTIVATION_LAYERS].safeParse(config); // a key of the table
  if (!parsed.success) return `the activation ${name}: ${faultsOf(parsed.error)}`;
  return {
    name: name.toLowerCase(),
    apply: (t, { b, where }, dialect, node) => applied(parsed.data, t, { b, where, dialect, name: node }),
  };
}

/** The field `activation`; absent means none. */
export const activationField = z
  .unknown()
  .optional()
  .transform((json, context): Activation => {
    const activation = parseActivation(json);
    if (typeof activation !== "string") return activation;
    context.addIssue(activation);
    return z.NEVER;
  });

/** Applies the activation of a layer whose own node is called as the layer: it becomes "layer/relu". */
export function activate(t: KerasTensor, activation: Activation, call: LayerCall, dialect: KerasDialect): KerasTensor {
  return activation.apply(t, call, dialect, `${call.name}/${activation.name}`);
}

/** A function by its name, for calls of functions. */
export function activationFunction(name: string): Activation | undefined {
  return Object.hasOwn(ACTIVATIONS, name) ? byName(name) : undefined;
}

const elementwise = (schema: z.ZodType<ActivationFunction>) =>
  layerRule(schema, {
    apply: (call, f, dialect) =>
      applied(f, onlyInput(call), { b: call.b, where: call.where, name: call.name, dialect }),
  });

export const reLu = elementwise(limited);
export const leakyReLu = elementwise(leaky);
export const eluLayer = elementwise(elu);
export const thresholdedReLu = elementwise(thresholded);

export const activationLayer = layerRule(z.object({ activation: activationField }), {
  apply: (call, { activation }, dialect) => activation.apply(onlyInput(call), call, dialect, call.name),
});

export const softmaxLayer = layerRule(softmaxConfig, {
  apply: (call, { axis }, dialect) =>
    applied(ACTIVATIONS["softmax"]!, onlyInput(call), { b: call.b, where: call.where, name: call.name, dialect, axis }),
});

const preluConfig = z.object({
  shared_axes: z
    .union([z.array(z.int()), z.int().transform((axis) => [axis])])
    .nullish()
    .transform((axes) => axes ?? []),
});

/** max(0, x) + alpha min(0, x), with an alpha for each element along the axes that are not shared. */
export const pReLu = layerRule(preluConfig, {
  variables: () => variables("alpha"),
  apply: (call, { shared_axes: shared }) => {
    const { b, name, where } = call;
    const given = onlyInput(call);
    const t = typeof given.form === "object" ? toPlain(b, given) : given;
    const axes = shared.map((axis) => axisOf(axis, t, where));
    const shape = t.shape.map((size, axis) => (axes.includes(axis) ? 1 : (size ?? 1)));
    const isPlanes = t.form === "planes";
    const slope = call.weight("alpha", shape, {
      form: isPlanes ? "planes" : "plain",
      apply: (alpha) => (isPlanes ? permuted(alpha, [2, 0, 1]) : alpha),
    });
    return { ...t, value: b.op("PRelu", [t.value, slope], {}, name) };
  },
});
