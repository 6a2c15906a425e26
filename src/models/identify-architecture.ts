/** Finds which architecture a weights file is of, from the names and shapes of its tensors. */
import { listed, RootstockError } from "../errors.ts";
import { nearest } from "../graph/nearest.ts";
import type { TensorSource } from "../weights/tensor-source.ts";
import type { Architecture } from "./architectures/architecture.ts";
import { KERAS_NETWORKS } from "./architectures/keras-names.ts";
import { ARCHITECTURES } from "./architectures/table.ts";
import { isOfHead, namedTensors, unusedTensors } from "./named-tensors.ts";

/** The architecture of that name. @throws RootstockError BAD_CONFIG with the nearest names if there is none. */
export function findArchitecture(name: string): Architecture {
  if (Object.hasOwn(ARCHITECTURES, name)) return ARCHITECTURES[name as keyof typeof ARCHITECTURES]; // just asked
  const near = nearest(name, Object.keys(ARCHITECTURES));
  const hint =
    near.length > 0 ? `Did you mean ${listed(near)}?` : `Known are ${listed(Object.keys(ARCHITECTURES), 80)}.`;
  throw new RootstockError("BAD_CONFIG", `there is no architecture "${name}". ${hint}`);
}

interface Candidate {
  readonly architecture: Architecture;
  /** Share of its parameters, without the classifier's, that the file has in the same shape. */
  readonly share: number;
  /** How many of the file's tensors it has no use for. */
  readonly unused: number;
  /** Those of them that are weights of layers, a classifier's aside: another network's. */
  readonly foreign: readonly string[];
}

/** Networks with the names and shapes of others and another arithmetic, by how files of them are called. */
const LOOKALIKES: readonly (readonly [name: RegExp, difference: string])[] = [
  [/(^|[^a-z])tf_(efficientnet|mobilenet)/i, "TensorFlow's padding and another epsilon"],
  [/resnet(aa|blur)\d|_(aa|blur)\d/i, "pooling against aliasing"],
];

/**
 * The architecture all of whose parameters the file has, the classifier's aside; of several the one that leaves the
 * fewest tensors over. Names and shapes are no proof: a network may differ in what it computes with them.
 * @throws RootstockError BAD_MODEL if there is none, or no single one, or if the file has weights beyond it or the name of
 * a network that computes something else.
 */
export function identifyArchitecture(source: TensorSource): Architecture {
  const all: readonly Architecture[] = Object.values(ARCHITECTURES);
  const candidates = all
    .filter(({ name }) => source.format !== "keras" || Object.hasOwn(KERAS_NETWORKS, name))
    .map((architecture) => compare(architecture, source))
    .sort((a, b) => b.share - a.share || a.unused - b.unused);
  const whole = candidates.filter(({ share }) => share === 1);
  const [first, second] = whole;
  if (first && second?.unused !== first.unused) return checked(first, source);
  if (first) {
    const names = whole.filter(({ unused }) => unused === first.unused).map(({ architecture }) => architecture.name);
    throw new RootstockError(
      "BAD_MODEL",
      `${source.origin} fits ${listed(names)} alike. Say which it is of (--architecture).`,
    );
  }
  const near = candidates
    .filter(({ share }) => share > 0)
    .slice(0, 3)
    .map(({ architecture, share }) => `${architecture.name} (${Math.floor(100 * share)} % of its parameters)`);
  const most = near.length > 0 ? ` The most alike are ${near.join(", ")}.` : "";
  const advice =
    source.format === "keras"
      ? "Save the whole model instead (model.save, to .keras or .h5): files of save_weights say nothing of the layers, those of Keras 3 not even their names."
      : "Export the whole model to ONNX, or name the architecture (--architecture) to see what does not fit.";
  throw new RootstockError(
    "BAD_MODEL",
    `${source.origin} holds the weights of no architecture that is known here.${most} ${advice}`,
  );
}

/** The architecture of a candidate that has every parameter, unless the file says that it is of another network. */
function checked({ architecture, foreign }: Candidate, { origin }: TensorSource): Architecture {
  const anyway = `If it is ${architecture.name} all the same, say so (--architecture ${architecture.name}).`;
  if (foreign.length > 0) {
    throw new RootstockError(
      "BAD_MODEL",
      `${origin} has all parameters of ${architecture.name} and ${foreign.length} weights more (${listed(foreign)}): it is of another network. Export it to ONNX. ${anyway}`,
    );
  }
  const file = origin.split(/[\\/]/).at(-1)!;
  const alike = LOOKALIKES.find(([name]) => name.test(file));
  if (alike) {
    throw new RootstockError(
      "BAD_MODEL",
      `${origin} has the parameters of ${architecture.name} and the name of a network that differs from it by ${alike[1]}. Export it to ONNX. ${anyway}`,
    );
  }
  return architecture;
}

function compare(architecture: Architecture, source: TensorSource): Candidate {
  const network = architecture.build();
  const { tensors } = namedTensors(network, source);
  const { parameters, classifier } = network;
  const body = parameters.filter(({ name }) => name !== classifier.weight && name !== classifier.bias);
  const same = body.filter(({ name, shape }) => String(tensors.get(name)?.shape) === String(shape));
  const unused = unusedTensors(network, tensors);
  const foreign = unused.filter(([name, { shape }]) => shape.length > 1 && !isOfHead(name));
  return {
    architecture,
    share: same.length / body.length,
    unused: unused.length,
    foreign: foreign.map(([name]) => name),
  };
}
