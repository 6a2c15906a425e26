/** The forms of each value while a graph is lowered: which layouts it is there in, and moves between them. */
import { invariant } from "../../../errors.ts";
import { type Attributes, int, ints } from "../../../graph/attributes.ts";
import type { GraphBuilder } from "../../../graph/builder.ts";
import type { Graph, Value, ValueType } from "../../../graph/graph.ts";
import { BLOCKED_DOMAIN, type BlockedConv, blockedConv } from "./blocked-conv.ts";
import { Known, type Sizes } from "./known.ts";

/**
 * - `plain`: [n, c, h, w], ONNX's own.
 * - `blocked`: [n, c' / block, h, w, block], declared as [n, c', h, w]; c' is c rounded up to whole blocks. What the
 *   padding channels hold is finite and never read: the weights for them are zero, other readers cut them off.
 * - `channels-last`: [n, h, w, c].
 * - `channels-first`: [c, n, h, w].
 */
export type Layout = "plain" | "blocked" | "channels-last" | "channels-first";

export interface FormsOptions {
  readonly types: ReadonlyMap<Value, ValueType>;
  /** Channels per block. */
  readonly block: number;
  /** Graph inputs that are fed blocked. @default new Set() */
  readonly blocked?: ReadonlySet<Value> | undefined;
}

/** The values of a graph that is being rewritten into a builder. */
export class Forms {
  readonly b: GraphBuilder;
  /** Channels per block. */
  readonly block: number;
  /** What is known of the values of the graph. */
  readonly known: Known;
  readonly #forms = new Map<string, Value>();
  readonly #pending = new Map<Value, BlockedConv>();
  readonly #made = new Map<string, Value>();

  constructor(b: GraphBuilder, graph: Graph, { types, block, blocked = new Set() }: FormsOptions) {
    this.b = b;
    this.block = block;
    this.known = new Known(graph, types);
    for (const { name } of graph.inputs) this.set(name, blocked.has(name) ? "blocked" : "plain", name);
    for (const name of graph.initializers.keys()) this.set(name, "plain", name);
  }

  has(value: Value, layout: Layout): boolean {
    return this.#forms.has(`${layout} ${value}`);
  }

  /** Whether the value has its blocked form, or the promise of it. */
  isBlocked(value: Value): boolean {
    return this.#pending.has(value) || this.#forms.has(`blocked ${value}`);
  }

  /** Channels with those that fill the last block. */
  padded(channels: number): number {
    return Math.ceil(channels / this.block) * this.block;
  }

  set(value: Value, layout: Layout, form: Value): void {
    this.#forms.set(`${layout} ${value}`, form);
  }

  /** The value in a layout, moved there once if it is in another. */
  as(value: Value, layout: Layout): Value {
    this.#write(value);
    const known = this.#forms.get(`${layout} ${value}`);
    if (known !== undefined) return known;
    const form = this.#move(value, layout);
    this.set(value, layout, form);
    return form;
  }

  /** Promises the blocked form of a value: a convolution that later operators may still become part of. */
  promise(value: Value, conv: BlockedConv): void {
    this.#pending.set(value, conv);
  }

  /** The promised convolution, if its result has one reader alone. The caller writes it, as part of another value. */
  take(value: Value, isFit: (conv: BlockedConv) => boolean = () => true): BlockedConv | undefined {
    const conv = this.known.usedOnce(value) ? this.#pending.get(value) : undefined;
    if (!conv || !isFit(conv)) return undefined;
    this.#pending.delete(value);
    return conv;
  }

