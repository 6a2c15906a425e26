import { expect, test } from "vitest";
import { colorSquaresOf, lumaOf, squareOf } from "../../../src/data/check/grey-square.ts";
import { drawn } from "./made-pictures.ts";

test("luma weighs red, green and blue", () => {
  const data = new Uint8Array([255, 0, 0, 0, 255, 0, 0, 0, 255, 80, 80, 80]);
  const luma = lumaOf({ width: 4, height: 1, data });
  expect([...luma].map((value) => Math.round(value * 10) / 10)).toEqual([76.2, 149.7, 29.1, 80]);
});

test("a square holds the mean of each cell, also where cells divide pixels", () => {
  const plane = Float32Array.from([0, 30, 60, 90, 120, 150]); // 3 x 2
  expect([...squareOf(plane, 3, 2, 1)]).toEqual([75]);
  // Columns of 1.5 pixels: (0 + 30 / 2) / 1.5 and (30 / 2 + 60) / 1.5.
  expect([...squareOf(plane, 3, 2, 2)].map(Math.round)).toEqual([10, 50, 100, 140]);
});

test("a square keeps the mean for every size, larger than the picture as well", () => {
  const image = drawn(1, 53, 37);
  const luma = lumaOf(image);
  const mean = luma.reduce((sum, value) => sum + value, 0) / luma.length;
  for (const size of [1, 7, 32, 64]) {
    const square = squareOf(luma, 53, 37, size);
    expect(square.reduce((sum, value) => sum + value, 0) / square.length).toBeCloseTo(mean, 2);
  }
});

test("color differences are 0 for gray, and apart for red and blue", () => {
  const gray = { width: 8, height: 8, data: new Uint8Array(192).fill(90) };
  for (const plane of colorSquaresOf(gray, lumaOf(gray), 4)) for (const value of plane) expect(value).toBeCloseTo(0, 4);
  const red = { width: 1, height: 1, data: new Uint8Array([255, 0, 0]) };
  const [cb, cr] = colorSquaresOf(red, lumaOf(red), 1);
  expect(cr[0]).toBeCloseTo(127.5, 1);
  expect(cb[0]).toBeLessThan(-40);
});
