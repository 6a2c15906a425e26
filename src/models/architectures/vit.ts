/** Vision transformers, with the parameter names of timm (also those of DINOv2) or of torchvision. */
import type { Value } from "../../graph/graph.ts";
import { type Architecture, architecture } from "./architecture.ts";
import {
  glorotUniform,
  type Initializer,
  normal,
  type Scheme,
  torchUniform,
  truncatedNormal,
  zero,
} from "./initializers.ts";
import type { LayerDefaults, Layers } from "./layers.ts";
import { firstToken, tokensOf, withToken } from "./tokens.ts";
import { attention, mlp } from "./transformer.ts";

export interface ViTConfig {
  readonly from: keyof typeof SOURCES;
  /** Height and width of a patch in pixels. */
  readonly patch: number;
  /** Channels of a token. */
  readonly width: number;
  readonly heads: number;
  /** Height and width of the image that the published position embeddings are for. */
  readonly size: number;
  /** Where the learned scales of the branches start; without it there are none. */
  readonly layerScale?: number | undefined;
}

/** Twelve blocks each: Dosovitskiy et al. 2020, arXiv:2010.11929; Touvron et al. 2020, arXiv:2012.12877, table 1. */
export const VIT_CONFIGS = {
  vit_b_16: { from: "torchvision", patch: 16, width: 768, heads: 12, size: 224 },
  vit_tiny_patch16_224: { from: "timm", patch: 16, width: 192, heads: 3, size: 224 },
  vit_small_patch16_224: { from: "timm", patch: 16, width: 384, heads: 6, size: 224 },
  vit_base_patch16_224: { from: "timm", patch: 16, width: 768, heads: 12, size: 224 },
  /** Published without a classifier: Oquab et al. 2023, arXiv:2304.07193. */
  vit_small_patch14_dinov2: { from: "timm", patch: 14, width: 384, heads: 6, size: 518, layerScale: 1e-5 },
  vit_base_patch14_dinov2: { from: "timm", patch: 14, width: 768, heads: 12, size: 518, layerScale: 1e-5 },
} as const satisfies Record<string, ViTConfig>;

const DEPTH = 12;

/** What a library calls the parts, in which order it lists them, and how it fills them. */
interface Source {
  readonly module: string;
  readonly classToken: Value;
  readonly positions: Value;
  /** Whether the position embeddings are listed before the patch embedding. */
  readonly positionsFirst: boolean;
  readonly patches: string;
  /** Prefix of the blocks, without the number. */
  readonly blocks: string;
  readonly norms: readonly [string, string];
  /** Weight and bias of queries, keys and values in one. */
  readonly qkv: readonly [Value, Value];
  readonly projection: string;
  readonly mlp: readonly [string, string];
  readonly norm: string;
  readonly head: string;
  readonly defaults: LayerDefaults;
  readonly init: {
    readonly classToken: Scheme;
    readonly positions: Scheme;
    readonly qkv: Scheme;
    readonly projection: Scheme;
    readonly mlp: Scheme;
    readonly head: Scheme;
  };
}

const SOURCES = {
  timm: {
    module: "timm.models.vision_transformer",
    classToken: "cls_token",
    positions: "pos_embed",
    positionsFirst: true,
    patches: "patch_embed.proj",
    blocks: "blocks.",
    norms: ["norm1", "norm2"],
    qkv: ["attn.qkv.weight", "attn.qkv.bias"],
    projection: "attn.proj",
    mlp: ["mlp.fc1", "mlp.fc2"],
    norm: "norm",
    head: "head",
    defaults: { linearBias: zero },
    init: {
      classToken: normal(1e-6),
      positions: truncatedNormal(0.02),
      qkv: truncatedNormal(0.02),
      projection: truncatedNormal(0.02),
      mlp: truncatedNormal(0.02),
      head: truncatedNormal(0.02),
    },
  },
  torchvision: {
    module: "torchvision.models.vision_transformer",
    classToken: "class_token",
    positions: "encoder.pos_embedding",
    positionsFirst: false,
    patches: "conv_proj",
    blocks: "encoder.layers.encoder_layer_",
    norms: ["ln_1", "ln_2"],
    qkv: ["self_attention.in_proj_weight", "self_attention.in_proj_bias"],
    projection: "self_attention.out_proj",
    mlp: ["mlp.0", "mlp.3"],
    norm: "encoder.ln",
    head: "heads.head",
    defaults: { conv: (fan) => truncatedNormal(Math.sqrt(1 / fan.in))(fan), convBias: zero, linearBias: zero },
    init: {
      classToken: zero,
      positions: normal(0.02),
      qkv: glorotUniform,
      projection: torchUniform,
      mlp: glorotUniform,
      head: zero,
    },
  },
} as const satisfies Record<string, Source>;

