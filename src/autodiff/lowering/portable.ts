/** Gradient operators in ONNX's own operators alone: for every runtime, onnxruntime-web included. */
import { convGradW } from "./conv-grad-w.ts";
import { convGradX } from "./conv-grad-x.ts";
import type { LoweringTable } from "./lower.ts";
import { maxPoolGrad } from "./max-pool-grad.ts";

/** The lowering that is valid wherever ONNX is. */
export const PORTABLE: LoweringTable = { ConvGradX: convGradX, ConvGradW: convGradW, MaxPoolGrad: maxPoolGrad };
