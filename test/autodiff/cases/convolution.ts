/** Cases of the gradient rules of convolutions. */
import type { Case } from "./case.ts";

export const CONVOLUTION: readonly Case[] = [];
