/** Batch normalization with frozen statistics as arithmetic on small tensors, so that training needs no operator for it. */
import { floatOf, intOf } from "../graph/attributes.ts";
import { GraphBuilder } from "../graph/builder.ts";
import type { Graph, Node, Shape, Value, ValueType } from "../graph/graph.ts";
import { inferTypes } from "../graph/infer-types.ts";
import { consumersOf, producersOf, prune } from "../graph/traverse.ts";
import { float32 } from "../tensor/tensor.ts";
import { reserveNames } from "./batch-sizes.ts";
import { type ChannelArithmetic, type Channels, channelArithmetic } from "./channel-arithmetic.ts";

/** Whether a node normalizes with the statistics that it was given. */
export function isFrozenBatchNorm(node: Node): boolean {
  return node.op === "BatchNormalization" && node.domain === "" && intOf(node, "training_mode", 0) === 0;
}

/**
 * The graph without BatchNormalization nodes in inference form. With s = scale / sqrt(variance + epsilon), one that
 * alone follows a convolution or a linear layer becomes part of it: W' = W s, b' = (b - mean) s + B (Jacob et al. 2018,
 * arXiv:1712.05877). Others become a product and a sum per channel. Where W, b, scale or B are graph inputs, this
 * arithmetic is written as nodes, so that gradients reach them exactly; the rest is computed once, in float64. The
 * trained scale of a layer whose W is constant stays outside of it: its gradient is a sum over a map, not one like W's.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const norms = findNorms(graph);
  if (norms.size === 0) return graph;
  const inside = new Set([...norms.values()].flatMap(({ layer }) => layer?.node ?? []));
  const b = new GraphBuilder(graph.name, { ...graph, nodes: [] });
  reserveNames(
    b,
    graph.nodes.filter((node) => !inside.has(node)),
  );
  const a = channelArithmetic(b);
  for (const node of graph.nodes) {
    const norm = norms.get(node);
    if (norm?.layer) emitLayer(b, a, node, norm, norm.layer);
    else if (norm) emitAffine(b, a, node, norm);
    else if (!inside.has(node)) b.node(node);
  }
  return prune(b.build(graph.outputs));
}

/** Frozen statistics are known numbers. */
type Known = Extract<Channels, { readonly known: Float64Array }>;

/** A normalization that can be written as arithmetic. */
interface Norm {
  readonly scale: Channels;
  readonly shift: Channels;
  readonly mean: Known;
  /** 1 / sqrt(variance + epsilon) */
  readonly inverse: Known;
  readonly rank: number;
  /** The layer that it becomes part of. */
  readonly layer: Layer | undefined;
}

interface Layer {
  readonly node: Node;
  /** Elements of the weight, if it is constant. */
  readonly weight: Float32Array | undefined;
  readonly shape: readonly number[];
  /** Axis of the output channels in the weight. */
  readonly axis: number;
  readonly bias: Channels | undefined;
}

function findNorms(graph: Graph): Map<Node, Norm> {
  const types = inferTypes(graph);
  const producers = producersOf(graph.nodes);
  const consumers = consumersOf(graph.nodes);
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const norms = new Map<Node, Norm>();
  for (const node of graph.nodes.filter(isFrozenBatchNorm)) {
    const [x = "", ...names] = node.inputs;
    const rank = types.get(x)?.shape?.length;
    const [scale, shift, mean, variance] = names.map((name) => channelsOf(name, graph, types));
    if (rank === undefined || !scale || !shift || !mean || !variance) continue;
    if (!("known" in mean && "known" in variance)) continue;
    const epsilon = floatOf(node, "epsilon", 1e-5);
    const inverse = { known: variance.known.map((value) => 1 / Math.sqrt(value + epsilon)) };
    const before = producers.get(x);
    const alone = before && !outputs.has(x) && consumers.get(x)!.length === 1;
    norms.set(node, { scale, shift, mean, inverse, rank, layer: alone ? layerOf(before, graph, types) : undefined });
  }
  return norms;
}

/** A vector as numbers if it is an initializer, as a value if it is a graph input; undefined for what is computed. */
function channelsOf(
  name: Value,
  { initializers, inputs }: Graph,
  types: ReadonlyMap<Value, ValueType>,
): Channels | undefined {
  const type = types.get(name);
  if (type?.dtype !== "float32" || type.shape?.length !== 1) return undefined;
  const tensor = initializers.get(name);
  if (tensor) return { known: Float64Array.from(tensor.data as Float32Array) }; // float32, as was compared
  return inputs.some((info) => info.name === name) ? { value: name } : undefined;
}

