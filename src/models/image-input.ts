/** The one picture-shaped input that a vision model must have. */
import { RootstockError } from "../errors.ts";
import { formatShape, type Graph, type Value } from "../graph/graph.ts";

/** Height, width and layout that a model's input declares; a size is undefined where it is symbolic. */
export interface InputShape {
  readonly height: number | undefined;
  readonly width: number | undefined;
  readonly layout: "NCHW" | "NHWC";
}

/** A graph's image input. */
export interface ImageInput extends InputShape {
  readonly name: Value;
  /** Number of images per run if the file fixes it, else undefined. */
  readonly batch: number | undefined;
}

/**
 * Finds the image input of a graph: float32, [n, 3, h, w] or [n, h, w, 3].
 * @throws RootstockError BAD_MODEL that lists what the graph has instead.
 */
export function imageInput(graph: Graph): ImageInput {
  const described = graph.inputs.map(({ name, dtype, shape }) => `"${name}" ${dtype} ${formatShape(shape)}`).join(", ");
  const [input] = graph.inputs;
  const shape = input?.shape;
  if (graph.inputs.length !== 1 || input?.dtype !== "float32" || shape?.length !== 4) {
    throw new RootstockError(
      "BAD_MODEL",
      `a vision model requires one float32 input [n, 3, h, w] or [n, h, w, 3], got ${described || "none"}.`,
    );
  }
  const size = (dim: number | string | undefined): number | undefined =>
    typeof dim === "number" && dim > 0 ? dim : undefined;
  const layout = shape[3] === 3 && shape[1] !== 3 ? "NHWC" : "NCHW";
  const [height, width, channels] = layout === "NHWC" ? [shape[1], shape[2], shape[3]] : [shape[2], shape[3], shape[1]];
  if (typeof channels === "number" && channels !== 3) {
    throw new RootstockError("BAD_MODEL", `a vision model requires 3 color channels, got ${described}.`);
  }
  return { name: input.name, batch: size(shape[0]), height: size(height), width: size(width), layout };
}
