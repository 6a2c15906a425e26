/** The convolution of ONNX Runtime's blocked layout: what it can do, and how its node is written. */
import { type Attributes, int, ints, string } from "../../../graph/attributes.ts";
import type { GraphBuilder } from "../../../graph/builder.ts";
import type { Value } from "../../../graph/graph.ts";

/** Domain of the operators that work on blocked values. */
export const BLOCKED_DOMAIN = "com.microsoft.nchwc";

/** What the convolution applies last, in the same pass. */
export interface Activation {
  readonly name: "Relu" | "Clip" | "HardSigmoid";
  /** Bounds of Clip; alpha and beta of HardSigmoid. */
  readonly parameters?: readonly number[] | undefined;
}

/** Y = activation(W * X + bias + sum). */
export interface BlockedConv {
  /** Blocked; plain where it has fewer channels than a block. */
  readonly x: Value;
  /** Packed for its layout: see weights.ts. */
  readonly w: Value;
  /** One number per channel, padding channels included; "" for none. */
  readonly bias?: Value | undefined;
  /** Blocked, of the shape of Y. ONNX Runtime adds into it where nothing else reads it. */
  readonly sum?: Value | undefined;
  readonly kernel: readonly number[];
  /** @default [1, 1] */
  readonly strides?: readonly number[] | undefined;
  /** @default [1, 1] */
  readonly dilations?: readonly number[] | undefined;
  /** All begins, then all ends; none is negative. @default [0, 0, 0, 0] */
  readonly pads?: readonly number[] | undefined;
  /** Padding channels included. @default 1 */
  readonly group?: number | undefined;
  readonly activation?: Activation | undefined;
}

/** Writes the convolution; the result is blocked. */
export function blockedConv(b: GraphBuilder, conv: BlockedConv): Value {
  const { x, w, bias = "", sum = "", kernel, activation } = conv;
  const { strides = [1, 1], dilations = [1, 1], pads = [0, 0, 0, 0], group = 1 } = conv;
  const inputs = [x, w, bias, sum];
  while (inputs.at(-1) === "") inputs.pop();
  return b.custom(BLOCKED_DOMAIN, "Conv", inputs, {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    dilations: ints(dilations),
    pads: ints(pads),
    group: int(group),
    ...(activation && activationAttributes(activation)),
  });
}

function activationAttributes({ name, parameters }: Activation): Attributes {
  const named: Attributes = { activation: string(name) };
  return parameters ? { ...named, activation_params: { kind: "floats", value: parameters } } : named;
}
