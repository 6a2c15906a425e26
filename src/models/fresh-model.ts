/** A model without pretraining: an architecture with weights drawn as its source draws them. */

import { initialize } from "./architectures/initializers.ts";
import { withWeights } from "./architectures/network.ts";
import { findArchitecture } from "./identify-architecture.ts";
import { imageInput } from "./image-input.ts";
import { Model } from "./model.ts";
import { namedPreprocessing } from "./preprocessing.ts";

export interface FreshModelOptions {
  /** [height, width] in pixels. @default the architecture's own */
  readonly imageSize?: readonly [number, number] | undefined;
  /** Decides the weights, a whole number. @default 0 */
  readonly seed?: number | undefined;
}

/**
 * A model to train from scratch: an architecture by its name, with fresh weights and ImageNet's preprocessing.
 * @throws RootstockError BAD_CONFIG if there is no such architecture, or it cannot have this size.
 */
export function freshModel(name: string, { imageSize, seed = 0 }: FreshModelOptions = {}): Model {
  const architecture = findArchitecture(name);
  const network = architecture.build({ inputSize: imageSize });
  const graph = withWeights(network, initialize(network.parameters, seed));
  return new Model({
    name: architecture.name,
    graph,
    metadata: new Map([["architecture", architecture.name]]),
    preprocessing: namedPreprocessing("imagenet", imageInput(graph)),
    preprocessingSource: "the choice for fresh weights: imagenet",
    labels: undefined,
  });
}
