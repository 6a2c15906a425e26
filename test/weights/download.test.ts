import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { partialPathOf } from "../../src/weights/partial.ts";
import { hexOf, someContent } from "./server.ts";
import { inTurn, status, trial } from "./trial.ts";

const DATE = "Wed, 21 Oct 2015 07:28:00 GMT";

test("downloads a file, with progress, and returns its size and sum", async () => {
  const { content, sha256 } = someContent();
  const { run, target, left } = await trial();
  const server = await inTurn(content, {});
  const seen: number[] = [];
  const done = await run(server, {}, { onProgress: ({ done, total }) => seen.push(done, total ?? -1) });
  expect(done).toEqual({ bytes: content.length, algorithm: "sha256", hex: sha256, expected: undefined });
  expect((await readFile(target)).equals(content)).toBe(true);
  expect(await left()).toEqual(["weights.bin"]);
  expect(seen.slice(-2)).toEqual([content.length, content.length]);
  expect(server.requests[0]!.headers).toMatchObject({ "accept-encoding": "identity" });
  expect(server.requests[0]!.headers).not.toHaveProperty("authorization");
});

describe("checksums", () => {
  const { content, sha256, md5 } = someContent();
  test.each([
    { kind: "sha256", value: sha256 },
    { kind: "sha256-prefix", value: sha256.slice(0, 8) },
    { kind: "md5", value: md5 },
  ] as const)("$kind is compared", async (hash) => {
    const { run, target, left } = await trial();
    await run(await inTurn(content, {}), { hash });
    expect((await readFile(target)).equals(content)).toBe(true);
    const wrong = { ...hash, value: hash.value.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) };
    const other = await trial();
    const failure = other.run(await inTurn(content, {}), { hash: wrong });
    await expect(failure).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    await expect(failure).rejects.toThrow(wrong.value);
    await expect(failure).rejects.toThrow(hash.kind === "md5" ? md5 : sha256);
    expect(await other.left()).toEqual([]);
    expect(await left()).toEqual(["weights.bin"]);
  });
});

describe("goes on where the connection broke", () => {
  test.each([
    ["a strong entity tag", { etag: '"v1"' }, '"v1"'],
    ["a weak entity tag and a date", { etag: 'W/"v1"', lastModified: DATE }, DATE],
    ["nothing to name the version", {}, undefined],
  ])("with %s", async (_what, version, ifRange) => {
    const { content, sha256 } = someContent();
    const { run, target, left, waits } = await trial();
    const server = await inTurn(content, { ...version, cutAfter: 100_000 }, version);
    await run(server, { hash: { kind: "sha256", value: sha256 } });
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(await left()).toEqual(["weights.bin"]);
    expect(server.requests).toHaveLength(2);
    const from = Number(/^bytes=(\d+)-$/.exec(server.requests[1]!.headers.range!)![1]);
    expect(from).toBeGreaterThan(0);
    expect(from).toBeLessThanOrEqual(100_000);
    expect(server.requests[1]!.headers["if-range"]).toBe(ifRange);
    expect(waits).toHaveLength(1);
  });

  test("after a stall", async () => {
    const { content } = someContent();
    const { run, target } = await trial();
    const server = await inTurn(content, { etag: '"a"', stallAfter: 50_000 }, { etag: '"a"' });
    await run(server, {}, { stallMs: 300 });
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(server.requests[1]!.headers.range).toBe("bytes=50000-");
  });

  test("in a later call", async () => {
    const { content } = someContent();
    const { run, target, left } = await trial();
    const broken = await inTurn(content, { etag: '"a"', cutAfter: 120_000 });
    await expect(run(broken, {}, { attempts: 1 })).rejects.toThrow(/0\.1 of 0\.3 MB, which are kept; run it again/);
    expect((await left()).sort()).toEqual([".partial-weights.bin", ".partial-weights.bin.json"]);
    const kept = (await readFile(partialPathOf(target))).length;
    // The same address: the second server takes the place of the first.
    const whole = await inTurn(content, { etag: '"a"' });
    const origin = JSON.parse(await readFile(`${partialPathOf(target)}.json`, "utf8"));
    const address = hexOf("sha256", Buffer.from(`${whole.url}/weights.bin`));
    await writeFile(`${partialPathOf(target)}.json`, JSON.stringify({ ...origin, address }));
    await run(whole);
    expect(whole.requests[0]!.headers.range).toBe(`bytes=${kept}-`);
    expect((await readFile(target)).equals(content)).toBe(true);
  });

  test("many times, as long as each attempt gets further", async () => {
    const { content, sha256 } = someContent(9_500_000);
    const { run, target, waits } = await trial();
    const server = await inTurn(content, { etag: '"a"', cutAfter: 1_200_000 });
    await run(server, { hash: { kind: "sha256", value: sha256 } }, { attempts: 2 });
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(server.requests.length).toBeGreaterThan(7);
    expect(Math.max(...waits)).toBeLessThan(1000);
  });
});

