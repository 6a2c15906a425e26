import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findWeights } from "../../src/models/catalog.ts";
import { locateModel } from "../../src/models/locate-model.ts";
import { temporaryFolder } from "../data/made.ts";

/** No test here may reach a network. */
const offline = { environment: { ROOTSTOCK_OFFLINE: "1" } };

test("a file is taken as it is, also one that has the name of a model", async () => {
  const folder = await temporaryFolder();
  const path = join(folder, "resnet50");
  await writeFile(path, "x");
  expect(await locateModel(path, offline)).toEqual({ path, name: "resnet50", record: undefined });
});

test("another file with a published name has no record", async () => {
  const folder = await temporaryFolder();
  const record = findWeights("squeezenet1_1.imagenet1k_v1");
  const path = join(folder, record.url.split("/").at(-1)!);
  await writeFile(path, Buffer.alloc(record.bytes ?? 1)); // of the right size, where one is known
  expect((await locateModel(path, offline)).record).toBeUndefined();
  const stopped = locateModel(path, { ...offline, signal: AbortSignal.abort() });
  await expect(stopped).rejects.toMatchObject({ code: "ABORTED" });
  await writeFile(join(folder, "model.safetensors"), "x"); // a name that many files have
  expect((await locateModel(join(folder, "model.safetensors"), offline)).record).toBeUndefined();
});

test("a name of the catalog and an address are downloaded, where the network may be used", async () => {
  const folder = await temporaryFolder();
  for (const model of [
    "resnet18",
    "timm/resnet18.a1_in1k",
    "hf://timm/resnet18.a1_in1k",
    "https://host.invalid/a.pth",
  ]) {
    const fails = expect(locateModel(model, { ...offline, folder })).rejects;
    await fails.toMatchObject({ code: "DOWNLOAD", message: expect.stringContaining("ROOTSTOCK_OFFLINE forbids") });
  }
});

test("what is neither a file nor a name is refused, with names that are near", async () => {
  const folder = await temporaryFolder();
  await expect(locateModel(join(folder, "none.onnx"), offline)).rejects.toThrow(/^no model file at .*none\.onnx\.$/);
  await expect(locateModel("resnet5O", offline)).rejects.toThrow(/^no model file at resnet5O\. As a name: .*resnet50/);
  await mkdir(join(folder, "folder"));
  expect((await locateModel(join(folder, "folder"), offline)).name).toBe("folder"); // its reader says what is wrong
});
