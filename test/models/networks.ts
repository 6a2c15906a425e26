/** Small networks of the common kinds, with random weights, for tests of stages and of what trains. */
import { float, int, ints } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph, Shape, Value } from "../../src/graph/graph.ts";
import { FEATURES } from "../../src/models/backbone.ts";
import { rng } from "../../src/random.ts";
import { float32, sizeOf, type Tensor } from "../../src/tensor/tensor.ts";

export function random(seed: string, ...shape: number[]): Tensor<"float32"> {
  const draws = rng(seed);
  const fan = Math.max(1, sizeOf(shape.slice(1)));
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => draws.normal() / Math.sqrt(fan)),
  );
}

/** Positive numbers, as variances and scales are. */
export function positive(seed: string, ...shape: number[]): Tensor<"float32"> {
  const { data } = random(seed, ...shape);
  return float32(
    shape,
    data.map((value) => 0.5 + Math.abs(value)),
  );
}

/** A network under construction: layers by name, each with its parameters named as PyTorch does. */
export class Layers {
  readonly b: GraphBuilder;
  constructor(shape: Shape = ["n", 3, 16, 16]) {
    this.b = new GraphBuilder("network");
    this.b.input({ name: "image", dtype: "float32", shape });
  }

  conv(
    x: Value,
    name: string,
    [from, to]: readonly [number, number],
    { kernel = 3, stride = 1, group = 1, bias = false } = {},
  ): Value {
    const inputs = [x, this.b.initializer(`${name}.weight`, random(name, to, from / group, kernel, kernel))];
    if (bias) inputs.push(this.b.initializer(`${name}.bias`, random(`${name}b`, to)));
    const side = (kernel - 1) / 2;
    const attributes = { pads: ints([side, side, side, side]), strides: ints([stride, stride]), group: int(group) };
    return this.b.op("Conv", inputs, attributes, name);
  }

  norm(x: Value, name: string, channels: number): Value {
    const { b } = this;
    const inputs = [
      x,
      b.initializer(`${name}.weight`, positive(`${name}w`, channels)),
      b.initializer(`${name}.bias`, random(`${name}b`, channels)),
      b.initializer(`${name}.running_mean`, random(`${name}m`, channels)),
      b.initializer(`${name}.running_var`, positive(`${name}v`, channels)),
    ];
    return b.op("BatchNormalization", inputs, { epsilon: float(1e-3) }, name);
  }

  relu = (x: Value, name = "relu"): Value => this.b.op("Relu", [x], {}, name);

  pool(x: Value, name: string): Value {
    return this.b.op("MaxPool", [x], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) }, name);
  }

  linear(x: Value, name: string, [from, to]: readonly [number, number]): Value {
    const weight = this.b.initializer(`${name}.weight`, random(name, from, to));
    return this.b.add(this.b.matmul(x, weight), this.b.initializer(`${name}.bias`, random(`${name}b`, to)));
  }

  layerNorm(x: Value, name: string, channels: number): Value {
    const scale = this.b.initializer(`${name}.weight`, positive(`${name}w`, channels));
    const shift = this.b.initializer(`${name}.bias`, random(`${name}b`, channels));
    return this.b.op("LayerNormalization", [x, scale, shift], { axis: int(-1) }, name);
  }

  /** Averages a map and ends the backbone. */
  end(x: Value, width: number, batch: number | string = "n"): Graph {
    const flat = this.b.op("Flatten", [this.b.op("GlobalAveragePool", [x])], { axis: int(1) });
    return this.endWith(flat, width, batch);
  }

  endWith(vector: Value, width: number, batch: number | string = "n"): Graph {
    this.b.named("Identity", [vector], FEATURES);
    return this.b.build([{ name: FEATURES, dtype: "float32", shape: [batch, width] }]);
  }
}

