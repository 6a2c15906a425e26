import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { int } from "../../src/graph/attributes.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { checkProvider } from "../../src/runtime/providers.ts";
import { runtimeVersion, Session, type SessionOptions, supportedProviders } from "../../src/runtime/session.ts";
import { float32, int64, scalar, tensor, toNumbers, zeros } from "../../src/tensor/tensor.ts";
import { temporaryFolder } from "../data/made.ts";

/** y = x w + c and top = ArgMax y, with x [n, 3]. */
function product(): Graph {
  const b = new GraphBuilder("product");
  b.input({ name: "x", dtype: "float32", shape: ["n", 3] });
  const w = b.constant(float32([3, 2], [1, 0, 0, 1, 2, 2]));
  const y = b.named("Add", [b.matmul("x", w), b.scalar(10)], "y");
  b.named("ArgMax", [y], "top", { axis: int(1), keepdims: int(0) });
  return b.build([
    { name: "y", dtype: "float32", shape: ["n", 2] },
    { name: "top", dtype: "int64", shape: ["n"] },
  ]);
}

/** A graph of one node that ONNX Runtime is to refuse. */
function single(op: string, { domain = "", name = op.toLowerCase() } = {}): Graph {
  const b = new GraphBuilder("single");
  b.input({ name: "x", dtype: "float32", shape: ["n", 3] });
  const y = b.op(op, ["x"], {}, name);
  const graph = b.build([{ name: y, dtype: "float32" }]);
  const opsets = new Map([...graph.opsets, ...(domain ? [[domain, 1] as const] : [])]);
  return { ...graph, opsets, nodes: graph.nodes.map((node) => ({ ...node, domain })) };
}

async function failure(promise: Promise<unknown>): Promise<{ code: string; message: string; cause: unknown }> {
  try {
    await promise;
  } catch (error) {
    expect(error).toMatchObject({ name: "RootstockError" });
    return error as { code: string; message: string; cause: unknown };
  }
  throw new Error("did not fail");
}

const x = float32([2, 3], [1, 2, 3, 4, 5, 6]);

describe("a session", () => {
  test("computes all outputs, with their types and shapes", async () => {
    await using session = await Session.create(product());
    const out = await session.run({ x });
    expect(out).toEqual({ y: float32([2, 2], [17, 18, 26, 27]), top: tensor("int64", [2], BigInt64Array.of(1n, 1n)) });
  });

  test("computes only the outputs that are asked for", async () => {
    await using session = await Session.create(product());
    expect(Object.keys(await session.run({ x }, ["top"]))).toEqual(["top"]);
  });

  test("gives the same numbers with any optimization and number of threads", async () => {
    for (const options of [{}, { threads: 1 }, { threads: 3 }, { optimization: "none" }] satisfies SessionOptions[]) {
      await using session = await Session.create(product(), options);
      expect(toNumbers((await session.run({ x }))["y"]!)).toEqual([17, 18, 26, 27]);
    }
  });

  test("runs with any size of a symbolic dimension, zero included", async () => {
    await using session = await Session.create(product());
    for (const n of [1, 5, 0]) expect((await session.run({ x: zeros("float32", [n, 3]) }))["y"]!.shape).toEqual([n, 2]);
  });

  test("leaves its inputs as they are and returns new tensors for every run", async () => {
    await using session = await Session.create(product());
    const feed = float32([1, 3], [1, 2, 3]);
    const first = await session.run({ x: feed });
    const second = await session.run({ x: float32([1, 3], [0, 0, 0]) });
    expect(feed).toEqual(float32([1, 3], [1, 2, 3]));
    expect(toNumbers(first["y"]!)).toEqual([17, 18]);
    expect(toNumbers(second["y"]!)).toEqual([10, 10]);
  });

  test("passes scalars, float64, bool and int64 through", async () => {
    const b = new GraphBuilder("types");
    const types = { s: "float32", d: "float64", f: "bool", i: "int64" } as const;
    const outputs = Object.entries(types).map(([name, dtype]) => {
      b.input({ name, dtype, shape: name === "s" ? [] : [2] });
      return { name: b.op("Identity", [name], {}, `${name}.out`), dtype };
    });
    await using session = await Session.create(b.build(outputs));
    const feeds = {
      s: scalar("float32", 2.5),
      d: tensor("float64", [2], Float64Array.of(1 / 3, Number.NaN)),
      f: tensor("bool", [2], Uint8Array.of(1, 0)),
      i: int64([2 ** 53, -1]),
    };
    const out = await session.run(feeds);
    for (const [name, wanted] of Object.entries(feeds)) expect(out[`${name}.out`]).toEqual(wanted);
  });
});

