/** Swin: a transformer whose tokens attend within windows, with the parameter names of torchvision. */
import { int } from "../../graph/attributes.ts";
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import { type Initializer, torchUniform, truncatedNormal, zero } from "./initializers.ts";
import type { Layers } from "./layers.ts";
import { channelsLast, reshape, transpose } from "./tokens.ts";
import { attention, mlp } from "./transformer.ts";
import { joinWindows, padMap, positionIndices, rollMap, splitWindows, windowMask } from "./windows.ts";

export interface SwinConfig {
  /** Blocks of the four stages. */
  readonly depths: readonly [number, number, number, number];
  /** Attention heads of the four stages. */
  readonly heads: readonly [number, number, number, number];
  /** Channels of the first stage; each next one has twice as many. */
  readonly width: number;
}

/** Liu et al. 2021, arXiv:2103.14030, section 3.3. */
export const SWIN_CONFIGS = {
  swin_t: { depths: [2, 2, 6, 2], heads: [3, 6, 12, 24], width: 96 },
} as const satisfies Record<string, SwinConfig>;

/** Height and width of a patch in pixels. */
const PATCH = 4;
/** Height and width of a window in patches. */
const WINDOW = 7;
const EPSILON = 1e-5;

/** How tables of position biases start. */
const TABLE: Initializer = { kind: "truncated-normal", deviation: 0.02, limit: 2 };

/** Swin; a stage begins with the layer that halves the resolution, and works on maps [h, w, c]. */
export function swin(name: keyof typeof SWIN_CONFIGS): Architecture {
  const { depths, heads, width }: SwinConfig = SWIN_CONFIGS[name];
  return architecture({
    name,
    family: "swin",
    source: "arXiv:2103.14030, torchvision.models.swin_transformer",
    sizes: { minimum: PATCH },
    defaults: { conv: torchUniform, convBias: torchUniform, linear: truncatedNormal(0.02), linearBias: zero },
    forward: (l, numClasses) => {
      const stem = { out: width, kernel: PATCH, stride: PATCH, padding: 0, bias: true };
      let x = channelsLast(l, l.conv(l.image, "features.0.0", stem));
      x = l.stage("stem", l.layerNorm(x, "features.0.2", { epsilon: EPSILON }));
      for (const [i, depth] of depths.entries()) {
        if (i > 0) x = merge(l, x, `features.${2 * i}`);
        for (let j = 0; j < depth; j++) {
          const shift = j % 2 === 0 ? 0 : Math.floor(WINDOW / 2);
          x = block(l, x, `features.${2 * i + 1}.${j}`, { heads: heads[i]!, shift });
        }
        l.stage(`stage${i + 1}`, x);
      }
      const y = transpose(l, l.layerNorm(x, "norm", { epsilon: EPSILON }), [2, 0, 1]);
      const features = l.stage("norm", l.flatten(l.globalAveragePool(y)));
      return { features, classifier: "head", logits: l.linear(features, "head", { out: numClasses }) };
    },
  });
}

/** Puts the channels of each square of four positions beside each other, column by column, and halves their number. */
function merge(l: Layers, x: Value, name: string): Value {
  const even = padMap(l, x, 2);
  const [height, width, channels] = l.shapeOf(even) as readonly [number, number, number];
  const squares = reshape(l, even, [height / 2, 2, width / 2, 2, channels]);
  const beside = reshape(l, transpose(l, squares, [0, 2, 3, 1, 4]), [height / 2, width / 2, 4 * channels]);
  // The checkpoint lists the linear layer first, so it is declared first.
  const weight = l.parameter(
    `${name}.reduction.weight`,
    [2 * channels, 4 * channels],
    "weight",
    truncatedNormal(0.02)({ in: 4 * channels, out: 2 * channels }),
  );
  const y = l.layerNorm(beside, `${name}.norm`, { epsilon: EPSILON });
  const product = l.b.op("MatMul", [y, l.b.transpose(weight, [1, 0])], {}, `${name}.reduction`);
  return l.shaped(product, [height / 2, width / 2, 2 * channels]);
}

interface Attention {
  readonly heads: number;
  /** By how many positions the windows are shifted. */
  readonly shift: number;
}

/** x + attention(norm(x)), and the same with the layers for each position. */
function block(l: Layers, x: Value, name: string, options: Attention): Value {
  const norm = (y: Value, i: number): Value => l.layerNorm(y, `${name}.norm${i}`, { epsilon: EPSILON });
  const y = l.add(x, windowAttention(l, norm(x, 1), `${name}.attn`, options), `${name}.attention`);
  return l.add(y, mlp(l, norm(y, 2), { names: [`${name}.mlp.0`, `${name}.mlp.3`] }), `${name}.add`);
}

/**
 * Attention within windows, with a learned bias for each distance between two positions. Windows that are shifted wrap
 * around the map; positions from different ends of it do not see each other.
 */
function windowAttention(l: Layers, x: Value, name: string, { heads, shift }: Attention): Value {
  const { b } = l;
  const [height, width, channels] = l.shapeOf(x) as readonly [number, number, number];
  const side = 2 * WINDOW - 1;
  const table = l.parameter(`${name}.relative_position_bias_table`, [side * side, heads], "embedding", TABLE);
  const padded = padMap(l, x, WINDOW);
  const [rows, columns] = l.shapeOf(padded) as readonly [number, number, number];
  // A map of one window is not shifted.
  const shifts = [rows > WINDOW ? shift : 0, columns > WINDOW ? shift : 0] as const;
  const windows = splitWindows(l, rollMap(l, padded, shifts), WINDOW);
  const count = WINDOW * WINDOW;
  const indices = b.constant(positionIndices(WINDOW), "relative_position_index");
  const bias = b.transpose(b.op("Gather", [table, indices], { axis: int(0) }), [2, 0, 1]); // [heads, count, count]
  const mask = windowMask([rows, columns], WINDOW, shifts);
  const total = mask ? b.add(bias, l.constant([mask.length / count ** 2, 1, count, count], mask, "mask")) : bias;
  const qkv = l.linear(windows, `${name}.qkv`, { out: 3 * channels });
  const seen = l.linear(attention(l, qkv, { heads, bias: total }), `${name}.proj`, { out: channels });
  const map = rollMap(l, joinWindows(l, seen, [rows, columns]), [-shifts[0], -shifts[1]]);
  if (rows === height && columns === width) return map;
  const cropped = b.op("Slice", [map, b.ints([0, 0]), b.ints([height, width]), b.ints([1, 2])]);
  return l.shaped(cropped, [height, width, channels]);
}
