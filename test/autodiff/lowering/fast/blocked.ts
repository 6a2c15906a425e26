/** Whether this machine has the blocked layout, and how its lowering is run. */
import { describe } from "vitest";
import {
  GRADIENT_DOMAIN,
  type GradientOp,
  type WindowAttributes,
  windowAttributes,
} from "../../../../src/autodiff/gradient-operators.ts";
import type { Choose } from "../../../../src/autodiff/lowering/fast/choice.ts";
import { lowerFast } from "../../../../src/autodiff/lowering/fast/lower-fast.ts";
import { int } from "../../../../src/graph/attributes.ts";
import { GraphBuilder } from "../../../../src/graph/builder.ts";
import type { Graph, Value } from "../../../../src/graph/graph.ts";
import { blockedLayout } from "../../../../src/runtime/blocked-layout.ts";
import { Session, type Tensors } from "../../../../src/runtime/session.ts";
import { float32, type Tensor } from "../../../../src/tensor/tensor.ts";

const found = await blockedLayout();

/** Channels per block here; 16 where there are none, and no graph is run. */
export const BLOCK = found ?? 16;

/** `describe`, skipped where ONNX Runtime has no blocked layout. */
export function describeBlocked(name: string, body: () => void): void {
  const reason = found === undefined ? " (skipped: this build of ONNX Runtime has no blocked layout)" : "";
  describe.skipIf(found === undefined)(`${name}${reason}`, body);
}

export interface RunOptions {
  readonly choose?: Choose | undefined;
  /** Whether the operator meets its operands blocked, as between two convolutions. */
  readonly blocked?: boolean | undefined;
}

/** One gradient operator on operands of these shapes, lowered. */
export function fastGradient(
  op: GradientOp,
  inputs: readonly Tensor[],
  window: WindowAttributes,
  { choose, blocked = false }: RunOptions = {},
): Graph {
  const b = new GraphBuilder(op);
  const names = inputs.map(({ dtype, shape }, i) => {
    const name = b.input({ name: `x${i}`, dtype, shape });
    const isWeight = op === "ConvGradX" && i === 1;
    return blocked && !isWeight ? identity(b, name, shape[1]!) : name;
  });
  b.named("Identity", [b.custom(GRADIENT_DOMAIN, op, names, windowAttributes(window))], "y");
  return lowerFast(b.build([{ name: "y", dtype: "float32" }]), { block: BLOCK, choose });
}

export async function run(graph: Graph, feeds: Tensors): Promise<Tensors> {
  await using session = await Session.create(graph, { threads: 2, optimization: "none" });
  return await session.run(feeds);
}

/** The output of a graph of `fastGradient`. */
export async function runGraph(graph: Graph, inputs: readonly Tensor[]): Promise<Tensor> {
  return (await run(graph, Object.fromEntries(inputs.map((tensor, i) => [`x${i}`, tensor]))))["y"]!;
}

/** A convolution that changes nothing: its result is blocked. */
export function identity(b: GraphBuilder, x: Value, channels: number): Value {
  const ones = b.constant(float32([channels, 1, 1, 1], new Float32Array(channels).fill(1)));
  return b.op("Conv", [x, ones], { group: int(channels) });
}

/** Operators of a graph, those of the blocked layout with a star. */
export function operatorsOf(graph: Graph): string[] {
  return graph.nodes.map(({ op, domain }) => (domain === "" ? op : `*${op}`));
}
