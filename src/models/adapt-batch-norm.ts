/** Fits the statistics of batch normalization to new images, without labels and without gradients. */
import { RootstockError } from "../errors.ts";
import type { Graph, Value } from "../graph/graph.ts";
import { Session, type SessionOptions } from "../runtime/session.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";
import { type BatchStatistics, batchNormTraining, requireBatchNorm } from "./batch-norm.ts";
import { withValues } from "./trainable-graph.ts";
import { BATCH, trainingForm } from "./training-form.ts";

/**
 * The backbone with the means and variances of new data in its BatchNormalization nodes (AdaBN: Li et al. 2016,
 * arXiv:1603.04779). Each batch is normalized by its own statistics on the way; those of all batches are merged exactly
 * (Chan, Golub, LeVeque 1979), and the variances are unbiased. Parameters stay as they are.
 * @param batches images as the graph takes them, [n, ...]; sizes of batches may differ.
 * @throws RootstockError BAD_CONFIG if there is no BatchNormalization; BAD_DATA if there are fewer than two images.
 */
export async function adaptBatchNorm(
  original: Graph,
  batches: AsyncIterable<Tensor>,
  options: SessionOptions = {},
): Promise<Graph> {
  requireBatchNorm(original, "adapt");
  const backbone = trainingForm(original);
  const input = backbone.inputs[0]!.name;
  let plan: { readonly session: Session; readonly statistics: readonly BatchStatistics[] } | undefined;
  const moments = new Map<Value, Moments>();
  let images = 0;
  try {
    for await (const batch of batches) {
      plan ??= await prepare(backbone, batch.shape, options);
      const outputs = await plan.session.run({ [input]: batch });
      images += batch.shape[0]!;
      for (const { mean, batchMean, batchVariance, positions } of plan.statistics) {
        const own = {
          count: batch.shape[0]! * positions,
          mean: outputs[batchMean]!.data,
          variance: outputs[batchVariance]!.data,
        };
        moments.set(mean, merged(moments.get(mean), own as BatchMoments)); // statistics are float32
      }
    }
  } finally {
    await plan?.session.release();
  }
  if (!plan || images < 2)
    throw new RootstockError(
      "BAD_DATA",
      `--batch-norm adapt requires at least two images to measure statistics on, got ${images}.`,
    );
  const values = plan.statistics.flatMap(({ mean, variance }): [Value, Tensor][] => {
    const total = moments.get(mean)!;
    return [
      [mean, float32([total.mean.length], Float32Array.from(total.mean))],
      [
        variance,
        float32(
          [total.mean.length],
          Float32Array.from(total.squares, (sum) => sum / (total.count - 1)),
        ),
      ],
    ];
  });
  return withValues(backbone, new Map(values));
}

interface BatchMoments {
  readonly count: number;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

interface Moments {
  readonly count: number;
  readonly mean: Float64Array;
  /** Sums of squared differences from the mean. */
  readonly squares: Float64Array;
}

function merged(total: Moments | undefined, { count, mean, variance }: BatchMoments): Moments {
  const before = total ?? { count: 0, mean: new Float64Array(mean.length), squares: new Float64Array(mean.length) };
  const all = before.count + count;
  const delta = before.mean.map((value, i) => mean[i]! - value);
  return {
    count: all,
    mean: before.mean.map((value, i) => value + (delta[i]! * count) / all),
    squares: before.squares.map((sum, i) => sum + variance[i]! * count + (delta[i]! ** 2 * before.count * count) / all),
  };
}

/** A session that gives the statistics of a batch, and nothing else. */
async function prepare(
  backbone: Graph,
  shape: readonly number[],
  options: SessionOptions,
): Promise<{ session: Session; statistics: readonly BatchStatistics[] }> {
  const [input] = backbone.inputs;
  const sized = { ...backbone, inputs: [{ ...input!, shape: [BATCH, ...shape.slice(1)] }] };
  const { graph, statistics } = batchNormTraining(sized);
  const outputs = graph.outputs.slice(backbone.outputs.length);
  return { session: await Session.create({ ...graph, outputs }, { ...options, optimization: "none" }), statistics };
}
