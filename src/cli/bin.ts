#!/usr/bin/env node
/** The `rootstock` program: Ctrl-C or SIGTERM asks the command to stop, a second Ctrl-C ends the process at once. */
import { main } from "./main.ts";

/** What a process ends with that a signal has interrupted, 128 + its number, as shells have it. */
const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

const controller = new AbortController();
let interrupted: number = INTERRUPTED.SIGINT;
process.on("SIGINT", () => {
  if (controller.signal.aborted) process.exit(INTERRUPTED.SIGINT);
  controller.abort();
  process.stderr.write("\nstopping; press Ctrl-C again to stop at once\n");
});
// What ends processes may send it twice, to the process and to its group, as timeout(1) does: the second changes nothing.
process.on("SIGTERM", () => {
  if (controller.signal.aborted) return;
  interrupted = INTERRUPTED.SIGTERM;
  controller.abort();
  process.stderr.write("\nstopping\n");
});
for (const stream of [process.stdout, process.stderr]) {
  // The reader has seen enough, as in `rootstock … | head`: the work goes on, without telling.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
const code = await main(process.argv.slice(2), process, controller.signal);
process.exitCode = code === INTERRUPTED.SIGINT ? interrupted : code;
