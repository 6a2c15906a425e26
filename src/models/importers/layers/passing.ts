/** Layers that do nothing when a network predicts: noise, dropout and random changes of pictures. */
import { z } from "zod";
import { layerRule, onlyInput } from "../layer-rule.ts";

/** The tensor as it is. */
export const passing = layerRule(z.unknown(), { apply: (call) => onlyInput(call) });
