import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { chunksOf } from "../../src/weights/chunks.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function read(chunks: AsyncIterable<Uint8Array>): Promise<{ text: string; error: unknown }> {
  let text = "";
  try {
    for await (const chunk of chunks) text += Buffer.from(chunk).toString();
  } catch (error) {
    return { text, error };
  }
  return { text, error: undefined };
}

test("returns all chunks in order", async () => {
  const { text, error } = await read(chunksOf(Readable.from([Buffer.from("a"), Buffer.from("bc"), Buffer.from("d")])));
  expect([text, error]).toEqual(["abcd", undefined]);
});

test("returns what arrived before the stream broke, then its error", async () => {
  const broken = new Error("reset");
  const stream = new Readable({ read() {} });
  const chunks = chunksOf(stream);
  for (const part of ["a", "b", "c"]) stream.push(Buffer.from(part));
  await pause(20);
  stream.destroy(broken);
  await pause(20);
  expect(await read(chunks)).toEqual({ text: "abc", error: broken });
});

test("a stream that is closed without an end has no end", async () => {
  const stream = new Readable({ read() {} });
  const chunks = chunksOf(stream);
  stream.push(Buffer.from("a"));
  await pause(20);
  stream.destroy();
  expect(await read(chunks)).toEqual({
    text: "a",
    error: expect.objectContaining({ message: "the stream was closed" }),
  });
});

test("a slow reader makes the stream wait, and gets everything", async () => {
  const size = 100_000;
  let made = 0;
  const stream = new Readable({
    read() {
      this.push(made < 100 ? Buffer.alloc(size, made++) : null);
    },
  });
  const chunks = chunksOf(stream);
  await pause(100);
  expect(made * size).toBeLessThan(1.5e6);
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes < 5 * size) await pause(5);
  }
  expect(bytes).toBe(100 * size);
});

test("leaving the iteration destroys the stream", async () => {
  const stream = Readable.from([Buffer.from("a"), Buffer.from("b")]);
  for await (const _chunk of chunksOf(stream)) break;
  expect(stream.destroyed).toBe(true);
});
