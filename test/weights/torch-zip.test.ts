import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { memorySource } from "../../src/weights/byte-source.ts";
import { openWeights } from "../../src/weights/open-weights.ts";
import type { TensorSource } from "../../src/weights/tensor-source.ts";
import { openTorchZip } from "../../src/weights/torch-zip.ts";
import { readZip } from "../../src/weights/zip.ts";
import { temporaryFolder } from "../data/made.ts";
import { expectTensors, goldenPath, goldenTensors, type Packed, zipOf } from "./golden.ts";

const EXPECTED = goldenTensors("torch.json");

describe("reads every element type, stride and sharing as PyTorch wrote them", () => {
  test.each([
    "kinds.pth",
    "kinds-protocol5.pth",
    "kinds-compressed.pth",
    "unsigned.pth",
    "floats.pth",
    "floats-big-endian.pth",
    "checkpoint.pth",
    "module.pth",
  ])("%s", async (name) => {
    const source = await openWeights(goldenPath(name));
    expect(source.format).toBe("torch");
    expectTensors(source, EXPECTED[name]!);
    source.close();
  });
});

test("says where in a checkpoint the tensors were found, and what else is there", async () => {
  const source = await openWeights(goldenPath("checkpoint.pth"));
  expect(source.notes).toEqual([
    'the tensors are those under "state_dict"',
    'other tensors in the file were left out: "(top)" (1), "ema" (7)',
  ]);
  source.close();
});

test("takes another state dict by its key", async () => {
  const source = await openWeights(goldenPath("checkpoint.pth"), { stateDict: "ema" });
  expectTensors(source, EXPECTED["checkpoint.pth#ema"]!);
  source.close();
  await expect(openWeights(goldenPath("checkpoint.pth"), { stateDict: "teacher" })).rejects.toThrow(
    'there are no tensors under "teacher". Choose one of "" (1 tensors), "state_dict" (7 tensors), "ema" (7 tensors)',
  );
});

test("does not keep the tensors of one storage together: each has memory of its own", async () => {
  const source = await openWeights(goldenPath("floats.pth"));
  const a = source.read("a");
  a.data[0] = 99;
  expect(source.read("a").data[0]).toBe(0);
  expect(source.read("b").data.buffer.byteLength).toBe(32);
  source.close();
});

describe("refused", () => {
  test.each([
    ["quantized.pth", '"q" is made by torch._utils._rebuild_qtensor, which cannot be read: it is quantized'],
    ["complex.pth", '"c" has elements of type complex64'],
    ["complex.pth", '"e" has elements of type float8_e4m3fn'],
    ["attack.pth", /it calls (posix|nt)\.system.*nothing was run/],
  ])("%s", async (name, message) => {
    const opened = openWeights(goldenPath(name));
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.toMatchObject({ code: "BAD_MODEL" });
  });
});

function open(files: readonly Packed[]): TensorSource {
  const source = memorySource("w.pth", zipOf(files));
  return openTorchZip(source, readZip(source));
}

/** `{"w": tensor}` as protocol 2, of a storage "0" with `count` float32. */
function stateDict({
  count = 4,
  offset = 0,
  shape = "K\x04\x85",
  strides = "K\x01\x85",
  storage = "FloatStorage",
} = {}): Buffer {
  const id = `(X\x07\0\0\0storagectorch\n${storage}\nX\x01\0\0\x000X\x03\0\0\0cpuJ${int32(count)}tQ`;
  return Buffer.from(
    `\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(${id}J${int32(offset)}${shape}${strides}\x89}tRs.`,
    "latin1",
  );
}

function int32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes.toString("latin1");
}

const DATA = new Uint8Array(new Float32Array([1, 2, 3, 4]).buffer);
const archive = (pickle: Uint8Array, data: Uint8Array = DATA): Packed[] => [
  { name: "x/data.pkl", data: pickle },
  { name: "x/data/0", data },
];

