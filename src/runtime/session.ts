/** Runs graphs on stock ONNX Runtime. The only file that imports it. */
import * as ort from "#ort";
import { invariant, messageOf, RootstockError } from "../errors.ts";
import { describeNode, formatShape, type Graph, type Value, type ValueInfo } from "../graph/graph.ts";
import { saveGraph } from "../graph/save.ts";
import { joinChunks } from "../onnx/encode.ts";
import { ARRAYS, type DType } from "../tensor/dtype.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { checkProvider, type Provider, providerFailed } from "./providers.ts";

// Official builds for Linux and macOS from 1.29 on keep an identifier of the device in the user's cache folder and send
// names and hashes of models to Microsoft, unless this is set before the first session (microsoft/onnxruntime#27379). What
// the user set stays. A worker thread has its own copy of the environment: the main thread has to load this file first.
if (typeof process !== "undefined" && process.env) process.env["ORT_DISABLE_TELEMETRY"] ??= "1";

export interface SessionOptions {
  /** Threads that one run uses. @default the number of physical cores, as ONNX Runtime counts them */
  readonly threads?: number | undefined;
  /** Where to run. @default "cpu" */
  readonly provider?: Provider | undefined;
  /**
   * How much ONNX Runtime rewrites the graph first. "all" is for graphs whose weights are constants; a graph that
   * takes its weights as inputs gains nothing and pays memory. @default "all"
   */
  readonly optimization?: "all" | "none" | undefined;
  /**
   * In which order nodes run, without optimization: as the graph lists them as far as ONNX Runtime follows that, or as
   * the first outputs need them. A training graph then frees a layer's values before it goes on to the next. @default "given"
   */
  readonly order?: "given" | "needed" | undefined;
  /** Whether idle threads wait actively for the next run: a gain alone, a loss beside decoding threads. @default true */
  readonly spinning?: boolean | undefined;
}

/** Values by name. */
export type Tensors = Readonly<Record<Value, Tensor>>;

/** A graph made ready to run. It owns native memory: `release` it, or declare it with `await using`. */
export class Session implements AsyncDisposable {
  readonly graph: Graph;
  readonly #session: ort.InferenceSession;
  #released = false;

  private constructor(graph: Graph, session: ort.InferenceSession) {
    this.graph = graph;
    this.#session = session;
  }

  /**
   * Prepares a graph.
   * @throws RootstockError BAD_CONFIG for a provider that is not there; UNSUPPORTED_OP for an operator that ONNX
   * Runtime does not know; RUNTIME for everything else it refuses.
   */
  static async create(
    graph: Graph,
    { threads, provider = "cpu", optimization = "all", order = "given", spinning = true }: SessionOptions = {},
  ): Promise<Session> {
    checkProvider(provider, supportedProviders());
    ort.env.logLevel = "fatal"; // what a provider cannot do reaches the caller as an error
    try {
      // ONNX Runtime 1.30 visits the nodes that nothing reads from the last in the file to the first, each after all that
      // it needs: a file that lists them backwards makes it begin with the first.
      const listed = order === "needed" ? { ...graph, nodes: graph.nodes.toReversed() } : graph;
      const session = await ort.InferenceSession.create(joinChunks(saveGraph(listed)), {
        executionProviders: [provider],
        graphOptimizationLevel: optimization === "all" ? "all" : "disabled",
        // Without optimization the graph is one for training, whose batch varies: a memory plan per shape only costs.
        enableMemPattern: optimization === "all",
        // Threads that wait actively for a session's next run must not keep a core from another session's.
        extra: { session: { force_spinning_stop: "1", intra_op: { allow_spinning: spinning ? "1" : "0" } } },
        logSeverityLevel: 4, // failures reach the caller as errors
        ...(threads !== undefined && { intraOpNumThreads: threads }),
      });
      return new Session(graph, session);
    } catch (cause) {
      throw createError(graph, provider, cause);
    }
  }

