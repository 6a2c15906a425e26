/** Cases of the gradient rule of Resize. The operator is linear and has float32 kernels only: large steps. */
import { type Attributes, float, int, ints, string } from "../../../src/graph/attributes.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { absent, axes, type Case, type Input, x } from "./case.ts";

const scales = (...values: number[]): Input => ({ shape: [values.length], constant: float32([values.length], values) });

const COORDINATES = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel", "half_pixel_symmetric"];
const NEAREST = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"];
const SHAPE = [2, 3, 5, 4];

const byScales = (values: readonly number[], attributes: Attributes): Case =>
  resize([absent, scales(1, 1, ...values)], attributes);
const bySizes = (values: readonly number[], attributes: Attributes): Case =>
  resize([absent, absent, axes(2, 3, ...values)], attributes);

function resize(inputs: readonly Input[], attributes: Attributes, shape: readonly number[] = SHAPE): Case {
  return { op: "Resize", inputs: [x(...shape), ...inputs], attributes, float32: true, step: 1, tolerance: 1e-5 };
}

export const RESIZE: readonly Case[] = [
  ...COORDINATES.flatMap((coordinates) =>
    NEAREST.flatMap((nearest): Case[] => {
      const attributes = { coordinate_transformation_mode: string(coordinates), nearest_mode: string(nearest) };
      return [
        byScales([2, 2], attributes),
        byScales([1, 3], attributes),
        byScales([1.5, 0.6], attributes),
        byScales([0.6, 2.26], attributes),
        bySizes([7, 3], attributes),
        bySizes([1, 9], attributes),
      ];
    }),
  ),
  ...COORDINATES.flatMap((coordinates) =>
    ["linear", "cubic"].flatMap((mode): Case[] => {
      const attributes = { coordinate_transformation_mode: string(coordinates), mode: string(mode) };
      return [
        byScales([2, 2], attributes),
        byScales([1, 3], attributes),
        byScales([1.5, 0.6], attributes),
        byScales([0.6, 2.26], attributes),
        bySizes([7, 3], attributes),
        bySizes([1, 9], attributes),
        byScales([2, 1.5], { ...attributes, exclude_outside: int(mode === "cubic" ? 1 : 0) }),
      ];
    }),
  ),
  ...["linear", "cubic"].flatMap((mode) =>
    [0, 1].flatMap((exclude_outside): Case[] => {
      const attributes = { mode: string(mode), antialias: int(1), exclude_outside: int(exclude_outside) };
      return [
        byScales([0.5, 0.5], attributes),
        byScales([2, 0.6], attributes),
        bySizes([2, 3], attributes),
        bySizes([9, 1], attributes),
      ];
    }),
  ),
  byScales([2, 0.6], { mode: string("cubic"), cubic_coeff_a: float(-0.5) }),
  byScales([0.5, 0.6], { mode: string("cubic"), cubic_coeff_a: float(-0.5), antialias: int(1) }),
  resize([absent, scales(2.1, 1.5)], { axes: ints([-1, 2]) }),
  resize([absent, absent, axes(10, 6)], { axes: ints([2, 3]), keep_aspect_ratio_policy: string("not_larger") }),
  resize([absent, absent, axes(10, 6)], {
    axes: ints([2, 3]),
    keep_aspect_ratio_policy: string("not_smaller"),
    mode: string("linear"),
  }),
  resize([absent, scales(2, 3)], {}, [2, 3]),
  resize([absent, scales(1, 2, 2)], {}, [2, 3, 4]),
  resize([absent, scales(1, 1, 3, 1, 2)], {}, [1, 2, 2, 3, 4]),
  resize([absent, scales(1, 2.4, 1)], {}, [2, 3, 4]),
  resize([absent, scales(1.25, 1.25)], {}, [2, 3]),
  resize([absent, scales(1.25, 1.25)], {}, [2, 4]),
  resize([absent, scales(1.25, 1.25)], { mode: string("linear") }, [2, 4]),
  resize([absent, scales(2, 1.7)], { mode: string("linear") }, [2, 3]),
  resize([absent, scales(1, 1, 1.5, 2, 0.7)], { mode: string("linear") }, [1, 2, 2, 3, 4]),
  resize([absent, scales(1, 1.5, 2, 1)], { mode: string("linear") }, [1, 2, 3, 2]),
];