  /** Lets subgraphs and callers read a value by its own name. */
  pin(value: Value): void {
    if (!this.known.type(value) && !this.#forms.has(`plain ${value}`)) return; // of no node here
    const plain = this.as(value, "plain");
    if (plain === value) return;
    this.set(value, "plain", this.#named(value, "Identity", plain, {}));
  }

  /** What is made of a value once, such as packed weights. `kind` has no line break, so that keys differ. */
  once(kind: string, value: Value, make: () => Value): Value {
    const key = `${kind}\n${value}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(key, made);
    return made;
  }

  // --- short forms of operators --------------------------------------------------------------------------------------

  /** The elements in the same order with other sizes: no copy, except into a graph output. */
  reshape(form: Value, sizes: readonly number[]): Value {
    return this.b.reshape(form, this.b.ints(sizes));
  }

  /** [n, c, ...] to [n, c' / block, ..., block]; c' has zeros in the channels that fill the last block. */
  reorder(form: Value, channelsLast = false): Value {
    return this.b.custom(BLOCKED_DOMAIN, "ReorderInput", [form], channelsLast ? { channels_last: int(1) } : {});
  }

  /** The elements with so many zeros after the last one of each axis. */
  fill(form: Value, missing: readonly number[]): Value {
    if (missing.every((count) => count === 0)) return form;
    return this.b.op("Pad", [form, this.b.ints([...missing.map(() => 0), ...missing])]);
  }

  /** Elements [start, start + length) of some axes. */
  cut(form: Value, axes: readonly number[], lengths: readonly number[], starts = axes.map(() => 0)): Value {
    const { b } = this;
    const ends = lengths.map((length, i) => starts[i]! + length);
    return b.op("Slice", [form, b.ints(starts), b.ints(ends), b.ints(axes)]);
  }

  /** The blocked form with the rows and columns that a 1x1 window of these strides reads. */
  thinned(value: Value, strides: readonly number[]): Value {
    if (strides.every((stride) => stride === 1)) return this.as(value, "blocked");
    const attributes = { kernel_shape: ints([1, 1]), strides: ints(strides) };
    const blocked = this.as(value, "blocked");
    return this.once(`thinned ${strides}`, value, () =>
      this.b.custom(BLOCKED_DOMAIN, "MaxPool", [blocked], attributes),
    );
  }

  /** A blocked form of `channels` channels as [n, h, w, c]. */
  toChannelsLast(blocked: Value, channels: number): Value {
    const attributes = { channels: int(channels), channels_last: int(1) };
    return this.b.custom(BLOCKED_DOMAIN, "ReorderOutput", [blocked], attributes);
  }

  #move(value: Value, layout: Layout): Value {
    const blocked = this.#forms.get(`blocked ${value}`);
    switch (layout) {
      case "plain":
        return this.#toPlain(value, blocked);
      case "blocked":
        return this.#toBlocked(value);
      case "channels-last":
        if (blocked !== undefined) return this.toChannelsLast(blocked, this.#sizes(value)[1]);
        return this.b.transpose(this.as(value, "plain"), [0, 2, 3, 1]);
      case "channels-first":
        return this.b.transpose(this.as(value, "plain"), [1, 0, 2, 3]);
    }
  }

  #toBlocked(value: Value): Value {
    const [, channels, h, w] = this.#sizes(value);
    const single = h * w === 1;
    // ReorderInput fills the last block with zeros, but takes multiples of 4 channels alone.
    const missing = (single ? this.padded(channels) : Math.ceil(channels / 4) * 4) - channels;
    const last = this.#forms.get(`channels-last ${value}`);
    if (last !== undefined && !this.#forms.has(`plain ${value}`)) {
      const filled = this.fill(last, [0, 0, 0, missing]);
      return single ? this.reshape(filled, this.#withChannels(value)) : this.reorder(filled, true);
    }
    const filled = this.fill(this.as(value, "plain"), [0, missing, 0, 0]);
    return single ? filled : this.reorder(filled);
  }

  /** The plain form has the name that the value has in the graph. */
  #toPlain(value: Value, blocked: Value | undefined): Value {
    const [, channels, h, w] = this.#sizes(value);
    if (blocked === undefined) {
      const last = this.#forms.get(`channels-last ${value}`);
      invariant(last !== undefined, () => `"${value}" is read before it is made`);
      return this.#named(value, "Transpose", last, { perm: ints([0, 3, 1, 2]) });
    }
    if (h * w === 1 && channels % this.block === 0) return blocked;
    return this.#named(value, "ReorderOutput", blocked, { channels: int(channels) }, BLOCKED_DOMAIN);
  }

  /** Makes the plain form of a value that nothing makes any longer: names of the node and of the value are free. */
  #named(value: Value, op: string, form: Value, attributes: Attributes, domain = ""): Value {
    const name = this.known.producer(value)?.name;
    if (name === undefined) return this.b.custom(domain, op, [form], attributes); // an input, fed blocked
    this.b.node({ op, domain, name, inputs: [form], outputs: [value], attributes });
    return value;
  }

  #withChannels(value: Value): number[] {
    const [n, channels, h, w] = this.#sizes(value);
    return [n, this.padded(channels), h, w];
  }

  #sizes(value: Value): Sizes {
    const sizes = this.known.sizes(value);
    invariant(sizes, () => `"${value}" has no sizes to be blocked by`);
    return sizes;
  }

  #write(value: Value): void {
    const conv = this.#pending.get(value);
    if (!conv) return;
    this.#pending.delete(value);
    this.set(value, "blocked", blockedConv(this.b, conv));
  }
}
