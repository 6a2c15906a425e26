/** The gradient of max pooling, in operators of ONNX. */
import { int, ints, string } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { readWindow } from "../gradient-operators.ts";
import type { Lowering } from "./lower.ts";
import { crop, pad } from "./window.ts";

/**
 * MaxPoolGrad(X, Y, dY): each element of dY is added to the place that MaxPool's second output names, the first largest
 * element of the window in row-major order. The places count through the whole of X.
 */
export const maxPoolGrad: Lowering = ({ b, node, inputs, dtypeOf }) => {
  const { kernel, strides, dilations, pads, size } = readWindow(node);
  const [x, , dy] = inputs as [Value, Value, Value];
  const dtype = dtypeOf(x);
  // ONNX Runtime refuses padding as large as the kernel, which dilation and ceil_mode may need: X is padded by itself.
  const apart = pads.some((p, i) => p < 0 || p >= kernel[i % kernel.length]!);
  const padded = apart ? pad(b, crop(b, x, size, pads), pads, b.scalar(-Infinity, dtype)) : x;
  const [, places] = b.ops("MaxPool", [padded], 2, {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    dilations: ints(dilations),
    ...(!apart && { pads: ints(pads) }),
  });
  const flat = (value: Value): Value => b.reshape(value, b.ints([-1]));
  const zeros = flat(b.zerosLike(padded, dtype));
  const sum = b.op("ScatterElements", [zeros, flat(places!), flat(dy)], { axis: int(0), reduction: string("add") });
  const dx = b.reshape(sum, b.op("Shape", [padded]));
  if (!apart) return dx;
  const back = pads.map((p) => -p);
  const wide = size.map((length, i) => length + pads[i]! + pads[i + size.length]!);
  return pad(b, crop(b, dx, wide, back), back);
};
