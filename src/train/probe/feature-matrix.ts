/**
 * Products of a feature matrix with narrow ones, in float64, on ONNX Runtime. Each product is a sum in a fixed order:
 * ONNX Runtime divides it over threads by rows and columns of the result, never within a sum.
 */
import { GraphBuilder } from "../../graph/builder.ts";
import type { Graph } from "../../graph/graph.ts";
import { Session } from "../../runtime/session.ts";
import { type Tensor, tensor } from "../../tensor/tensor.ts";

/** Bytes of features as float64 up to which they are kept; beyond, each product converts them again, to the same bits. */
const HELD_BYTES = 1e9;

/** Multiplications in a product up to which one thread is faster than several that wait for each other. */
const ALONE = 2e7;

/** Numbers in a slice of rows: what is converted at once. */
const SLICE = 2 ** 23;

export interface FeatureMatrixOptions {
  /** Numbers per row. */
  readonly width: number;
  /** Factor of each column, [width]. @default 1 for all */
  readonly scale?: Float64Array | undefined;
  /** Columns of the matrices that it is multiplied with. */
  readonly columns: number;
  /** Threads of a product; they change no bit of it. @default 1 for small products, else the number of physical cores */
  readonly threads?: number | undefined;
  /** @default 1e9 */
  readonly heldBytes?: number | undefined;
}

/** Features X [n, width] with scaled columns. It owns native memory: declare it with `await using`. */
export class FeatureMatrix implements AsyncDisposable {
  readonly rows: number;
  readonly #width: number;
  readonly #scale: Float64Array;
  /** [rows, width] each: float64 and scaled if they are held, else views of the features as they are. */
  readonly #slices: readonly (Float64Array | Float32Array)[];
  readonly #times: Session;
  readonly #transposedTimes: Session;

  private constructor(slices: readonly (Float64Array | Float32Array)[], scale: Float64Array, sessions: Session[]) {
    this.#width = scale.length;
    this.rows = slices.reduce((sum, { length }) => sum + length, 0) / scale.length;
    this.#scale = scale;
    this.#slices = slices;
    [this.#times, this.#transposedTimes] = sessions as [Session, Session]; // by create
  }

  /** @param features [n, width] row-major; read as long as the matrix is used. */
  static async create(features: Float32Array | Float64Array, options: FeatureMatrixOptions): Promise<FeatureMatrix> {
    const { width, scale = new Float64Array(width).fill(1), columns, heldBytes = HELD_BYTES } = options;
    const { threads = features.length * columns > ALONE ? undefined : 1 } = options;
    const session = { threads, spinning: false }; // other work is done between two products
    const size = Math.max(1, Math.floor(SLICE / width)) * width;
    const slices = Array.from({ length: Math.ceil(features.length / size) }, (_, i) =>
      features.subarray(i * size, (i + 1) * size),
    );
    const held = features instanceof Float64Array || features.length * 8 <= heldBytes;
    const dtype = held ? "float64" : "float32";
    return new FeatureMatrix(held ? slices.map((slice) => scaled(slice, scale)) : slices, scale, [
      await Session.create(timesGraph(width, dtype), session),
      await Session.create(transposedTimesGraph(width, dtype), session),
    ]);
  }

  /** X W' [n, k]. @param weights W [k, width]. */
  async times(weights: Float64Array): Promise<Float64Array> {
    const k = weights.length / this.#width;
    const product = new Float64Array(this.rows * k);
    let row = 0;
    for (const slice of this.#slices) {
      product.set(await this.#run(this.#times, slice, tensor("float64", [k, this.#width], weights)), row * k);
      row += slice.length / this.#width;
    }
    return product;
  }

  /** X X' [n, n]. */
  async gram(): Promise<Float64Array> {
    const all = new Float64Array(this.rows * this.#width);
    let filled = 0;
    for (const slice of this.#slices) {
      all.set(slice instanceof Float64Array ? slice : scaled(slice, this.#scale), filled);
      filled += slice.length;
    }
    return await this.times(all);
  }

  /** R' X [k, width]. @param matrix R [n, k]. */
  async transposedTimes(matrix: Float64Array): Promise<Float64Array> {
    const k = matrix.length / this.rows;
    const sum = new Float64Array(k * this.#width);
    let row = 0;
    for (const slice of this.#slices) {
      const count = slice.length / this.#width;
      const part = tensor("float64", [count, k], matrix.subarray(row * k, (row + count) * k));
      const product = await this.#run(this.#transposedTimes, slice, part);
      for (let i = 0; i < sum.length; i++) sum[i]! += product[i]!;
      row += count;
    }
    return sum;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#times.release();
    await this.#transposedTimes.release();
  }

  async #run(session: Session, slice: Float64Array | Float32Array, other: Tensor<"float64">): Promise<Float64Array> {
    const shape = [slice.length / this.#width, this.#width];
    const feeds =
      slice instanceof Float64Array
        ? { features: tensor("float64", shape, slice), other }
        : {
            features: tensor("float32", shape, slice),
            scale: tensor("float64", [this.#width], this.#scale),
            other,
          };
    return (await session.run(feeds))["product"]!.data as Float64Array; // as declared
  }
}

function scaled(features: Float32Array | Float64Array, scale: Float64Array): Float64Array {
  const out = new Float64Array(features.length);
  for (let start = 0; start < out.length; start += scale.length)
    for (let j = 0; j < scale.length; j++) out[start + j] = features[start + j]! * scale[j]!;
  return out;
}

function timesGraph(width: number, dtype: "float32" | "float64"): Graph {
  const b = new GraphBuilder("probe logits");
  const features = scaledFeatures(b, width, dtype);
  b.input({ name: "other", dtype: "float64", shape: ["k", width] });
  b.named("Gemm", [features, "other"], "product", { transB: { kind: "int", value: 1 } });
  return b.build([{ name: "product", dtype: "float64", shape: ["rows", "k"] }]);
}

function transposedTimesGraph(width: number, dtype: "float32" | "float64"): Graph {
  const b = new GraphBuilder("probe gradient");
  const features = scaledFeatures(b, width, dtype);
  b.input({ name: "other", dtype: "float64", shape: ["rows", "k"] });
  b.named("Gemm", ["other", features], "product", { transA: { kind: "int", value: 1 } });
  return b.build([{ name: "product", dtype: "float64", shape: ["k", width] }]);
}

/** The scaled features as float64; those of type float64 are scaled already. */
function scaledFeatures(b: GraphBuilder, width: number, dtype: "float32" | "float64"): string {
  const features = b.input({ name: "features", dtype, shape: ["rows", width] });
  if (dtype === "float64") return features;
  const scale = b.input({ name: "scale", dtype: "float64", shape: [width] });
  return b.mul(b.cast(features, "float64"), scale);
}
