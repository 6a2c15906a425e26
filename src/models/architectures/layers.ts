/** Layers by their names in the checkpoint, so that an architecture reads like its paper; parameters are noted on the way. */
import { invariant } from "../../errors.ts";
import { type Attributes, float, int, ints } from "../../graph/attributes.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import type { Value } from "../../graph/graph.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { evenWindows, poolingMatrix } from "./adaptive-pooling.ts";
import { type Initializer, ONE, type Scheme, torchUniform, ZERO } from "./initializers.ts";
import { INPUT, type NetworkStage, type ParameterSpec, type ParameterSpecKind } from "./network.ts";

/** What layers of one architecture have in common. */
export interface LayerDefaults {
  /** Schemes of weights; PyTorch's own by default: `torchUniform`, and biases within the same bound. */
  readonly conv?: Scheme | undefined;
  readonly linear?: Scheme | undefined;
  /** Schemes of biases; `torchUniform` by default. */
  readonly convBias?: Scheme | undefined;
  readonly linearBias?: Scheme | undefined;
  /** Added to the variance by `batchNorm`; 1e-5 by default. */
  readonly batchNormEpsilon?: number | undefined;
}

/** Zeros around a map in pixels: the same on all sides, [top, left, bottom, right], or as TensorFlow's "same". */
export type Padding = number | readonly [number, number, number, number] | "same";

export interface ConvOptions {
  /** Channels of the output. */
  readonly out: number;
  readonly kernel: number;
  /** @default 1 */
  readonly stride?: number | undefined;
  /** @default the number that keeps the size at stride 1, for odd kernels */
  readonly padding?: Padding | undefined;
  /** @default 1 */
  readonly groups?: number | undefined;
  /** @default false */
  readonly bias?: boolean | undefined;
  /** Scheme of the weight. @default the architecture's */
  readonly init?: Scheme | undefined;
}

export interface LinearOptions {
  /** Length of the output's last axis. */
  readonly out: number;
  /** @default true */
  readonly bias?: boolean | undefined;
  /** Scheme of the weight. @default the architecture's */
  readonly init?: Scheme | undefined;
}

export interface NormOptions {
  /** Added to the variance; by default the architecture's for `batchNorm`, 1e-6 for `layerNorm`. */
  readonly epsilon?: number | undefined;
  /** How the scale starts. @default ONE */
  readonly scale?: Initializer | undefined;
}

export interface PoolOptions {
  readonly kernel: number;
  readonly stride: number;
  /** @default 0 */
  readonly padding?: number | undefined;
  /** Whether a last window that is not full counts. @default false */
  readonly ceil?: boolean | undefined;
}

/** A network under construction. Every method takes values and gives the value that it adds. */
export class Layers {
  /** For operators that have no method here: note the shape of what they give with `shaped`. */
  readonly b: GraphBuilder;
  /** The image, [batch, 3, height, width]. */
  readonly image: Value;
  readonly #defaults: LayerDefaults;
  readonly #parameters: ParameterSpec[] = [];
  readonly #stages: NetworkStage[] = [];
  readonly #shapes = new Map<Value, readonly number[]>();
  #staged = 0;

  constructor(name: string, [height, width]: readonly [number, number], defaults: LayerDefaults = {}) {
    this.b = new GraphBuilder(name);
    this.#defaults = defaults;
    this.image = this.b.input({ name: INPUT, dtype: "float32", shape: ["batch", 3, height, width] });
    this.#shapes.set(this.image, [3, height, width]);
  }

  /** Everything declared so far, in order. */
  get parameters(): readonly ParameterSpec[] {
    return this.#parameters;
  }

  get stages(): readonly NetworkStage[] {
    return this.#stages;
  }

  /** Shape of a value, without the batch: [c, h, w], [tokens, c] or [c]. */
  shapeOf(x: Value): readonly number[] {
    const shape = this.#shapes.get(x);
    invariant(shape, () => `the shape of "${x}" was not noted`);
    return shape;
  }

  /** Channels of a map [c, h, w]. */
  channels(x: Value): number {
    return this.shapeOf(x)[0]!;
  }

  /** Notes the shape of a value that an operator of `b` gave, without the batch, and returns the value. */
  shaped(x: Value, shape: readonly number[]): Value {
    this.#shapes.set(x, shape);
    return x;
  }

  /** Adds an operator that keeps the shape of its first input. */
  unary(op: string, inputs: readonly Value[], attributes: Attributes = {}, name = op.toLowerCase()): Value {
    return this.shaped(this.b.op(op, inputs, attributes, name), this.shapeOf(inputs[0]!));
  }