  /**
   * Runs the graph once. Inputs are read in place; outputs are new tensors.
   * @param fetches the outputs to compute; all of them by default.
   * @throws RootstockError SHAPE_MISMATCH if a feed is missing, unknown, or of another type or shape than declared;
   * RUNTIME if a node fails, naming it.
   */
  async run(
    feeds: Tensors,
    fetches: readonly Value[] = this.graph.outputs.map(({ name }) => name),
  ): Promise<Record<Value, Tensor>> {
    if (this.#released)
      throw new RootstockError("RUNTIME", `the session of "${this.graph.name}" was released; create another one.`);
    checkFeeds(this.graph.inputs, feeds);
    const inputs = Object.fromEntries(
      Object.entries(feeds).map(([name, t]) => [
        name,
        new ort.Tensor(t.dtype as "float32", t.data as Float32Array<ArrayBuffer>, t.shape),
      ]),
    ); // ort.Tensor's overloads list each pair of type and array
    let outputs: ort.InferenceSession.OnnxValueMapType;
    try {
      outputs = await this.#session.run(inputs, [...fetches]);
    } catch (cause) {
      throw runError(this.graph, cause);
    }
    return Object.fromEntries(fetches.map((name) => [name, fromOrt(name, outputs[name])]));
  }

  /** Frees the native memory. Releasing twice does nothing. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#session.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}

/** Providers that this build of ONNX Runtime contains, or undefined where it cannot tell (in a browser). */
export function supportedProviders(): string[] | undefined {
  return "listSupportedBackends" in ort ? ort.listSupportedBackends().map(({ name }) => name) : undefined;
}

/** Version of ONNX Runtime, for run records and cache keys. */
export function runtimeVersion(): string {
  return ort.env.versions.node ?? ort.env.versions.web ?? ort.env.versions.common ?? "unknown";
}

function checkFeeds(inputs: readonly ValueInfo[], feeds: Tensors): void {
  const wanted = `${inputs.map(({ name, dtype, shape }) => `"${name}" ${dtype} ${formatShape(shape)}`).join(", ")}`;
  for (const { name, dtype, shape } of inputs) {
    const got = feeds[name];
    if (!got) throw new RootstockError("SHAPE_MISMATCH", `missing input "${name}". The graph requires ${wanted}.`);
    const fits =
      !shape ||
      (shape.length === got.shape.length && shape.every((dim, i) => typeof dim === "string" || dim === got.shape[i]));
    if (got.dtype !== dtype || !fits) {
      throw new RootstockError(
        "SHAPE_MISMATCH",
        `input "${name}" requires ${dtype} ${formatShape(shape)}, got ${got.dtype} [${got.shape.join(", ")}].`,
      );
    }
  }
  const unknown = Object.keys(feeds).find((name) => !inputs.some((input) => input.name === name));
  if (unknown !== undefined)
    throw new RootstockError("SHAPE_MISMATCH", `"${unknown}" is not an input. The graph requires ${wanted}.`);
}

function fromOrt(name: string, value: ort.OnnxValue | undefined): Tensor {
  invariant(value && "dims" in value && "data" in value, () => `output "${name}" is not a tensor`);
  const dtype = value.type as DType; // ONNX Runtime's names are ours; strings are excluded below
  invariant(Object.hasOwn(ARRAYS, dtype), () => `output "${name}" has element type ${value.type}`);
  return tensor(dtype, value.dims, value.data as Float32Array); // the array that belongs to dtype
}

function createError(graph: Graph, provider: Provider, cause: unknown): RootstockError {
  const message = messageOf(cause);
  const unknownOp = /([\w.]*):?(\w+)\((-?\d+)\) is not a registered function\/op|No Op registered for (\w+)/.exec(
    message,
  );
  const op = unknownOp?.[4] ?? unknownOp?.[2];
  if (op) {
    const nodes = graph.nodes.filter((node) => node.op === op).map(describeNode);
    const where = nodes.length > 0 ? `: ${nodes.slice(0, 3).join(", ")}` : "";
    return new RootstockError(
      "UNSUPPORTED_OP",
      `ONNX Runtime ${runtimeVersion()} does not know operator ${op} (opset ${graph.opsets.get("") ?? "?"})${where}. Export the model with standard operators, or cut it before this node.`,
      { cause },
    );
  }
  if (provider !== "cpu" && /provider|backend|adapter|library|CUDA|device/i.test(message))
    return providerFailed(provider, cause, message);
  return new RootstockError(
    "RUNTIME",
    `ONNX Runtime refused the graph "${graph.name}"${atNode(graph, message)}: ${clean(message)}.`,
    { cause },
  );
}

function runError(graph: Graph, cause: unknown): RootstockError {
  const message = messageOf(cause);
  const memory = /alloc|memory/i.test(message) ? " Use a smaller batch size." : "";
  return new RootstockError(
    "RUNTIME",
    `running "${graph.name}" failed${atNode(graph, message)}: ${clean(message)}.${memory}`,
    { cause },
  );
}

/** " at Conv "conv1" …" for messages that name a node. */
function atNode(graph: Graph, message: string): string {
  const name = /Name:\s*'([^']*)'|Node \((.*?)\) Op \(|[Nn]ode[: (]+'?([\w./:-]+)'?/.exec(message);
  const node = graph.nodes.find((n) => n.name === (name?.[1] ?? name?.[2] ?? name?.[3]));
  return node ? ` at ${describeNode(node)}` : "";
}

/** The sentence of a native message that says what happened, without source locations. */
function clean(message: string): string {
  const status = /Status Message:\s*(.*)/s.exec(message)?.[1] ?? message;
  return status
    .replace(/\/onnxruntime_src\S*\s*/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/\.$/, "")
    .slice(0, 400);
}
