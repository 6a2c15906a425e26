/** A folder to download into, and servers that answer each request in another way. */
import { readdir } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { type DownloadOptions, download } from "../../src/weights/download.ts";
import type { WeightsFile } from "../../src/weights/weights-file.ts";
import { temporaryFolder } from "../data/made.ts";
import { answer, type Served, serve, type TestServer } from "./server.ts";

export interface Trial {
  readonly folder: string;
  readonly target: string;
  /** Milliseconds of every wait between attempts. */
  readonly waits: number[];
  run(server: TestServer, record?: Partial<WeightsFile>, options?: DownloadOptions): ReturnType<typeof download>;
  /** Names in the folder. */
  left(): Promise<string[]>;
}

/** A folder to download into; waits between attempts are noted, and over at once. */
export async function trial(): Promise<Trial> {
  const folder = await temporaryFolder();
  const target = join(folder, "weights.bin");
  const waits: number[] = [];
  return {
    folder,
    target,
    waits,
    run: (server, record, options) =>
      download({ url: `${server.url}/weights.bin`, file: "weights.bin", ...record }, target, {
        environment: {},
        stallMs: 2000,
        sleep: async (ms) => void waits.push(ms),
        ...options,
      }),
    left: () => readdir(folder),
  };
}

/** A server that serves each request by its own rule, the last rule for all further ones. */
export function inTurn(
  content: Uint8Array,
  ...rules: (Served | ((response: ServerResponse) => void))[]
): Promise<TestServer> {
  let count = 0;
  return serve((request, response) => {
    const rule = rules[Math.min(count++, rules.length - 1)]!;
    if (typeof rule === "function") rule(response);
    else answer(request, response, content, rule);
  });
}

/** A rule that answers with a status alone. */
export const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void =>
    void response.writeHead(code, headers).end("no");
