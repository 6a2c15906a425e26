/** Cases of the gradient rules of operators that sample between pixels. */
import type { Case } from "./case.ts";

export const SAMPLING: readonly Case[] = [];
