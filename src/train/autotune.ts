/** Measures on this machine which way to compute each gradient of a training graph is the fastest. */
import {
  type Choose,
  type GradientKey,
  keyText,
  type Variant,
  type VariantTable,
  variantsOf,
} from "../autodiff/lowering/fast/choice.ts";
import { variantGraph } from "../autodiff/lowering/fast/variant-graph.ts";
import { RootstockError } from "../errors.ts";
import { Session, type SessionOptions, type Tensors } from "../runtime/session.ts";
import { float32, sizeOf } from "../tensor/tensor.ts";

export interface AutotuneOptions {
  /** Channels per block of the runtime's blocked layout. */
  readonly block: number;
  readonly session?: SessionOptions | undefined;
  /** Runs of each variant that count; the fastest does. One more warms up. @default 5 */
  readonly rounds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Share of the default's time that another variant must save: less is noise. */
const WORTH = 0.05;

/** The gradients of a plan that could be computed in several ways. @param plan makes the plan, asking for each choice. */
export function keysOf(plan: (choose: Choose) => void): GradientKey[] {
  const keys = new Map<string, GradientKey>();
  plan((key, variants) => {
    if (variants.length > 1) keys.set(keyText(key), key);
    return undefined;
  });
  return [...keys.values()];
}

/**
 * The fastest variant of each key, measured one after the other with one session per variant, in turn. A variant that
 * this build of the runtime refuses is left out. Variants differ in speed and in rounding alone.
 * @throws RootstockError ABORTED through the signal.
 */
export async function autotune(keys: readonly GradientKey[], options: AutotuneOptions): Promise<VariantTable> {
  const table: Record<string, Variant> = {};
  for (const key of keys) {
    if (options.signal?.aborted)
      throw new RootstockError("ABORTED", "measuring gradients was stopped.", { cause: options.signal.reason });
    table[keyText(key)] = await fastest(key, options);
  }
  return table;
}

async function fastest(key: GradientKey, { block, session, rounds = 5 }: AutotuneOptions): Promise<Variant> {
  const variants = variantsOf(key);
  const best = new Map<Variant, number>();
  const sessions = new Map<Variant, Session>();
  try {
    for (const variant of variants) {
      const graph = variantGraph(key, variant, block);
      const created = await Session.create(graph, { ...session, optimization: "none" }).catch(() => undefined);
      if (created) sessions.set(variant, created);
    }
    for (let round = 0; round <= rounds; round++) {
      for (const [variant, created] of sessions) {
        const milliseconds = await timed(created, feedsOf(created));
        if (round > 0) best.set(variant, Math.min(milliseconds, best.get(variant) ?? Number.POSITIVE_INFINITY));
      }
    }
  } finally {
    for (const created of sessions.values()) await created.release();
  }
  const usual = variants[0]!;
  const limit = (best.get(usual) ?? Number.POSITIVE_INFINITY) * (1 - WORTH);
  const [chosen] = [...best].filter(([, time]) => time < limit).sort(([, a], [, b]) => a - b)[0] ?? [usual];
  return chosen;
}

async function timed(session: Session, feeds: Tensors): Promise<number> {
  const start = performance.now();
  await session.run(feeds);
  return performance.now() - start;
}

/** Values of the declared shapes, about the size of activations and nowhere 0. */
function feedsOf({ graph }: Session): Tensors {
  return Object.fromEntries(
    graph.inputs.map(({ name, shape }) => {
      const sizes = (shape ?? []).map(Number); // variantGraph declares numbers
      return [
        name,
        float32(
          sizes,
          Float32Array.from({ length: sizeOf(sizes) }, (_, i) => 1 + (i % 7) / 7),
        ),
      ];
    }),
  );
}
