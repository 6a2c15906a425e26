/** `rootstock cache`: shows what the feature cache holds, and clears it. */
import { z } from "zod";
import { clearCaches, listCaches } from "../../features/store.ts";
import { cacheFolder, cacheLimit } from "../../weights/cache-folder.ts";
import { UsageError } from "../arguments.ts";
import { command } from "../command.ts";
import { formatBytes, table } from "../output.ts";

const about = z.object({
  backbone: z.string(),
  preprocessing: z.object({ inputSize: z.tuple([z.number(), z.number()]) }),
});

export const cache = command({
  summary: "Show or clear the feature cache: the frozen network's output for images that were seen before.",
  usage: "cache [clear] [options]",
  options: {},
  examples: [
    ["rootstock cache", "where it is, how large, and what is in it"],
    ["rootstock cache clear", "delete it; the next training run computes its features anew"],
  ],
  async run({ positionals, output }) {
    const [action, ...more] = positionals;
    if (more.length > 0 || (action !== undefined && action !== "clear"))
      throw new UsageError(`cache takes "clear" or nothing, got ${positionals.join(" ")}.`);
    const folder = cacheFolder("features");
    if (action === "clear") {
      const freed = await clearCaches(folder);
      output.result(`cleared ${formatBytes(freed)} in ${folder}`);
      return { json: { folder, freed } };
    }
    const entries = await listCaches(folder);
    const maxBytes = cacheLimit();
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    output.result(
      `${folder}  ${formatBytes(bytes)} of at most ${formatBytes(maxBytes)}; the least recently used goes first`,
    );
    const rows = entries.map((entry) => {
      const known = about.safeParse(entry.about).data;
      const name = known ? `${known.backbone} at ${known.preprocessing.inputSize.join("x")}` : entry.folder;
      return [name, formatBytes(entry.bytes), new Date(entry.lastUsed).toISOString().slice(0, 16).replace("T", " ")];
    });
    for (const line of table([["backbone", "size", "last used"], ...rows])) output.result(`  ${line}`);
    return { json: { folder, bytes, maxBytes, entries } };
  },
});
