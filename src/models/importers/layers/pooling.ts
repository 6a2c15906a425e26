/** Pooling over windows and over whole maps. */
import { z } from "zod";
import { int } from "../../../graph/attributes.ts";
import type { Value } from "../../../graph/graph.ts";
import { asMap, ofMap, plainTensor } from "../keras-tensor.ts";
import { fields, type LayerCall, type LayerRule, layerRule, onlyInput } from "../layer-rule.ts";
import { placeWindows } from "../windows.ts";

const poolConfig = z
  .object({
    pool_size: fields.pair.default([2, 2]),
    strides: fields.pair.nullish(),
    padding: fields.padding,
    data_format: fields.isChannelsFirst,
  })
  .transform((config) => ({ ...config, strides: config.strides ?? config.pool_size }));

/** Padding never takes part: it is lower than any maximum, and is left out of averages. */
function pool(op: "AveragePool" | "MaxPool"): LayerRule {
  return layerRule(poolConfig, {
    apply: (call, { pool_size: kernel, strides, padding, data_format: first }) => {
      const map = asMap(call.b, onlyInput(call), first, call.where);
      const { attributes, height, width } = placeWindows(map, { kernel, strides, padding });
      const counted = op === "AveragePool" ? { count_include_pad: int(0) } : {};
      const value = call.b.op(op, [map.value], { ...attributes, ...counted }, call.name);
      return ofMap({ ...map, value, height, width }, first, call.where);
    },
  });
}

const globalConfig = z.object({ data_format: fields.isChannelsFirst, keepdims: z.boolean().default(false) });

/** Over all positions: [h, w, c] → [c], or [1, 1, c] with keepdims. */
function globalPool(reduce: (call: LayerCall, map: Value, name: string) => Value): LayerRule {
  return layerRule(globalConfig, {
    apply: (call, { data_format: first, keepdims }) => {
      const { b, name, where } = call;
      const map = asMap(b, onlyInput(call), first, where);
      const value = reduce(call, map.value, keepdims ? name : `${name}/map`);
      if (keepdims) return ofMap({ ...map, value, height: 1, width: 1 }, first, where);
      return plainTensor(b.op("Flatten", [value], { axis: int(1) }, name), [map.channels]);
    },
  });
}

export const maxPooling2d = pool("MaxPool");
export const averagePooling2d = pool("AveragePool");
export const globalAveragePooling2d = globalPool(({ b }, map, name) => b.op("GlobalAveragePool", [map], {}, name));
export const globalMaxPooling2d = globalPool(({ b }, map, name) => b.op("GlobalMaxPool", [map], {}, name));
