/** Builds graphs: fresh names, constants, and one method per operator that the package itself emits. */
import { RootstockError } from "../errors.ts";
import { dtypeCode } from "../onnx/tensor-proto.ts";
import type { DType } from "../tensor/dtype.ts";
import { int64, scalar, type Tensor, zeros } from "../tensor/tensor.ts";
import { type Attributes, float, int, ints } from "./attributes.ts";
import { type Graph, INTERNAL_OPSET, type Node, type Value, type ValueInfo } from "./graph.ts";

/** A graph under construction. It may start from an existing graph, whose names stay as they are. */
export class GraphBuilder {
  readonly #inputs: ValueInfo[] = [];
  readonly #nodes: Node[] = [];
  readonly #initializers = new Map<Value, Tensor>();
  readonly #opsets = new Map<string, number>([["", INTERNAL_OPSET]]);
  readonly #taken = new Set<string>();
  readonly #reserved = new Set<string>();
  readonly #nodeNames = new Set<string>();
  readonly #next = new Map<string, number>();
  readonly #name: string;

  /** @param start a graph to extend: its inputs, nodes and initializers are taken over, its outputs are not. */
  constructor(name: string, start?: Graph) {
    this.#name = name;
    if (start) this.append(start);
  }

  /** Takes over the inputs, nodes and initializers of a graph; its values must not be defined here yet. */
  append({ inputs, nodes, initializers, opsets }: Graph): void {
    for (const input of inputs) this.input(input);
    for (const [name, tensor] of initializers) this.initializer(name, tensor);
    for (const node of nodes) this.node(node);
    for (const [domain, version] of opsets) this.#opsets.set(domain, Math.max(version, this.#opsets.get(domain) ?? 0));
  }