describe("a feed that does not fit", () => {
  const refused = async (feeds: Record<string, ReturnType<typeof float32>>): Promise<string> => {
    await using session = await Session.create(product());
    const error = await failure(session.run(feeds));
    expect(error.code).toBe("SHAPE_MISMATCH");
    return error.message;
  };

  test("of another type is named with both types", async () => {
    const doubles = tensor("float64", [1, 3], new Float64Array(3)) as unknown as ReturnType<typeof float32>;
    expect(await refused({ x: doubles })).toBe('input "x" requires float32 [n, 3], got float64 [1, 3].');
  });

  test("of another size is named with both shapes", async () => {
    expect(await refused({ x: zeros("float32", [1, 4]) })).toBe(
      'input "x" requires float32 [n, 3], got float32 [1, 4].',
    );
  });

  test("of another rank is named with both shapes", async () => {
    expect(await refused({ x: zeros("float32", [3]) })).toBe('input "x" requires float32 [n, 3], got float32 [3].');
    expect(await refused({ x: zeros("float32", [1, 3, 1]) })).toContain("got float32 [1, 3, 1].");
  });

  test("that is missing is named with what the graph requires", async () => {
    expect(await refused({})).toBe('missing input "x". The graph requires "x" float32 [n, 3].');
  });

  test("that is unknown is named with what the graph requires", async () => {
    expect(await refused({ x, extra: x })).toBe('"extra" is not an input. The graph requires "x" float32 [n, 3].');
  });
});

describe("a graph that cannot be prepared", () => {
  test("names an operator that ONNX does not have, and its node", async () => {
    const error = await failure(Session.create(single("Frobnicate", { name: "layer1/frob" })));
    expect(error.code).toBe("UNSUPPORTED_OP");
    expect(error.message).toBe(
      `ONNX Runtime ${runtimeVersion()} does not know operator Frobnicate (opset 18): Frobnicate "layer1/frob". ` +
        "Export the model with standard operators, or cut it before this node.",
    );
    expect(error.cause).toBeInstanceOf(Error);
  });

  test("names an operator of a newer opset", async () => {
    const error = await failure(Session.create(single("Gelu")));
    expect(error).toMatchObject({
      code: "UNSUPPORTED_OP",
      message: expect.stringContaining('(opset 18): Gelu "gelu"'),
    });
  });

  test("names an operator of a domain that is not there", async () => {
    const error = await failure(Session.create(single("FlashAttention", { domain: "com.acme" })));
    expect(error.code).toBe("UNSUPPORTED_OP");
    expect(error.message).toContain(
      'does not know operator FlashAttention (opset 18): com.acme.FlashAttention "flashatt',
    );
  });

  test.each(["product", "block 1/product"])('names the node "%s" whose shapes cannot go together', async (name) => {
    const b = new GraphBuilder("bad");
    b.input({ name: "x", dtype: "float32", shape: [2, 3] });
    const y = b.op("MatMul", ["x", b.constant(zeros("float32", [4, 2]))], {}, name);
    const error = await failure(Session.create(b.build([{ name: y, dtype: "float32" }])));
    expect(error.code).toBe("RUNTIME");
    expect(error.message).toMatch(new RegExp(`^ONNX Runtime refused the graph "bad" at MatMul "${name}": .*dimension`));
    expect(error.message).not.toContain("/onnxruntime_src");
  });
});

describe("a run that fails", () => {
  test.each(["all", "none"] as const)("names the node and the shapes, with optimization %s", async (optimization) => {
    const b = new GraphBuilder("reshaping");
    b.input({ name: "x", dtype: "float32", shape: ["n", 3] });
    const y = b.op("Reshape", ["x", b.ints([2, 3])], {}, "to two rows");
    const graph = b.build([{ name: y, dtype: "float32", shape: [2, 3] }]);
    await using session = await Session.create(graph, { optimization });
    const error = await failure(session.run({ x: zeros("float32", [5, 3]) }));
    expect(error.code).toBe("RUNTIME");
    expect(error.message).toMatch(/^running "reshaping" failed at Reshape "to two rows": .*\{5,3\}.*\{2,3\}\.$/);
    expect(error.cause).toBeInstanceOf(Error);
    expect(await session.run({ x })).toEqual({ [y]: x }); // the session still works
  });

  test("names an output that does not exist", async () => {
    await using session = await Session.create(product());
    const error = await failure(session.run({ x }, ["nothing"]));
    expect(error).toMatchObject({ code: "RUNTIME", message: expect.stringContaining("nothing") });
  });
});

