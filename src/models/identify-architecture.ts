/** Finds which architecture a weights file is of, from the names and shapes of its tensors. */
import { listed, RootstockError } from "../errors.ts";
import { nearest } from "../graph/nearest.ts";
import type { TensorSource } from "../weights/tensor-source.ts";
import type { Architecture } from "./architectures/architecture.ts";
import { KERAS_NETWORKS } from "./architectures/keras-names.ts";
import type { Network } from "./architectures/network.ts";
import { ARCHITECTURES } from "./architectures/table.ts";
import { isBookkeeping, namedTensors } from "./named-tensors.ts";

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
  /** Tensors of the file that it has no use for. */
  readonly unused: number;
}

/**
 * The architecture all of whose parameters the file has, the classifier's aside; of several the one that leaves the
 * fewest tensors over.
 * @throws RootstockError BAD_MODEL if there is none, or no single one: the nearest are named.
 */
export function identifyArchitecture(source: TensorSource): Architecture {
  const all: readonly Architecture[] = Object.values(ARCHITECTURES);
  const candidates = all
    .filter(({ name }) => source.format !== "keras" || Object.hasOwn(KERAS_NETWORKS, name))
    .map((architecture) => compare(architecture, source))
    .sort((a, b) => b.share - a.share || a.unused - b.unused);
  const whole = candidates.filter(({ share }) => share === 1);
  const [first, second] = whole;
  if (first && second?.unused !== first.unused) return first.architecture;
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

function compare(architecture: Architecture, source: TensorSource): Candidate {
  const network = architecture.build();
  const { tensors } = namedTensors(network, source);
  const { parameters, classifier } = network;
  const body = parameters.filter(({ name }) => name !== classifier.weight && name !== classifier.bias);
  const same = body.filter(({ name, shape }) => String(tensors.get(name)?.shape) === String(shape));
  return { architecture, share: same.length / body.length, unused: unusedBy(network, [...tensors.keys()]) };
}

function unusedBy({ parameters }: Network, names: readonly string[]): number {
  const own = new Set(parameters.map(({ name }) => name));
  return names.filter((name) => !own.has(name) && !isBookkeeping(name)).length;
}
