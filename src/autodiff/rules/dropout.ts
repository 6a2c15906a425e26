/** Gradient rule of Dropout. */
import { rule, type VjpRule } from "../rule.ts";

/**
 * Y = X in inference, dX = dY. In training Y = X mask / (1 - ratio) with a random mask, the second output, and
 * dX = dY mask / (1 - ratio). The mask is true everywhere where a computed `training_mode` is false.
 */
export const dropout: VjpRule<"Dropout"> = {
  ...rule<"Dropout">({
    data: ({ b, node, x, dy, dtypeOf, constantOf }) => {
      const training = x.training_mode;
      if (training === "" || constantOf(training)?.data[0] === 0) return dy;
      const dtype = dtypeOf(x.data);
      const ratio = x.ratio === "" ? b.scalar(0.5, dtype) : b.cast(x.ratio, dtype);
      const kept = b.op("Where", [training, b.sub(b.scalar(1, dtype), ratio), b.scalar(1, dtype)]);
      return b.op("Where", [node.outputs[1]!, b.div(dy, kept), b.scalar(0, dtype)]);
    },
    ratio: null,
    training_mode: null,
  }),
  unsupported: (node, _, constantOf) => {
    const [, , training = ""] = node.inputs;
    if (training === "" || constantOf(training)?.data[0] === 0 || node.outputs[1]) return undefined;
    return "training mode without its second output, the mask";
  },
};
