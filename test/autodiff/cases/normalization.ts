/** Cases of the gradient rules of normalization. */
import type { Case } from "./case.ts";

export const NORMALIZATION: readonly Case[] = [];
