/** Named tensors in a file, whatever its format: what every weights reader returns. */
import { listed, RootstockError } from "../errors.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The formats that are read. */
export type WeightsFormat = "safetensors" | "torch" | "keras";

/** What is known of a tensor before its data is read. */
export interface TensorInfo {
  /** The element type as stored; `read` widens bfloat16 to float32. */
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Size of the elements as stored, in bytes. */
  readonly bytes: number;
}

/** A layer of a Keras file and the names of its tensors, in the order in which Keras sets them. */
export interface LayerWeights {
  readonly name: string;
  readonly tensors: readonly string[];
}

/** Named tensors that are read from their file one at a time. */
export interface TensorSource {
  readonly format: WeightsFormat;
  /** The file, for messages. */
  readonly origin: string;
  /** In the order of the file. */
  readonly names: readonly string[];
  /** Free text that the file carries, such as safetensors' `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What a person should know: where in the file the tensors were found, what was left out. */
  readonly notes: readonly string[];
  /** The layers of a Keras file, in order; other formats have none. */
  readonly layers?: readonly LayerWeights[] | undefined;
  /** @throws RootstockError BAD_MODEL if there is no such tensor. */
  info(name: string): TensorInfo;
  /**
   * Reads one tensor into memory of its own. bfloat16 is widened to float32; other types stay as stored.
   * @throws RootstockError BAD_MODEL if there is no such tensor, or its bytes are damaged.
   */
  read(name: string): Tensor;
  /** Gives back the file. */
  close(): void;
}

/** One tensor of a source. */
export interface TensorEntry extends TensorInfo {
  read(): Tensor;
}

/** What a source is made of. */
export interface TensorSourceParts extends Pick<TensorSource, "format" | "origin" | "layers" | "close"> {
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata?: ReadonlyMap<string, string> | undefined;
  readonly notes?: readonly string[] | undefined;
}

/** Makes a source of its entries. @throws RootstockError BAD_MODEL if there are none. */
export function tensorSource(parts: TensorSourceParts): TensorSource {
  const { format, origin, entries, layers, close, metadata = new Map(), notes = [] } = parts;
  if (entries.size === 0) throw new RootstockError("BAD_MODEL", `${origin} holds no tensors.`);
  const entry = (name: string): TensorEntry => {
    const found = entries.get(name);
    if (found) return found;
    const have = listed([...entries.keys()]);
    throw new RootstockError("BAD_MODEL", `${origin} has no tensor "${name}". It has ${have}.`);
  };
  return {
    format,
    origin,
    names: [...entries.keys()],
    metadata,
    notes,
    layers,
    info: (name) => {
      const { dtype, shape, bytes } = entry(name);
      return { dtype, shape, bytes };
    },
    read: (name) => entry(name).read(),
    close,
  };
}