  /** Declares a parameter; state-dict order is the order of these calls. */
  parameter(name: Value, shape: readonly number[], kind: ParameterSpecKind, init: Initializer): Value {
    this.#parameters.push({ name, shape, kind, init });
    return this.b.input({ name, dtype: "float32", shape });
  }

  /** Ends a stage at `x`: every parameter declared since the last one ended is its own. */
  stage(name: string, x: Value): Value {
    const parameters = this.#parameters.slice(this.#staged).map((spec) => spec.name);
    this.#stages.push({ name, output: x, shape: this.shapeOf(x), parameters });
    this.#staged = this.#parameters.length;
    return x;
  }

  /** A convolution: `name`.weight [out, in / groups, kernel, kernel] and, on request, `name`.bias [out]. */
  conv(x: Value, name: string, options: ConvOptions): Value {
    const { out, kernel, stride = 1, padding = Math.floor(kernel / 2), groups = 1, bias = false } = options;
    const [channels, height, width] = this.shapeOf(x) as readonly [number, number, number];
    const area = kernel * kernel;
    const fan = { in: (channels / groups) * area, out: out * area };
    const { conv = torchUniform, convBias = torchUniform } = this.#defaults;
    const init = (options.init ?? conv)(fan);
    const inputs = [x, this.parameter(`${name}.weight`, [out, channels / groups, kernel, kernel], "weight", init)];
    if (bias) inputs.push(this.parameter(`${name}.bias`, [out], "bias", convBias(fan)));
    const pads = padsOf(padding, [height, width], kernel, stride);
    const attributes = {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints(pads),
      group: int(groups),
    };
    const sizes = [height + pads[0] + pads[2], width + pads[1] + pads[3]];
    return this.shaped(this.b.op("Conv", inputs, attributes, name), [
      out,
      ...sizes.map((size) => Math.floor((size - kernel) / stride) + 1),
    ]);
  }

  /** Batch normalization with running statistics: `name`.weight, .bias, .running_mean and .running_var, each [c]. */
  batchNorm(x: Value, name: string, options: NormOptions = {}): Value {
    const { scale = ONE } = options;
    const epsilon = options.epsilon ?? this.#defaults.batchNormEpsilon ?? 1e-5;
    const shape = [this.channels(x)];
    const inputs = [
      x,
      this.parameter(`${name}.weight`, shape, "scale", scale),
      this.parameter(`${name}.bias`, shape, "shift", ZERO),
      this.parameter(`${name}.running_mean`, shape, "running-mean", ZERO),
      this.parameter(`${name}.running_var`, shape, "running-variance", ONE),
    ];
    return this.unary("BatchNormalization", inputs, { epsilon: float(epsilon) }, name);
  }

  /** Normalization over the last axis: `name`.weight and .bias. */
  layerNorm(x: Value, name: string, options: NormOptions = {}): Value {
    const { scale = ONE } = options;
    const shape = [this.shapeOf(x).at(-1)!];
    const inputs = [
      x,
      this.parameter(`${name}.weight`, shape, "scale", scale),
      this.parameter(`${name}.bias`, shape, "shift", ZERO),
    ];
    return this.unary("LayerNormalization", inputs, { axis: int(-1), epsilon: float(options.epsilon ?? 1e-6) }, name);
  }

  /** A linear layer over the last axis: `name`.weight [out, in] and `name`.bias [out]. */
  linear(x: Value, name: string, { out, bias = true, init }: LinearOptions): Value {
    const shape = this.shapeOf(x);
    const width = shape.at(-1)!;
    const { linear = torchUniform, linearBias = torchUniform } = this.#defaults;
    const fan = { in: width, out };
    const weight = this.parameter(`${name}.weight`, [out, width], "weight", (init ?? linear)(fan));
    const shift = bias ? this.parameter(`${name}.bias`, [out], "bias", linearBias(fan)) : "";
    const result = [...shape.slice(0, -1), out];
    if (shape.length === 1) {
      const inputs = bias ? [x, weight, shift] : [x, weight];
      return this.shaped(this.b.op("Gemm", inputs, { transB: int(1) }, name), result);
    }
    const product = this.b.op("MatMul", [x, this.b.transpose(weight, [1, 0])], {}, bias ? `${name}.product` : name);
    return this.shaped(bias ? this.b.op("Add", [product, shift], {}, name) : product, result);
  }