describe("release", () => {
  test("ends the session, and a second time does nothing", async () => {
    const session = await Session.create(product());
    await session.release();
    await session.release();
    expect(await failure(session.run({ x }))).toMatchObject({
      code: "RUNTIME",
      message: 'the session of "product" was released; create another one.',
    });
  });

  test("is what `await using` does at the end of the block", async () => {
    let kept: Session;
    {
      await using session = await Session.create(product());
      kept = session;
      expect((await session.run({ x }))["y"]!.shape).toEqual([2, 2]);
    }
    expect(await failure(kept.run({ x }))).toMatchObject({ code: "RUNTIME" });
  });

  test("gives the memory back: thirty models of 20 MB do not add up", async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void; // exists since the flag was set
    const b = new GraphBuilder("large");
    b.input({ name: "x", dtype: "float32", shape: ["n", 2000] });
    const weight = b.constant({ dtype: "float32", shape: [2000, 2500], data: new Float32Array(5e6).fill(0.5) });
    const graph = b.build([{ name: b.matmul("x", weight), dtype: "float32" }]);
    const kept: Session[] = []; // so that nothing is freed by collecting the objects alone
    const once = async (): Promise<number> => {
      await using session = await Session.create(graph, { threads: 1 });
      kept.push(session);
      const [output] = graph.outputs;
      const y = (await session.run({ x: tensor("float32", [1, 2000], new Float32Array(2000).fill(1)) }))[output!.name]!;
      return Number(y.data[2499]);
    };
    const resident = (): number => {
      gc();
      return process.memoryUsage().rss / 1e6;
    };
    for (let i = 0; i < 10; i++) expect(await once()).toBe(1000); // the allocator keeps some of the first ones
    const before = resident();
    for (let i = 0; i < 30; i++) await once();
    expect(resident() - before).toBeLessThan(200); // 30 leaked copies of the weights would be 600 MB
  });
});

describe("providers", () => {
  test("of this build contain cpu", () => {
    expect(supportedProviders()).toContain("cpu");
  });

  test("that do not exist are refused before anything is loaded", async () => {
    const options = { provider: "gpu" } as unknown as SessionOptions; // a caller without types
    expect(await failure(Session.create(product(), options))).toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining("Choose one of: cpu,"),
    });
  });

  test("of another operating system are not in the build", async () => {
    const provider = process.platform === "win32" ? "coreml" : "dml";
    expect(await failure(Session.create(product(), { provider }))).toMatchObject({
      code: "BAD_CONFIG",
      message: expect.stringContaining("this build of ONNX Runtime does not contain it. Choose one of: cpu"),
    });
  });

  test("cuda runs the graph, or says what it requires and names the way out", async () => {
    const attempt = Session.create(product(), { provider: "cuda" });
    const session = await attempt.catch(() => undefined);
    if (session) {
      expect(toNumbers((await session.run({ x }))["y"]!)).toEqual([17, 18, 26, 27]);
      return await session.release();
    }
    const error = await failure(attempt);
    const inBuild = supportedProviders()!.includes("cuda");
    expect(error.code).toBe(inBuild ? "RUNTIME" : "BAD_CONFIG");
    expect(error.message).toMatch(inBuild ? /^provider "cuda" could not start: / : /does not contain it/);
    expect(error.message).toContain("an NVIDIA GPU with CUDA 12 and cuDNN 9");
    expect(error.message).toMatch(/Use provider cpu|Choose one of: cpu/);
  });

  test("are checked against what supportedProviders lists", () => {
    expect(checkProvider("cpu", supportedProviders())).toBe("cpu");
  });
});

test("runtimeVersion is the version of ONNX Runtime", () => {
  expect(runtimeVersion()).toMatch(/^\d+\.\d+\.\d+/);
});

test("the runtime leaves no identifier of the device behind", async () => {
  const home = await temporaryFolder();
  const program = `
    import { GraphBuilder, Session } from "./dist/autodiff.js";
    const b = new GraphBuilder("quiet");
    b.input({ name: "x", dtype: "float32", shape: [1] });
    const session = await Session.create(b.build([{ name: b.op("Relu", ["x"]), dtype: "float32" }]));
    await session.release();
    console.log(process.env.ORT_DISABLE_TELEMETRY);
  `;
  const run = (more: Record<string, string>) =>
    promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], {
      env: { PATH: process.env["PATH"] ?? "", HOME: home, XDG_CACHE_HOME: join(home, "cache"), ...more },
    });
  expect((await run({})).stdout.trim()).toBe("1");
  expect(await readdir(home)).toEqual([]);
  expect((await run({ ORT_DISABLE_TELEMETRY: "true" })).stdout.trim()).toBe("true"); // what the user set stays
});