test("reads an archive made by hand", () => {
  expect(open(archive(stateDict())).read("w")).toEqual({
    dtype: "float32",
    shape: [4],
    data: Float32Array.of(1, 2, 3, 4),
  });
});

test("repeats elements whose stride is 0", () => {
  const repeated = stateDict({ shape: "K\x02K\x04\x86", strides: "K\x00K\x01\x86" });
  expect([...open(archive(repeated)).read("w").data]).toEqual([1, 2, 3, 4, 1, 2, 3, 4]);
});

describe("a damaged or hostile archive", () => {
  test.each<[string, readonly Packed[], string]>([
    ["a view beyond its storage", archive(stateDict({ offset: 1 })), '"w" is no view of its storage'],
    ["a shape beyond its storage", archive(stateDict({ shape: "K\x05\x85" })), "up to 5 of storage 0, which has 4"],
    ["strides beyond the storage", archive(stateDict({ shape: "K\x02\x85", strides: "K\x04\x85" })), "is no view"],
    ["a negative stride", archive(stateDict({ strides: "J\xff\xff\xff\xff\x85" })), "no counts"],
    ["a negative offset", archive(stateDict({ offset: -1 })), "no counts"],
    ["a negative size", archive(stateDict({ count: -4 })), "refers to"],
    ["more dimensions than strides", archive(stateDict({ shape: "K\x02K\x02\x86" })), "2 dimensions but 1 strides"],
    [
      "10^9 repetitions",
      archive(stateDict({ shape: "J\x00\xca\x9a\x3b\x85", strides: "K\x00\x85" })),
      "repeats 4 elements",
    ],
    ["an unknown storage", archive(stateDict({ storage: "EvilStorage" })), "unknown class torch.EvilStorage"],
    ["a pickle that is cut off", archive(stateDict().subarray(0, 40)), "cut off"],
    ["no tensors", archive(Buffer.from("\x80\x02}.", "latin1")), "an empty dict"],
    ["a list", archive(Buffer.from("\x80\x02].", "latin1")), "no dict"],
    [
      "TorchScript",
      [...archive(stateDict()), { name: "x/constants.pkl", data: "" }],
      "TorchScript archive: it holds code",
    ],
    ["another archive", [{ name: "data.pkl", data: "" }], "without PyTorch's data.pkl"],
  ])("with %s", (_what, files, message) => {
    expect(() => open(files)).toThrow(message);
    expect(() => open(files)).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
  });

  test("with a storage that is missing, or shorter than its tensors", () => {
    expect(() => open(archive(stateDict()).slice(0, 1)).read("w")).toThrow('lacks the storage "0"');
    expect(() => open(archive(stateDict(), DATA.subarray(0, 12))).read("w")).toThrow("refers to 16 bytes");
  });

  test("with a bit flipped in a tensor", () => {
    const bytes = readFileSync(goldenPath("floats.pth"));
    bytes[bytes.indexOf(Buffer.from(new Float32Array([8 / 7]).buffer))]! ^= 1;
    const source = memorySource("w.pth", bytes);
    expect(() => openTorchZip(source, readZip(source)).read("a")).toThrow(
      'the checksum of "floats/data/0" does not fit',
    );
  });
});

test("does not check what the writer left unchecked: a checksum of 0", () => {
  const files = archive(stateDict()).map((file) => ({ ...file, claim: { checksum: 0 } }));
  expect(open(files).read("w").data.length).toBe(4);
});

test("finds the archive's files under any folder name, also of zip64", async () => {
  const path = join(await temporaryFolder(), "renamed.bin");
  const files = archive(stateDict()).map((file) => ({ ...file, name: file.name.replace("x/", "ä b/") }));
  const encoded = files.map((file) => ({ ...file, name: file.name.replace("ä", "a") }));
  await writeFile(path, zipOf(encoded, { zip64: true }));
  const source = await openWeights(path);
  expect([...source.read("w").data]).toEqual([1, 2, 3, 4]);
  source.close();
});
