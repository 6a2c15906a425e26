import { describe, expect, test } from "vitest";
import { rng } from "../../../src/random.ts";
import { channelStatistics, symmetricEigen, whiten, zcaWhitening } from "../../../src/transforms/keras/featurewise.ts";

const draw = rng("featurewise");
const normal = (count: number) => Float32Array.from({ length: count }, () => draw.normal());

describe("symmetricEigen", () => {
  test("gives back the matrix, with orthogonal vectors", () => {
    const order = 30;
    const rows = Array.from({ length: 40 }, () => normal(order));
    const matrix = new Float64Array(order * order);
    for (let i = 0; i < order; i++) {
      for (let j = 0; j < order; j++) matrix[i * order + j] = rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0);
    }
    const { values, vectors } = symmetricEigen(matrix, order);
    for (let i = 0; i < order; i++) {
      for (let j = 0; j < order; j++) {
        let product = 0;
        let again = 0;
        for (let k = 0; k < order; k++) {
          product += vectors[i * order + k]! * vectors[j * order + k]!;
          again += values[k]! * vectors[k * order + i]! * vectors[k * order + j]!;
        }
        expect(product).toBeCloseTo(i === j ? 1 : 0, 9);
        expect(again).toBeCloseTo(matrix[i * order + j]!, 9);
      }
    }
  });

  test("ends for zeros, equal eigenvalues and rank 1", () => {
    expect([...symmetricEigen(new Float64Array(9), 3).values]).toEqual([0, 0, 0]);
    expect([...symmetricEigen(Float64Array.of(1, 0, 0, 1), 2).values]).toEqual([1, 1]);
    const { values } = symmetricEigen(Float64Array.of(1, 2, 2, 4), 2);
    expect(values.toSorted()[1]).toBeCloseTo(5, 12);
    expect(values.toSorted()[0]).toBeCloseTo(0, 12);
  });
});

describe("zcaWhitening", () => {
  /** Images whose values depend on each other. */
  function mixed(count: number, width: number): Float32Array[] {
    return Array.from({ length: count }, () => {
      const own = normal(width);
      return own.map((value, i) => value + 0.8 * own[(i + 1) % width]!);
    });
  }

  /** Fails unless the mean of a(k)[i] * a(k)[j] over k is 1 for i = j and 0 otherwise. */
  function expectIndependent(rows: readonly Float32Array[], scale: number): void {
    for (const [i, a] of rows.entries()) {
      for (const [j, b] of rows.entries()) {
        const product = a.reduce((sum, value, k) => sum + value * b[k]!, 0);
        expect(product / scale).toBeCloseTo(i === j ? 1 : 0, 4);
      }
    }
  }

  test("makes the values of many images independent, with deviation 1", () => {
    const images = mixed(200, 12);
    const white = images.map((image) => whiten(image, zcaWhitening(images, 0)));
    const columns = Array.from({ length: 12 }, (_, i) => Float32Array.from(white, (image) => image[i]!));
    expectIndependent(columns, 200);
  });

  test("makes fewer images than values orthogonal", () => {
    const images = mixed(12, 50);
    const white = images.map((image) => whiten(image, zcaWhitening(images, 0)));
    expectIndependent(white, 12);
  });

  test("leaves out directions without information", () => {
    const one = mixed(1, 9)[0]!;
    const images = [one, one.map((value) => -value), one.map((value) => 2 * value)];
    expect(zcaWhitening(images, 1e-6).scales.length).toBe(1);
    expect(zcaWhitening([new Float32Array(9), new Float32Array(9)], 1e-6).scales.length).toBe(0);
  });

  test("refuses what would take hours, in words", () => {
    const images = Array.from({ length: 1025 }, () => new Float32Array(1025));
    expect(() => zcaWhitening(images, 1e-6)).toThrow(/at most 1024 images.*got 1025 images of 1025. Fit on fewer/);
  });
});

test("channelStatistics are those of each channel, whatever the order of the axes", () => {
  const data = Float32Array.of(1, 10, 3, 20, 5, 30);
  const last = { data, rows: 1, columns: 3, channels: 2, strides: { row: 6, column: 2, channel: 1 } };
  const first = {
    ...last,
    data: Float32Array.of(1, 3, 5, 10, 20, 30),
    strides: { row: 3, column: 1, channel: 3 },
  };
  for (const pixels of [last, first]) {
    const { mean, std } = channelStatistics([pixels]);
    expect([...mean]).toEqual([3, 20]);
    expect(std[0]).toBeCloseTo(Math.sqrt(8 / 3), 6);
    expect(std[1]).toBeCloseTo(Math.sqrt(200 / 3), 5);
  }
});