/** A stem of convolution and pooling, then two residual stages, the second of half the resolution and twice the width. */
export function residualNetwork(): Graph {
  const l = new Layers();
  const block = (x: Value, name: string, [from, to]: readonly [number, number], stride: number): Value => {
    const first = l.relu(l.norm(l.conv(x, `${name}.conv1`, [from, to], { stride }), `${name}.bn1`, to));
    const second = l.norm(l.conv(first, `${name}.conv2`, [to, to]), `${name}.bn2`, to);
    const skip =
      from === to ? x : l.norm(l.conv(x, `${name}.skip`, [from, to], { kernel: 1, stride }), `${name}.bn3`, to);
    return l.relu(l.b.op("Add", [second, skip], {}, `${name}.add`), `${name}.out`);
  };
  const stem = l.pool(l.relu(l.norm(l.conv("image", "conv1", [3, 8]), "bn1", 8)), "pool");
  const one = block(block(stem, "layer1.0", [8, 8], 1), "layer1.1", [8, 8], 1);
  return l.end(block(block(one, "layer2.0", [8, 16], 2), "layer2.1", [16, 16], 1), 16);
}

/** Inverted residuals: narrow block outputs, wide insides, where the resolution drops inside of a block. */
export function invertedNetwork(): Graph {
  const l = new Layers();
  const swish = (x: Value): Value => l.b.mul(x, l.b.sigmoid(x));
  const block = (x: Value, name: string, [from, to]: readonly [number, number], stride: number): Value => {
    const wide = swish(l.norm(l.conv(x, `${name}.expand`, [from, 6 * from], { kernel: 1 }), `${name}.bn1`, 6 * from));
    const deep = l.conv(wide, `${name}.depthwise`, [6 * from, 6 * from], { stride, group: 6 * from });
    const narrow = l.norm(l.conv(swish(deep), `${name}.project`, [6 * from, to], { kernel: 1 }), `${name}.bn2`, to);
    return from === to
      ? l.b.op("Add", [narrow, x], {}, `${name}.out`)
      : l.b.op("Identity", [narrow], {}, `${name}.out`);
  };
  const stem = l.relu(l.conv("image", "stem", [3, 4], { stride: 2 }));
  const first = block(block(stem, "block0", [4, 6], 1), "block1", [6, 8], 2);
  const last = block(block(first, "block2", [8, 8], 1), "block3", [8, 12], 2);
  return l.end(l.relu(l.conv(last, "final", [12, 32], { kernel: 1 })), 32);
}

/** A vision transformer: patches, a class token, positions, and blocks of attention and MLP. */
export function transformer(blocks = 8, batch: number | string = "n"): Graph {
  const l = new Layers([batch, 3, 16, 16]);
  const { b } = l;
  const width = 6;
  const patches = b.op("Conv", ["image", b.initializer("patch.weight", random("patch", width, 3, 4, 4))], {
    strides: ints([4, 4]),
  });
  const tokens = b.transpose(b.reshape(patches, b.ints([0, width, 16])), [0, 2, 1]);
  const count = b.op("Slice", [b.op("Shape", ["image"]), b.ints([0]), b.ints([1])]);
  const sizes = b.op("Concat", [count, b.ints([1]), b.ints([width])], { axis: int(0) });
  const cls = b.op("Expand", [b.initializer("cls_token", random("cls", 1, 1, width)), sizes]);
  let x = b.add(
    b.op("Concat", [cls, tokens], { axis: int(1) }),
    b.initializer("pos_embed", random("pos", 1, 17, width)),
  );
  for (let i = 0; i < blocks; i++) {
    const name = `blocks.${i}`;
    const normed = l.layerNorm(x, `${name}.norm1`, width);
    const [q, k, v] = ["q", "k", "v"].map((part) => l.linear(normed, `${name}.${part}`, [width, width]));
    const scores = b.mul(b.matmul(q!, b.transpose(k!, [0, 2, 1])), b.scalar(1 / Math.sqrt(width)));
    const attended = b.matmul(b.op("Softmax", [scores], { axis: int(-1) }), v!);
    const sum = b.add(x, l.linear(attended, `${name}.proj`, [width, width]));
    const hidden = b.op("Relu", [l.linear(l.layerNorm(sum, `${name}.norm2`, width), `${name}.fc1`, [width, 12])]);
    x = b.op("Add", [sum, l.linear(hidden, `${name}.fc2`, [12, width])], {}, `${name}.out`);
  }
  const first = b.op(
    "Gather",
    [l.layerNorm(x, "norm", width), b.constant({ dtype: "int64", shape: [], data: new BigInt64Array(1) })],
    {
      axis: int(1),
    },
  );
  return l.endWith(first, width, batch);
}
