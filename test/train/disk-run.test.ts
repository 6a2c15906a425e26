/** Training on disks that become full, or may no longer be written, with the real program. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { temporaryFolder } from "../data/made.ts";
import { writeColorImages, writeTinyModel } from "../models/tiny.ts";
import { rootstock } from "./checkpoints/kill.ts";
import { noDisk, programOnDisk } from "./checkpoints/mounts.ts";
import { written } from "./killed-run.ts";

const DRIVER = fileURLToPath(new URL("disk-run.mjs", import.meta.url));

interface Told {
  readonly what: string;
  readonly code?: number;
  readonly error?: { readonly code: string; readonly message: string };
  readonly stderr?: string;
  readonly names?: readonly string[];
  readonly latest?: string;
  readonly skipped?: readonly unknown[];
}

const withDisk = test.skipIf(noDisk);
const note = noDisk ? ` (skipped: ${noDisk})` : "";

withDisk.each<readonly [string, "fill" | "lock", RegExp, Partial<Told["error"]>]>([
  ["becomes full", "fill", /ENOSPC: no space left on device/, { code: "CANNOT_WRITE" }],
  ["may no longer be written", "lock", /EROFS: read-only file system/, { code: "BAD_CONFIG" }],
])(
  `a disk that %s ends training with a clear error; its state is whole, and goes on elsewhere and there${note}`,
  async (_, mode, reason, refusedAnew) => {
    const folder = await temporaryFolder();
    const [disk, elsewhere, cache] = ["disk", "elsewhere", "cache"].map((name) => join(folder, name));
    for (const path of [disk, elsewhere]) await mkdir(path!);
    const images = await writeColorImages(join(folder, "images"), 7);
    const model = await writeTinyModel(join(folder, "tiny.onnx"));
    const training = ["--strategy", "last", "--epochs", "400", "--patience", "400", "--views", "0"];
    const args = [images, "--model", model, ...training, "--checkpoint-seconds", "0.02"];
    const told = await programOnDisk("4m", disk!, DRIVER, mode, disk!, elsewhere!, cache!, JSON.stringify(args));
    const of = (what: string): Told => (told as Told[]).find((one) => one.what === what)!;

    expect(of("first")).toMatchObject({ code: 1, error: { code: "CANNOT_WRITE" } });
    expect(of("first").error!.message).toMatch(reason);
    expect(of("first").error!.message).toContain(`--resume ${join(disk!, "run")}`);
    expect(of("look").skipped).toEqual([]);
    expect(of("look").latest).toMatch(/\d\.safetensors$/);
    if (mode === "fill") expect(of("look").names).not.toContain("run.lock");

    expect(of("no better")).toMatchObject({ code: 1, error: { code: "CANNOT_WRITE" } });
    expect(of("no better").error!.message).toMatch(reason);
    expect(of("anew")).toMatchObject({ code: 1, error: refusedAnew });
    expect(of("anew").error!.message).toMatch(reason);

    expect([of("moved").code, of("with room").code]).toEqual([0, 0]);
    const whole = join(folder, "whole", "run");
    expect(await rootstock(["train", ...args, "--out", whole], { cache: cache! })).toMatchObject({ code: 0 });
    const undisturbed = await written(whole);
    expect(await written(join(elsewhere!, "moved", "run"))).toEqual(undisturbed);
    expect(await written(join(elsewhere!, "stayed", "run"))).toEqual(undisturbed);
  },
  240_000,
);