describe("waits and tries again", () => {
  test.each([500, 502, 503, 504, 429, 408])("on %d", async (code) => {
    const { content } = someContent(1000);
    const { run, target, waits } = await trial();
    await run(await inTurn(content, status(code), status(code), {}));
    expect((await readFile(target)).equals(content)).toBe(true);
    expect(waits).toHaveLength(2);
  });

  test("twice as long each time, differently in every process, the same for the same seed", async () => {
    const waitsOf = async (seed: string): Promise<number[]> => {
      const { run, waits } = await trial();
      await expect(run(await inTurn(new Uint8Array(1), status(503)), {}, { seed })).rejects.toThrow("503 5 times");
      return waits;
    };
    const first = await waitsOf("a");
    expect(first).toHaveLength(4);
    for (const [i, ms] of first.entries()) {
      expect(ms).toBeGreaterThanOrEqual(250 * 2 ** i);
      expect(ms).toBeLessThanOrEqual(500 * 2 ** i);
    }
    expect(await waitsOf("a")).toEqual(first);
    expect(await waitsOf("b")).not.toEqual(first);
  });

  test("as long as the server asks, but not for hours", async () => {
    const { content } = someContent(1000);
    const { run, waits } = await trial();
    const date = { date: "Wed, 21 Oct 2015 07:28:00 GMT", "retry-after": "Wed, 21 Oct 2015 07:28:20 GMT" };
    const turns = [status(503, { "retry-after": "7" }), status(503, date), status(429, { "retry-after": "86400" }), {}];
    await run(await inTurn(content, ...turns));
    expect(waits).toEqual([7000, 20_000, 60_000]);
  });

  test("until nobody answers", async () => {
    const { run, left } = await trial();
    const server = await inTurn(new Uint8Array(1), {});
    await server.stop();
    await expect(run(server)).rejects.toMatchObject({
      code: "DOWNLOAD",
      message: expect.stringContaining("refused the connection 5 times. It stopped before the first byte"),
    });
    expect(await left()).toEqual([]);
  });
});

describe("does not try again", () => {
  test.each([
    [404, "no such file"],
    [410, "no such file"],
    [401, "pass its path"],
    [403, "pass its path"],
    [418, "answered 418"],
    [416, "answered 416"],
  ])("on %d", async (code, message) => {
    const { run, waits } = await trial();
    const server = await inTurn(new Uint8Array(1), status(code));
    await expect(run(server)).rejects.toMatchObject({ code: "DOWNLOAD", message: expect.stringContaining(message) });
    expect(server.requests).toHaveLength(1);
    expect(waits).toEqual([]);
  });
});

test("Ctrl-C keeps what has arrived, and the next call goes on from there", async () => {
  const { content } = someContent(1_000_000);
  const { run, target, left } = await trial();
  const server = await inTurn(content, { etag: '"a"', stallAfter: 600_000 }, { etag: '"a"' });
  const controller = new AbortController();
  const stopped = run(
    server,
    {},
    {
      signal: controller.signal,
      onProgress: ({ done }) => done >= 600_000 && controller.abort(),
    },
  );
  await expect(stopped).rejects.toMatchObject({
    code: "ABORTED",
    message: expect.stringContaining("stopped at 0.6 of 1.0 MB, which are kept"),
  });
  expect(await left()).not.toContain("weights.bin");
  await run(server);
  expect(server.requests[1]!.headers.range).toBe("bytes=600000-");
  expect((await readFile(target)).equals(content)).toBe(true);
});

test("Ctrl-C ends a wait between attempts", async () => {
  const { run } = await trial();
  const controller = new AbortController();
  const server = await inTurn(new Uint8Array(1), status(503, { "retry-after": "50" }));
  const stopped = run(server, {}, { signal: controller.signal, sleep: undefined });
  setTimeout(() => controller.abort(), 100);
  await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
});