  relu = (x: Value): Value => this.unary("Relu", [x]);
  sigmoid = (x: Value): Value => this.unary("Sigmoid", [x]);
  /** x sigmoid(x). */
  silu = (x: Value): Value => this.multiply(x, this.sigmoid(x));
  /** x max(0, min(1, x / 6 + 1 / 2)). */
  hardSwish = (x: Value): Value => this.unary("HardSwish", [x]);
  /** max(0, min(1, x / 6 + 1 / 2)). */
  hardSigmoid = (x: Value): Value => this.unary("HardSigmoid", [x], { alpha: float(1 / 6), beta: float(0.5) });
  /** max(0, min(6, x)). */
  relu6 = (x: Value): Value => this.unary("Clip", [x, this.b.scalar(0), this.b.scalar(6)], {}, "relu6");
  /** A sum; `y` is of the shape of `x`, or repeated along axes where it has size 1. */
  add = (x: Value, y: Value, name?: string): Value => this.unary("Add", [x, y], {}, name);
  multiply = (x: Value, y: Value): Value => this.unary("Mul", [x, y]);

  /** Puts maps beside each other along the channels, or token lists along the tokens. */
  concat(values: readonly Value[], name = "concat"): Value {
    const shape = this.shapeOf(values[0]!);
    const length = values.reduce((sum, x) => sum + this.channels(x), 0);
    return this.shaped(this.b.op("Concat", values, { axis: int(1) }, name), [length, ...shape.slice(1)]);
  }

  maxPool(x: Value, options: PoolOptions, name = "maxpool"): Value {
    return this.#pool(x, "MaxPool", options, {}, name);
  }

  /** Average over windows; padding counts as zeros, as in PyTorch. */
  averagePool(x: Value, options: PoolOptions, name = "avgpool"): Value {
    return this.#pool(x, "AveragePool", options, { count_include_pad: int(1) }, name);
  }

  /** Average over all positions: [c, h, w] → [c, 1, 1]. */
  globalAveragePool(x: Value, name = "avgpool"): Value {
    return this.shaped(this.b.op("GlobalAveragePool", [x], {}, name), [this.channels(x), 1, 1]);
  }

  /** PyTorch's AdaptiveAvgPool2d: output i averages the rows floor(i h / size) to ceil((i + 1) h / size). */
  adaptiveAveragePool(x: Value, size: number, name = "avgpool"): Value {
    const [channels, height, width] = this.shapeOf(x) as readonly [number, number, number];
    if (size === height && size === width) return x;
    if (size === 1) return this.globalAveragePool(x, name);
    const [rows, columns] = [evenWindows(height, size), evenWindows(width, size)];
    const shape = [channels, size, size];
    if (rows && columns) {
      const attributes = {
        kernel_shape: ints([rows.length, columns.length]),
        strides: ints([rows.step, columns.step]),
      };
      return this.shaped(this.b.op("AveragePool", [x], attributes, name), shape);
    }
    const matrices = [height, width].map((length) =>
      this.constant([size, length], poolingMatrix(length, size), "windows"),
    );
    const equation = { equation: { kind: "string", value: "nchw,yh,xw->ncyx" } } as const;
    return this.shaped(this.b.op("Einsum", [x, ...matrices], equation, name), shape);
  }

  /** [c, h, w] → [c h w]. */
  flatten(x: Value, name = "flatten"): Value {
    const length = this.shapeOf(x).reduce((product, size) => product * size, 1);
    return this.shaped(this.b.op("Flatten", [x], { axis: int(1) }, name), [length]);
  }

  /** A float32 constant, of this shape in full. */
  constant(shape: readonly number[], values: ArrayLike<number>, hint?: string): Value {
    const value: Tensor = float32(shape, values);
    return this.b.constant(value, hint);
  }

  #pool(
    x: Value,
    op: string,
    { kernel, stride, padding = 0, ceil = false }: PoolOptions,
    more: Attributes,
    name: string,
  ) {
    const [channels, ...sizes] = this.shapeOf(x);
    const attributes = {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints([padding, padding, padding, padding]),
      ...(ceil && { ceil_mode: int(1) }),
      ...more,
    };
    const result = sizes.map((size) => {
      const steps = (size + 2 * padding - kernel) / stride;
      if (!ceil) return Math.floor(steps) + 1;
      const last = Math.ceil(steps) * stride; // a window that starts in the padding behind does not count
      return Math.ceil(steps) + (last >= size + padding ? 0 : 1);
    });
    return this.shaped(this.b.op(op, [x], attributes, name), [channels!, ...result]);
  }
}

/** [top, left, bottom, right]. TensorFlow's "same" gives ceil(size / stride) and puts the odd pixel behind. */
function padsOf(
  padding: Padding,
  sizes: readonly [number, number],
  kernel: number,
  stride: number,
): readonly [number, number, number, number] {
  if (typeof padding === "number") return [padding, padding, padding, padding];
  if (padding !== "same") return padding;
  const [height, width] = sizes.map((size) => Math.max(0, (Math.ceil(size / stride) - 1) * stride + kernel - size));
  const [top, left] = [Math.floor(height! / 2), Math.floor(width! / 2)];
  return [top, left, height! - top, width! - left];
}
