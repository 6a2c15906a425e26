/** Where a graph runs: the execution providers that can be asked for, and honest words when one is not there. */
import { RootstockError } from "../errors.ts";

/** Execution providers by ONNX Runtime's names, with what each needs. */
export const PROVIDERS = {
  cpu: "nothing besides the package",
  cuda: "Linux x64, an NVIDIA GPU with CUDA 12 and cuDNN 9, and the CUDA files of onnxruntime-node (`ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install.js`)",
  webgpu: "a GPU with a Vulkan, Metal or Direct3D 12 driver",
  coreml: "macOS",
  dml: "Windows with a DirectX 12 GPU",
} as const;

export type Provider = keyof typeof PROVIDERS;

/**
 * Checks a provider's name against the list and against what this build of ONNX Runtime offers.
 * @param offered names that the runtime lists, or undefined where it cannot tell.
 * @throws RootstockError BAD_CONFIG, naming the providers that can be chosen.
 */
export function checkProvider(name: string, offered: readonly string[] | undefined): Provider {
  if (!Object.hasOwn(PROVIDERS, name)) {
    throw new RootstockError(
      "BAD_CONFIG",
      `unknown provider "${name}". Choose one of: ${Object.keys(PROVIDERS).join(", ")}.`,
    );
  }
  const provider = name as Provider; // a key of PROVIDERS
  if (offered && !offered.includes(provider)) {
    const choice = offered.filter((other) => Object.hasOwn(PROVIDERS, other)).join(", ");
    throw new RootstockError(
      "BAD_CONFIG",
      `provider "${provider}" requires ${PROVIDERS[provider]}; this build of ONNX Runtime does not contain it. Choose one of: ${choice}.`,
    );
  }
  return provider;
}

/** The error for a provider that exists in the build but could not start on this machine. */
export function providerFailed(provider: Provider, cause: unknown, message: string): RootstockError {
  const line = message.split("\n")[0]!;
  const reason = line.length <= 200 ? line : `… ${line.slice(-200).replace(/^\S*\s+/, "")}`; // the end says why
  return new RootstockError(
    "RUNTIME",
    `provider "${provider}" could not start: ${reason}. It requires ${PROVIDERS[provider]}. Use provider cpu, or install what is missing.`,
    { cause },
  );
}
