/** Outputs of many rows: the same path for validation during training and for the end. */
import type { Rows } from "../features/rows.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { Session, type SessionOptions } from "../runtime/session.ts";
import { sizeOf, tensor } from "../tensor/tensor.ts";

/** Rows per run: enough to keep the processor busy, few enough to keep memory small. */
const BATCH = 32;

/** Anything that gives logits [n, numClasses] of samples [n, ...]. */
export interface Scorer {
  logits(samples: Float32Array): Promise<Float32Array>;
}

/** Logits [order.length, numClasses] of rows; of all of them in their own order unless told otherwise. */
export async function scoreRows(
  scorer: Scorer,
  rows: Rows,
  order: Int32Array = Int32Array.from({ length: rows.count }, (_, i) => i),
): Promise<Float32Array> {
  const parts: Float32Array[] = [];
  for await (const samples of rows.batches(order, BATCH)) parts.push(await scorer.logits(samples));
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/** A network whose every weight is a constant of the graph; its one output is what it scores. */
export class GraphScorer implements Scorer, AsyncDisposable {
  readonly #session: Session;
  readonly #input: Value;
  readonly #shape: readonly number[];

  private constructor(session: Session) {
    this.#session = session;
    const [input] = session.graph.inputs;
    this.#input = input!.name; // checked by create
    this.#shape = input!.shape!.slice(1).map(Number);
  }

  /** @param graph from one input [batch, ...sizes] to one output [batch, width]. */
  static async create(graph: Graph, session: SessionOptions = {}): Promise<GraphScorer> {
    return new GraphScorer(await Session.create(graph, session));
  }

  async logits(samples: Float32Array): Promise<Float32Array> {
    const count = samples.length / sizeOf(this.#shape);
    const feeds = { [this.#input]: tensor("float32", [count, ...this.#shape], samples) };
    const output = this.#session.graph.outputs[0]!.name;
    return (await this.#session.run(feeds, [output]))[output]!.data as Float32Array; // features and heads are float32
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#session.release();
  }
}
