/** What the parts of the fast lowering share. */
import type { Choose, GradientKey, Variant } from "./choice.ts";
import { variantsOf } from "./choice.ts";
import type { Forms } from "./forms.ts";

export interface Context {
  readonly f: Forms;
  /** The variant that computes a gradient. */
  readonly choose: (key: GradientKey) => Variant;
}

export function contextOf(f: Forms, choose: Choose = () => undefined): Context {
  return {
    f,
    choose: (key) => {
      const variants = variantsOf(key);
      const chosen = choose(key, variants);
      return chosen !== undefined && variants.includes(chosen) ? chosen : variants[0]!;
    },
  };
}
