/** Cases of the gradient rules of operators that sample between pixels. */
import { float, int, string } from "../../../src/graph/attributes.ts";
import { float32, sizeOf, tensor } from "../../../src/tensor/tensor.ts";
import { axes, type Case, type Input, x } from "./case.ts";

const GRID = [2, 3, 2, 2];

/** Positions of which some lie outside of [-1, 1]. */
const grid: Input = {
  shape: GRID,
  constant: float32(
    GRID,
    Array.from({ length: sizeOf(GRID) }, (_, i) => 2.3 * Math.sin(3 * i + 0.5)),
  ),
};

/** Where a position is that of a pixel of 3 or 4, for both values of align_corners: the slope changes there. */
const kinks = Array.from({ length: 17 }, (_, i) => i - 8).flatMap((k) => [
  (2 * k) / 3 - 1,
  k - 1,
  (k + 0.5) / 2 - 1,
  (k + 0.5) / 1.5 - 1,
]);

const GRID_SAMPLE = ["bilinear", "nearest", "bicubic"].flatMap((mode) =>
  ["zeros", "border", "reflection"].flatMap((padding) =>
    [0, 1].flatMap((align): Case[] => {
      const attributes = { mode: string(mode), padding_mode: string(padding), align_corners: int(align) };
      const row = { op: "GridSample" as const, attributes, float32: true };
      return [
        { ...row, inputs: [x(2, 2, 3, 4), grid], step: 1, tolerance: 1e-5 },
        { ...row, inputs: [x(2, 1, 1, 2), grid], step: 1, tolerance: 1e-5 },
        ...(mode === "nearest"
          ? []
          : [{ ...row, inputs: [x(2, 2, 3, 4), { shape: GRID, kinks }], step: mode === "bilinear" ? 1e-2 : 4e-3 }]),
      ];
    }),
  ),
);

/** Regions inside, across the edge, outside, upside down, smaller than a pixel and without size. */
const REGIONS = [
  [0.4, 0.7, 3.2, 4.1],
  [-2.5, -1.2, 2, 9.5],
  [-9, -9, -5, -6],
  [3, 2, 1, 1],
  [1.2, 1.3, 1.5, 1.4],
  [2, 2, 2, 2],
];
const regions = (rows: readonly (readonly number[])[]): Input => {
  const shape = [rows.length, 4];
  return { shape, constant: tensor("float64", shape, Float64Array.from(rows.flat())) };
};

const ROI_ALIGN = ["half_pixel", "output_half_pixel"].flatMap((coordinates) =>
  [0, 1, 3].flatMap((ratio): Case[] => {
    const attributes = {
      coordinate_transformation_mode: string(coordinates),
      sampling_ratio: int(ratio),
      output_height: int(2),
      output_width: int(3),
    };
    const row = { op: "RoiAlign" as const, attributes, step: 1, tolerance: 1e-9 };
    const scaled = { ...attributes, spatial_scale: float(0.75) };
    return [
      { ...row, inputs: [x(2, 3, 5, 4), regions(REGIONS), axes(0, 1, 1, 0, 1, 0)] },
      { ...row, inputs: [x(1, 2, 1, 6), regions(REGIONS.slice(0, 2)), axes(0, 0)], attributes: scaled },
      { ...row, inputs: [x(1, 2, 3, 3), regions([]), axes()] },
    ];
  }),
);

export const SAMPLING: readonly Case[] = [...GRID_SAMPLE, ...ROI_ALIGN];
