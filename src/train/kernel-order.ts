/** Weights between the order of files, [m, c, ...kernel], and the one in which some are trained, [m, ...kernel, c]. */
import type { Value } from "../graph/graph.ts";
import type { Parameters } from "../models/head.ts";
import { float32, type Tensor } from "../tensor/tensor.ts";

/** Copies of the parameters as a training graph takes them. */
export function inTrainingOrder(parameters: Parameters, tapsOutside: ReadonlySet<Value>): Parameters {
  return copies(parameters, tapsOutside, ({ shape: [m, c, kh, kw], data }) =>
    float32([m!, kh!, kw!, c!], swapped(data, m!, c!, kh! * kw!)),
  );
}

/** Copies of the parameters as files have them. */
export function inFileOrder(parameters: Parameters, tapsOutside: ReadonlySet<Value>): Parameters {
  return copies(parameters, tapsOutside, ({ shape: [m, kh, kw, c], data }) =>
    float32([m!, c!, kh!, kw!], swapped(data, m!, kh! * kw!, c!)),
  );
}

function copies(
  parameters: Parameters,
  tapsOutside: ReadonlySet<Value>,
  swap: (parameter: Tensor<"float32">) => Tensor<"float32">,
): Parameters {
  return new Map(
    [...parameters].map(([name, parameter]) => [
      name,
      tapsOutside.has(name) ? swap(parameter) : float32(parameter.shape, parameter.data.slice()),
    ]),
  );
}

/** [m, rows, columns] as [m, columns, rows]. */
function swapped(values: Float32Array, m: number, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  const size = rows * columns;
  for (let start = 0; start < m * size; start += size)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        result[start + column * rows + row] = values[start + row * columns + column]!;
  return result;
}