/** A node as a layer that a normalization can become part of; undefined if it is none, or its weight is computed. */
function layerOf(node: Node, graph: Graph, types: ReadonlyMap<Value, ValueType>): Layer | undefined {
  const axis = outputAxis(node);
  const [, name = "", biasName = ""] = node.inputs;
  const tensor = graph.initializers.get(name);
  const type = types.get(name);
  if (axis === undefined || type?.dtype !== "float32" || !isKnown(type.shape)) return undefined;
  if (!tensor && !graph.inputs.some((info) => info.name === name)) return undefined;
  const bias = biasName === "" ? undefined : channelsOf(biasName, graph, types);
  if (biasName !== "" && (!bias || types.get(biasName)!.shape![0] !== type.shape[axis])) return undefined;
  return { node, axis, bias, shape: type.shape, weight: tensor?.data as Float32Array | undefined }; // float32
}

function isKnown(shape: Shape | undefined): shape is readonly number[] {
  return shape?.every((dim) => typeof dim === "number") === true;
}

/** Which axis of a layer's weight counts its outputs; undefined for what is no layer, or has no such axis. */
function outputAxis(node: Node): number | undefined {
  if (node.domain !== "") return undefined;
  if (node.op === "Conv") return 0;
  if (node.op === "ConvTranspose") return intOf(node, "group", 1) === 1 ? 1 : undefined;
  if (node.op !== "Gemm" || floatOf(node, "beta", 1) !== 1) return undefined;
  return intOf(node, "transB", 0) === 1 ? 0 : 1;
}

/** y = x s + (B - mean s), per channel. */
function emitAffine(
  b: GraphBuilder,
  a: ChannelArithmetic,
  node: Node,
  { scale, shift, mean, inverse, rank }: Norm,
): void {
  const s = a.mul(scale, inverse);
  addAffine(b, a, node, { x: node.inputs[0]!, s, shift: a.sub(shift, a.mul(mean, s)), rank });
}

function emitLayer(b: GraphBuilder, a: ChannelArithmetic, node: Node, norm: Norm, layer: Layer): void {
  const { scale, shift, mean, inverse, rank } = norm;
  const bias = a.sub(layer.bias ?? { known: new Float64Array(inverse.known.length) }, mean);
  const outside = layer.weight !== undefined && "value" in scale;
  if (outside) {
    // Only the statistics go into the constant weight: y = conv(x, W / deviation) scale + B.
    const output = addLayer(b, a, layer, { s: inverse, bias: a.mul(bias, inverse), output: undefined });
    addAffine(b, a, node, { x: output, s: scale, shift, rank });
    return;
  }
  const s = a.mul(scale, inverse);
  addLayer(b, a, layer, { s, bias: a.add(a.mul(bias, s), shift), output: node });
}

interface Scaled {
  readonly s: Channels;
  readonly bias: Channels;
  /** The normalization whose output the layer gives; undefined for a fresh value. */
  readonly output: Node | undefined;
}

/** The layer with its weight multiplied by s along the output channels, and another bias. */
function addLayer(b: GraphBuilder, a: ChannelArithmetic, layer: Layer, { s, bias, output }: Scaled): Value {
  const { node, weight, shape, axis } = layer;
  const [x, name] = node.inputs as readonly [Value, Value]; // a layer has both
  const spread = shape.map((_, i) => (i === axis ? -1 : 1));
  const scaled =
    weight && "known" in s
      ? b.constant(float32(shape, scaleAlong(weight, shape, axis, s.known)), `${name}.folded`)
      : b.op("Mul", [name, a.shaped(s, spread, "channels")], {}, `${name}.folded`);
  const inputs = [x, scaled, a.shaped(bias, [-1], `${name}.folded.bias`)];
  if (!output) return b.op(node.op, inputs, node.attributes, node.name);
  b.node({ ...node, inputs, outputs: [output.outputs[0]!] });
  return output.outputs[0]!;
}

interface Affine {
  readonly x: Value;
  readonly s: Channels;
  readonly shift: Channels;
  readonly rank: number;
}

function addAffine(b: GraphBuilder, a: ChannelArithmetic, node: Node, { x, s, shift, rank }: Affine): void {
  const spread = Array.from({ length: Math.max(rank - 1, 1) }, (_, i) => (i === 0 ? -1 : 1));
  const product = b.mul(x, a.shaped(s, spread, `${node.name}.scale`));
  const inputs = [product, a.shaped(shift, spread, `${node.name}.shift`)];
  b.node({ op: "Add", domain: "", name: node.name, inputs, outputs: [node.outputs[0]!], attributes: {} });
}

function scaleAlong(weight: Float32Array, shape: readonly number[], axis: number, s: Float64Array): Float32Array {
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const count = shape[axis]!;
  return weight.map((value, i) => value * s[Math.floor(i / inner) % count]!);
}
