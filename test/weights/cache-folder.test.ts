import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { cacheFolder } from "../../src/weights/cache-folder.ts";

afterEach(() => vi.unstubAllEnvs());

const home = homedir();

test("ROOTSTOCK_CACHE decides on every platform", () => {
  for (const platform of ["linux", "darwin", "win32"]) {
    const environment = { ROOTSTOCK_CACHE: "/big/disk", XDG_CACHE_HOME: "/xdg", LOCALAPPDATA: "C:\\data" };
    expect(cacheFolder("features", environment, platform)).toBe(join("/big/disk", "features"));
  }
});

test("an empty ROOTSTOCK_CACHE counts as none", () => {
  expect(cacheFolder("weights", { ROOTSTOCK_CACHE: "" }, "linux")).toBe(join(home, ".cache", "rootstock", "weights"));
});

test.each([
  ["linux", {}, join(home, ".cache", "rootstock", "features")],
  ["linux", { XDG_CACHE_HOME: "/xdg" }, join("/xdg", "rootstock", "features")],
  ["linux", { XDG_CACHE_HOME: "" }, join(home, ".cache", "rootstock", "features")],
  ["freebsd", {}, join(home, ".cache", "rootstock", "features")],
  ["darwin", { XDG_CACHE_HOME: "/xdg" }, join(home, "Library", "Caches", "rootstock", "features")],
  ["win32", {}, join(home, "AppData", "Local", "rootstock", "cache", "features")],
  ["win32", { LOCALAPPDATA: "/local" }, join("/local", "rootstock", "cache", "features")],
])("%s with %j uses %s", (platform, environment, wanted) => {
  expect(cacheFolder("features", environment, platform)).toBe(wanted);
});

test("reads the environment of the process by default", () => {
  vi.stubEnv("ROOTSTOCK_CACHE", "/from/process");
  expect(cacheFolder("runs")).toBe(join("/from/process", "runs"));
});
