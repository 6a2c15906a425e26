import { describe, expect, test } from "vitest";
import { memorySource } from "../../src/weights/byte-source.ts";
import { pickleReader } from "../../src/weights/pickle-reader.ts";
import { unpickle } from "../../src/weights/torch-pickle.ts";
import { isKind, type PickleValue } from "../../src/weights/torch-values.ts";

/** Reads a pickle whose bytes are given as Latin-1. */
function load(text: string): PickleValue {
  return unpickle(pickleReader(memorySource("a.pkl", Buffer.from(text, "latin1"))), (id) => ({
    kind: "list",
    items: ["persistent", id],
  }));
}

/** A value as plain JavaScript: lists as arrays, dicts as lists of pairs. */
function plain(value: PickleValue): unknown {
  if (isKind(value, "list")) return value.items.map(plain);
  if (isKind(value, "dict")) return [...value.entries].map(([key, item]) => [plain(key), plain(item)]);
  if (isKind(value, "global")) return value.name;
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value;
}

// Each as Python writes it: pickletools.dis shows the same opcodes.
test.each<[string, string, unknown]>([
  ["constants of protocol 2", "\x80\x02(N\x88\x89t.", [null, true, false]],
  [
    "constants of protocol 0",
    "(I01\nI00\nI-7\nL12345678901234567890L\nF-0.5\nt.",
    [true, false, -7, 12345678901234567890n, -0.5],
  ],
  [
    "integers",
    "(K\xffM\xff\xffJ\xff\xff\xff\xff\x8a\x00\x8a\x02\xff\x00\x8a\x01\xff\x8b\x02\0\0\0\x00\x80t.",
    [255, 65535, -1, 0, 255, -1, -32768],
  ],
  ["a large integer", "\x8a\x09\0\0\0\0\0\0\0\x80\x00.", 2n ** 63n],
  ["floats", "G\x3f\xf8\0\0\0\0\0\0.", 1.5],
  [
    "text",
    "(X\x02\0\0\0\xc3\xbc\x8c\x01aVline\nU\x01\xfcT\x01\0\0\0bS'it\\'s\\n\\x41'\nt.",
    ["ü", "a", "line", "ü", "b", "it's\nA"],
  ],
  ["bytes", "(C\x02\x00\xffB\x01\0\0\0z\x8e\x01\0\0\0\0\0\0\0y\x96\x01\0\0\0\0\0\0\0xt.", ["\x00\xff", "z", "y", "x"]],
  [
    "containers",
    "(](K\x01K\x02e]K\x03a)K\x04\x85K\x05K\x06\x86K\x07K\x08K\x09\x87\x8f(K\x0a\x90(K\x0b\x91l.",
    [[1, 2], [3], [], [4], [5, 6], [7, 8, 9], [10], [11]],
  ],
  [
    "dicts",
    "(}(K\x01K\x02K\x03K\x04u}K\x05K\x06s(K\x07K\x08dt.",
    [
      [
        [1, 2],
        [3, 4],
      ],
      [[5, 6]],
      [[7, 8]],
    ],
  ],
  ["a key that is set twice", "}(K\x01K\x02K\x01K\x03u.", [[1, 3]]],
  ["the memo", "(K\x01q\x00K\x02r\x01\0\0\0K\x03p2\nK\x04\x94h\x00j\x01\0\0\0g2\nh\x03t.", [1, 2, 3, 4, 1, 2, 3, 4]],
  ["the stack", "K\x01K\x020(K\x021(02\x86.", [1, 1]],
  ["a frame", "\x80\x04\x95\x02\0\0\0\0\0\0\0K\x01.", 1],
  [
    "persistent ids",
    "(P7\nK\x01Qt.",
    [
      ["persistent", "7"],
      ["persistent", 1],
    ],
  ],
  ["classes", "(ccollections\nOrderedDict\n\x8c\x05torch\x8c\x04Size\x93t.", ["collections.OrderedDict", "torch.Size"]],
  ["an OrderedDict", "ccollections\nOrderedDict\n)R(K\x01K\x02u.", [[1, 2]]],
  [
    "an OrderedDict of Python 2",
    "ccollections\nOrderedDict\n(](]K\x01aK\x02a]K\x03aK\x04aetR.",
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ["bytes of protocol 2", "c_codecs\nencode\n(X\x02\0\0\0\xc3\xbfX\x06\0\0\0latin1tR.", "\xff"],
  [
    "a NumPy scalar",
    "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(U\x02f8K\x00K\x01tR(K\x03U\x01<NNNtbC\x08\0\0\0\0\0\0\xf8\x3ftR.",
    1.5,
  ],
])("reads %s", (_what, text, value) => {
  expect(plain(load(text))).toEqual(value);
});

test("keeps an object of another class as a placeholder that remembers its name and state", () => {
  const value = load("\x80\x02cargparse\nNamespace\n)\x81}U\x02lrK\x01sb.");
  expect(isKind(value, "opaque") && value.global).toBe("argparse.Namespace");
  expect(isKind(value, "opaque") && plain(value.state ?? null)).toEqual([["lr", 1]]);
});

test("keeps an OrderedDict of no pairs as a placeholder", () => {
  expect(load("ccollections\nOrderedDict\n(](K\x01K\x02etR.")).toMatchObject({ global: "collections.OrderedDict" });
});

test("names the class that Python's old protocol rebuilds", () => {
  const value = load("ccopy_reg\n_reconstructor\n(ca.b\nNet\nc__builtin__\nobject\nNtR.");
  expect(isKind(value, "opaque") && value.global).toBe("a.b.Net");
});

describe("never calls anything", () => {
  test.each([
    ["os.system", "cos\nsystem\n(S'id'\ntR."],
    ["posix.system", "\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R."],
    ["builtins.eval", "cbuiltins\neval\n(S'1'\ntR."],
    ["__builtin__.__import__", "(c__builtin__\n__import__\nS'os'\no."],
    ["subprocess.Popen", "(S'id'\nisubprocess\nPopen\n."],
    ["importlib.util.x", "cimportlib.util\nx\n."],
  ])("refuses %s", (name, text) => {
    expect(() => load(text)).toThrow(`it calls ${name}`);
  });

  test("leaves getattr, whatever it is given, a placeholder", () => {
    expect(load("cbuiltins\ngetattr\n(cmath\npi\nS'__class__'\ntR.")).toMatchObject({
      kind: "opaque",
      global: "builtins.getattr",
    });
  });

  test("leaves the call of a result a placeholder", () => {
    expect(load("cbuiltins\ngetattr\n(tR(tR.")).toMatchObject({
      kind: "opaque",
      global: "(the result of another call)",
    });
  });
});

describe("refused", () => {
  test.each([
    ["an unknown opcode", "\x80\x02\xff.", "unknown opcode 0xff (byte 3)"],
    ["extension codes", "\x82\x01.", "unknown opcode 0x82"],
    ["buffers outside", "\x97.", "unknown opcode 0x97"],
    ["an empty stack", ".", "takes more from the stack"],
    ["a stack that is empty up to the mark", "K\x01(\x85.", "takes more from the stack"],
    ["no mark", "K\x01t.", "no mark"],
    ["a memo entry that was not stored", "h\x07.", "recalls entry 7"],
    ["items for a list", "](K\x01K\x02u.", "no dict"],
    ["an odd number of items", "}(K\x01u.", "no dict"],
    ["appending to a number", "K\x01K\x02a.", "no list"],
    ["a number that is none", "Iseven\n.", 'holds "seven" for an integer'],
    ["an integer of kilobytes", "\x8b\0\x10\0\0.", "an integer of 4096 bytes"],
    ["text longer than the file", "X\xff\xff\xff\x0fabc.", "cut off"],
    ["text of exabytes", "\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.", "more than 1073741824 bytes"],
    ["a class without a name", "\x8c\x01aK\x01\x93.", "by something that is no text"],
    ["the end of the file", "\x80\x02}", "cut off"],
    ["an endless line", `c${"a".repeat(70_000)}`, "more than 65536 characters"],
  ])("%s", (_what, text, message) => {
    expect(() => load(text)).toThrow(new RegExp(message.replace(/[()]/g, "\\$&")));
    expect(() => load(text)).toThrow(expect.objectContaining({ code: "BAD_MODEL" }));
  });

  test("a pickle that copies a long list over and over", () => {
    const list = `(${"K\x01".repeat(10_000)}lq\x00`;
    const call = `cbuiltins\nlist\nq\x010${"h\x01h\x00\x85R0".repeat(2000)}`;
    expect(() => load(`${list}${call}N.`)).toThrow("more than 4194304 steps");
  });

  test("depth is no danger: a list within a list, 100 000 times", () => {
    expect(() => load(`${"]".repeat(100_000)}${"a".repeat(99_999)}.`)).not.toThrow();
  });
});
