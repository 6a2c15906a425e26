#!/usr/bin/env node
/** The `rootstock` program: Ctrl-C asks the command to stop, a second one ends the process at once. */
import { main } from "./main.ts";

const controller = new AbortController();
process.on("SIGINT", () => {
  if (controller.signal.aborted) process.exit(130);
  controller.abort();
  process.stderr.write("\nstopping; press Ctrl-C again to stop at once\n");
});
for (const stream of [process.stdout, process.stderr]) {
  // The reader has seen enough, as in `rootstock … | head`: the work goes on, without telling.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
process.exitCode = await main(process.argv.slice(2), process, controller.signal);
