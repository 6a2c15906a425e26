/** Every kind of model file on the command line, with real weights. */

import { createReadStream } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { assets, withAssets } from "../assets.ts";
import { writeColorImages } from "../models/tiny.ts";
import { cli } from "./made.ts";

withAssets("train starts from (skipped without ../shared/assets)", () => {
  let root: string;
  let images: string;
  const file = (path: string): string => join(assets!, "models", path);
  const train = async (model: string, ...more: string[]) => {
    const out = join(root, "run");
    return await cli(["train", images, "--model", model, "--epochs", "5", "--out", out, "--json", ...more]);
  };

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "rootstock-models-"));
    process.env["ROOTSTOCK_CACHE"] = join(root, "cache");
    images = await writeColorImages(join(root, "images"), 5);
  });

  test("safetensors with torchvision's names", async () => {
    const { code, json, stderr } = await train(
      file("squeezenet1_1/squeezenet1_1.safetensors"),
      "--preprocessing",
      "imagenet",
    );
    expect(stderr).toContain("the weights are those of squeezenet1_1");
    expect(code).toBe(0);
    expect(json.metrics.accuracy).toBeGreaterThan(0.5); // of three colors
  });

  test("a legacy PyTorch checkpoint with the prefix of a wrapper, and unfreezes it", async () => {
    const path = file("resnet20_cifar10/resnet20-12fca82f.th");
    const { code, json, stderr } = await train(path, "--preprocessing", "imagenet", "--unfreeze", "last");
    expect(stderr).toContain('the prefix "module." before the names was taken away');
    expect(code).toBe(0);
    expect(json.metrics.accuracy).toBeGreaterThan(0.5); // of three colors
  });

  test("a file whose parameters inspect counts as its authors do, without running statistics", async () => {
    const path = file("resnet20_cifar10/resnet20-12fca82f.th");
    const { json } = await cli(["inspect", path, "--preprocessing", "imagenet", "--json"]);
    expect(json.parameters).toBe(269_722);
  });

  test("an address, which is downloaded once", async () => {
    let requests = 0;
    const server = createServer((_, response) => {
      requests++;
      createReadStream(file("squeezenet1_1/squeezenet1_1.safetensors")).pipe(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/squeezenet1_1.safetensors`;
    try {
      for (let i = 0; i < 2; i++) {
        const { code, stderr } = await train(address, "--preprocessing", "imagenet", "--architecture", "squeezenet1_1");
        expect(code, stderr).toBe(0);
      }
    } finally {
      server.close();
    }
    expect(requests).toBe(1);
  });

  test("nothing where the weights are of no known network, or of another than is said", async () => {
    const other = await train(file("detectors/fastestdet/fastestdet_coco.pth"), "--preprocessing", "imagenet");
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("of no architecture that is known") });
    const wrong = await train(file("squeezenet1_1/squeezenet1_1.safetensors"), "--architecture", "resnet18");
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("does not fit resnet18") });
  });
});

test("a name that nobody knows is refused with those that are near", async () => {
  const { code, stderr } = await cli(["inspect", "resnet5O"]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(/no model file at resnet5O.*resnet50/s) });
});