  /** Declares a graph input; a value that is already defined stays as it is, so that graphs can be joined by name. */
  input(info: ValueInfo): Value {
    if (this.#taken.has(info.name)) return info.name;
    this.#taken.add(info.name);
    this.#inputs.push(info);
    return info.name;
  }

  /** Adds an initializer under exactly this name. */
  initializer(name: Value, tensor: Tensor): Value {
    this.#claim(name);
    this.#initializers.set(name, tensor);
    return name;
  }

  /** Adds a constant under a fresh name. */
  constant(tensor: Tensor, hint = "constant"): Value {
    const name = this.#fresh(hint);
    this.#initializers.set(name, tensor);
    return name;
  }

  /** A scalar constant of a float type. */
  scalar(value: number, dtype: DType = "float32"): Value {
    return this.constant(scalar(dtype, value), "scalar");
  }

  /** A list of int64, as operators take axes and shapes. */
  ints(values: readonly number[]): Value {
    return this.constant(int64(values), "ints");
  }

  /** Adds a node with one output and returns that output. `name` names both, or is a hint if it is taken. */
  op(op: string, inputs: readonly Value[], attributes: Attributes = {}, name = op.toLowerCase()): Value {
    return this.ops(op, inputs, 1, attributes, name)[0]!;
  }

  /** Adds a node with `count` outputs. */
  ops(
    op: string,
    inputs: readonly Value[],
    count: number,
    attributes: Attributes = {},
    hint = op.toLowerCase(),
    domain = "",
  ): Value[] {
    const outputs = Array.from({ length: count }, () => this.#fresh(hint));
    if (!this.#opsets.has(domain)) this.#opsets.set(domain, 1);
    this.#nodes.push({ op, domain, name: outputs[0]!, inputs, outputs, attributes });
    return outputs;
  }

  /** Adds a node of an operator outside ONNX's own domain, with one output. */
  custom(domain: string, op: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.ops(op, inputs, 1, attributes, op.toLowerCase(), domain)[0]!;
  }

  /** Adds a node as it is: its outputs must not be defined here yet, except by `reserve`. */
  node(node: Node): void {
    for (const output of node.outputs) if (!this.#reserved.delete(output)) this.#claim(output);
    this.#nodeNames.add(node.name);
    this.#nodes.push(node);
  }

  /** Keeps the names of nodes and of their outputs free, for `node` to add them later, changed or not. */
  reserveNodes(nodes: readonly Node[]): void {
    this.reserve([...new Set(nodes.flatMap(({ name, outputs }) => [name, ...outputs]))]);
  }

  /** Keeps names free for nodes that `node` will add: fresh names avoid them. */
  reserve(names: readonly Value[]): void {
    for (const name of names.filter((name) => name !== "")) {
      this.#claim(name);
      this.#reserved.add(name);
    }
  }

  /** Adds a node whose one output has exactly this name. */
  named(op: string, inputs: readonly Value[], output: Value, attributes: Attributes = {}): Value {
    this.#claim(output);
    const name = this.#nodeNames.has(output) ? this.#fresh(output) : output;
    this.#nodes.push({ op, domain: "", name, inputs, outputs: [output], attributes });
    return output;
  }

  add = (x: Value, y: Value): Value => this.op("Add", [x, y]);
  sub = (x: Value, y: Value): Value => this.op("Sub", [x, y]);
  mul = (x: Value, y: Value): Value => this.op("Mul", [x, y]);
  div = (x: Value, y: Value): Value => this.op("Div", [x, y]);
  neg = (x: Value): Value => this.op("Neg", [x]);
  exp = (x: Value): Value => this.op("Exp", [x]);
  sigmoid = (x: Value): Value => this.op("Sigmoid", [x]);
  matmul = (x: Value, y: Value): Value => this.op("MatMul", [x, y]);
  reshape = (x: Value, shape: Value): Value => this.op("Reshape", [x, shape]);
  transpose = (x: Value, perm: readonly number[]): Value => this.op("Transpose", [x], { perm: ints(perm) });
  cast = (x: Value, dtype: DType): Value => this.op("Cast", [x], { to: int(dtypeCode(dtype)) });
  /** Zeros of the shape of `x`. */
  zerosLike(x: Value, dtype: DType): Value {
    return this.op("ConstantOfShape", [this.op("Shape", [x])], { value: { kind: "tensor", value: zeros(dtype, [1]) } });
  }
  /** alpha A B + beta C, with A and B transposed on request. */
  gemm(a: Value, b: Value, { c = "", transA = false, transB = false, alpha = 1, beta = 1 }: GemmOptions = {}): Value {
    const attributes = {
      transA: int(Number(transA)),
      transB: int(Number(transB)),
      alpha: float(alpha),
      beta: float(beta),
    };
    return this.op("Gemm", c === "" ? [a, b] : [a, b, c], attributes);
  }
  /** Sum over `axes`, or over everything. */
  reduceSum(x: Value, { axes, keepdims = true }: ReduceOptions = {}): Value {
    return this.op("ReduceSum", axes ? [x, this.ints(axes)] : [x], { keepdims: int(Number(keepdims)) });
  }
  /** Mean over `axes`, or over everything. */
  reduceMean(x: Value, { axes, keepdims = true }: ReduceOptions = {}): Value {
    return this.op("ReduceMean", axes ? [x, this.ints(axes)] : [x], { keepdims: int(Number(keepdims)) });
  }

  /** The finished graph with these outputs. */
  build(outputs: readonly ValueInfo[]): Graph {
    return {
      name: this.#name,
      inputs: [...this.#inputs],
      outputs,
      nodes: [...this.#nodes],
      initializers: new Map(this.#initializers),
      opsets: new Map(this.#opsets),
    };
  }

  /** A name that neither a value nor a node has: the hint itself, or the hint with the next free number. */
  #fresh(hint: string): string {
    let name = hint;
    while (this.#taken.has(name) || this.#nodeNames.has(name)) {
      const count = (this.#next.get(hint) ?? 0) + 1;
      this.#next.set(hint, count);
      name = `${hint}_${count}`;
    }
    this.#taken.add(name);
    return name;
  }

  #claim(name: string): void {
    if (name === "") return;
    if (this.#taken.has(name)) throw new RootstockError("INTERNAL", `internal: the value "${name}" is defined twice.`);
    this.#taken.add(name);
  }
}

export interface GemmOptions {
  /** What is added; nothing where it is "". @default "" */
  readonly c?: Value | undefined;
  /** @default false */
  readonly transA?: boolean | undefined;
  /** @default false */
  readonly transB?: boolean | undefined;
  /** @default 1 */
  readonly alpha?: number | undefined;
  /** @default 1 */
  readonly beta?: number | undefined;
}

export interface ReduceOptions {
  readonly axes?: readonly number[] | undefined;
  /** @default true */
  readonly keepdims?: boolean | undefined;
}
