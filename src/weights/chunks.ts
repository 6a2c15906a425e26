/** Reading a stream so that what arrived before it broke is not lost: a stream of Node.js drops its buffer then. */
import type { Readable } from "node:stream";

/** Bytes that are held for a slow reader before the stream has to wait. */
const MOST_HELD = 1 << 20;

/**
 * Reads a stream from this moment on and returns its chunks: all that arrived come before its error is thrown.
 * Leaving the iteration destroys the stream.
 */
export function chunksOf(stream: Readable): AsyncIterable<Uint8Array> {
  const queue: Uint8Array[] = [];
  let held = 0;
  let end: { readonly error?: unknown } | undefined;
  let wake = (): void => {};
  const finish = (how: { readonly error?: unknown }): void => {
    end ??= how;
    wake();
  };
  stream.on("data", (chunk: Uint8Array) => {
    queue.push(chunk);
    held += chunk.length;
    if (held > MOST_HELD) stream.pause();
    wake();
  });
  stream.on("end", () => finish({}));
  stream.on("error", (error) => finish({ error }));
  stream.on("close", () => finish({ error: new Error("the stream was closed") }));
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          const chunk = queue.shift();
          if (chunk) {
            held -= chunk.length;
            if (held <= MOST_HELD && stream.isPaused()) stream.resume();
            yield chunk;
          } else if (end) {
            if ("error" in end) throw end.error;
            return;
          } else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        stream.destroy();
      }
    },
  };
}
