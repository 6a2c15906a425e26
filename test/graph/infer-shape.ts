/** Shape inference of one expression, for tests. */
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Shape, Value } from "../../src/graph/graph.ts";
import { inferTypes } from "../../src/graph/infer-types.ts";

/** Infers the shape of the value that `build` makes from inputs of the given shapes. */
export function shapeOf(shapes: Readonly<Record<string, Shape>>, build: (b: GraphBuilder) => Value): Shape | undefined {
  const b = new GraphBuilder("test");
  for (const [name, shape] of Object.entries(shapes)) b.input({ name, dtype: "float32", shape });
  const y = build(b);
  return inferTypes(b.build([])).get(y)?.shape;
}