/**
 * ViT with a class token, whose last value is the features. Position embeddings are a parameter of the chosen input size:
 * `fitPositions` makes them of those for another size.
 */
export function vit(name: keyof typeof VIT_CONFIGS): Architecture {
  const config: ViTConfig = VIT_CONFIGS[name];
  const source: Source = SOURCES[config.from];
  const { patch, width } = config;
  return architecture({
    name,
    family: "vit",
    source: `arXiv:${config.layerScale === undefined ? "2010.11929" : "2304.07193"}, ${source.module}`,
    inputSize: [config.size, config.size],
    sizes: { minimum: patch, multipleOf: patch },
    defaults: source.defaults,
    forward: (l, numClasses) => {
      const [, height, breadth] = l.shapeOf(l.image) as readonly [number, number, number];
      const tokens = 1 + (height / patch) * (breadth / patch);
      const embedding = (name: Value, count: number, init: Scheme): Value =>
        l.parameter(name, [1, count, width], "embedding", init(NO_FAN));
      const positions = (): Value => embedding(source.positions, tokens, source.init.positions);
      const token = embedding(source.classToken, 1, source.init.classToken);
      const early = source.positionsFirst ? positions() : undefined;
      const stem = { out: width, kernel: patch, stride: patch, padding: 0, bias: true };
      const list = withToken(l, token, tokensOf(l, l.conv(l.image, source.patches, stem)));
      let x = l.stage("stem", l.add(list, early ?? positions(), "positions"));
      for (let i = 0; i < DEPTH; i++) x = l.stage(`block${i + 1}`, block(l, x, `${source.blocks}${i}`, config));
      const features = l.stage("norm", firstToken(l, l.layerNorm(x, source.norm)));
      const head = l.linear(features, source.head, { out: numClasses, init: source.init.head });
      return { features, classifier: source.head, logits: head };
    },
  });
}

/** For schemes that do not depend on the size. */
const NO_FAN = { in: 0, out: 0 };

/** x + attention(norm(x)), and the same with the layers for each token; both branches scaled where the network does. */
function block(l: Layers, x: Value, name: string, { from, heads, width, layerScale }: ViTConfig): Value {
  const { norms, qkv, projection, mlp: layers, init }: Source = SOURCES[from];
  const scale = (y: Value, leaf: string): Value => {
    if (layerScale === undefined) return y;
    const start: Initializer = { kind: "constant", value: layerScale };
    return l.unary("Mul", [y, l.parameter(`${name}.${leaf}.gamma`, [width], "scale", start)]);
  };
  const triple = triplet(
    l,
    l.layerNorm(x, `${name}.${norms[0]}`),
    [`${name}.${qkv[0]}`, `${name}.${qkv[1]}`],
    init.qkv,
  );
  const seen = l.linear(attention(l, triple, { heads }), `${name}.${projection}`, {
    out: width,
    init: init.projection,
  });
  const y = l.add(x, scale(seen, "ls1"), `${name}.attention`);
  const names = [`${name}.${layers[0]}`, `${name}.${layers[1]}`] as const;
  const thought = mlp(l, l.layerNorm(y, `${name}.${norms[1]}`), { names, init: init.mlp });
  return l.add(y, scale(thought, "ls2"), `${name}.add`);
}

/** Queries, keys and values of every token, by a weight and a bias whose names need not share a prefix. */
function triplet(l: Layers, x: Value, [weight, bias]: readonly [Value, Value], init: Scheme): Value {
  const { b } = l;
  const [tokens, width] = l.shapeOf(x) as readonly [number, number];
  const out = 3 * width;
  const matrix = l.parameter(weight, [out, width], "weight", init({ in: width, out }));
  const product = b.matmul(x, b.transpose(matrix, [1, 0]));
  return l.shaped(b.add(product, l.parameter(bias, [out], "bias", zero(NO_FAN))), [tokens, out]);
}
