/** Gradient rules of pooling. */
import { int, intOf, intsOf, string } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { float32, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { GRADIENT_DOMAIN, type WindowAttributes, windowAttributes } from "../gradient-operators.ts";
import { rule, type VjpContext, type VjpRule } from "../rule.ts";
import { spatialOf, unsupportedWindow, windowOf, withRoomFor } from "./window.ts";

type Context = VjpContext<"X">;

/**
 * Y = mean of X over all spatial axes. dX = dY / n everywhere, n = elements of X per element of Y. The constant 1 / n of
 * X's size divides and repeats dY in one pass.
 */
export const globalAveragePool = rule<"GlobalAveragePool">({
  X: ({ b, x, y, dy, shapeOf, dtypeOf }) => {
    const size = shapeOf(x.X).slice(2);
    if (dtypeOf(x.X) === "float32" && size.every((length) => typeof length === "number")) {
      return b.mul(dy, b.constant(filledWith([1, 1, ...size], 1 / sizeOf(size))));
    }
    const count = (value: Value): Value => b.cast(b.op("Size", [value]), dtypeOf(x.X));
    return b.op("Expand", [b.div(dy, b.div(count(x.X), count(y))), b.op("Shape", [x.X])]);
  },
});

/**
 * Y = the largest element of each feature map. dX = dY at that element; of several largest ones the first in row-major
 * order gets all, as PyTorch's adaptive_max_pool (its amax would share).
 */
export const globalMaxPool = rule<"GlobalMaxPool">({
  X: ({ b, x, dy, dtypeOf }) => {
    const flat = (value: Value): Value => b.reshape(value, b.ints([0, 0, -1]));
    const rows = flat(x.X);
    const place = b.op("ArgMax", [rows], { axis: int(2), select_last_index: int(0) });
    const zeros = b.zerosLike(rows, dtypeOf(x.X));
    const dx = b.op("ScatterElements", [zeros, place, flat(dy)], { axis: int(2), reduction: string("none") });
    return b.reshape(dx, b.op("Shape", [x.X]));
  },
});

/**
 * Y = mean of each window. dX = dY / n, summed over the windows that share an element: the gradient of a depthwise
 * convolution with the weights 1 / k, k = elements of the kernel. n is k where count_include_pad is 1, and otherwise the
 * elements of the window inside X. What ceil_mode lets stick out of the padding never counts (ONNX Runtime and PyTorch).
 */
export const averagePool: VjpRule<"AveragePool"> = {
  ...rule<"AveragePool">({
    X: (c) => {
      const { b, node, x, y, dy, shapeOf } = c;
      const channels = Number(shapeOf(x.X)[1]);
      const window = poolWindow(c);
      const out = spatialOf(shapeOf(y));
      const weights = b.constant(filledWith([channels, 1, ...window.kernel], 1 / sizeOf(window.kernel)));
      const shares = sharesOf(window, out, intOf(node, "count_include_pad", 0) === 1);
      const scaled = shares.every((share) => share === 1) ? dy : b.mul(dy, b.constant(float32([1, 1, ...out], shares)));
      const attributes = windowAttributes({ ...withRoomFor(out, window), group: channels });
      return b.custom(GRADIENT_DOMAIN, "ConvGradX", [scaled, weights], attributes);
    },
  }),
  unsupported: unsupportedWindow,
};

/**
 * Y = the largest element of each window. dX = dY at that element, summed over the windows that share it. Of several
 * largest ones the first in row-major order gets all, as PyTorch.
 */
export const maxPool: VjpRule<"MaxPool"> = {
  ...rule<"MaxPool">({
    X: (c) => {
      const window = withRoomFor(spatialOf(c.shapeOf(c.y)), poolWindow(c));
      return c.b.custom(GRADIENT_DOMAIN, "MaxPoolGrad", [c.x.X, c.y, c.dy], windowAttributes(window));
    },
  }),
  unsupported: unsupportedWindow,
};

function poolWindow({ node, x, y, shapeOf }: Context): WindowAttributes {
  return windowOf(node, intsOf(node, "kernel_shape", []), spatialOf(shapeOf(x.X)), spatialOf(shapeOf(y)));
}

/** k / n for each element of Y. n is a product over the axes: along each, the taps that fall on what counts. */
function sharesOf(window: WindowAttributes, out: readonly number[], includePads: boolean): number[] {
  const { kernel, strides, dilations, pads, size } = window;
  const perAxis = out.map((length, i) => {
    const first = includePads ? -pads[i]! : 0;
    const end = size[i]! + (includePads ? pads[i + size.length]! : 0);
    return Array.from({ length }, (_, o) => {
      const taps = Array.from({ length: kernel[i]! }, (_, k) => o * strides[i]! + k * dilations[i]! - pads[i]!);
      return kernel[i]! / taps.filter((tap) => tap >= first && tap < end).length;
    });
  });
  return perAxis.reduce((all, axis) => all.flatMap((share) => axis.map((own) => share * own)), [1]);
}

function filledWith(shape: readonly number[], value: number): Tensor {
  return float32(shape, new Float32Array(sizeOf(shape)).fill(value));
}
