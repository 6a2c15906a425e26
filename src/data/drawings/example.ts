/** A labelled drawing: the form of one class before any background, among other forms, in any color. */
import type { Rng } from "../../random.ts";
import { drawBackground } from "./backgrounds.ts";
import { type Brush, contrast, newBrush, unmatched } from "./brush.ts";
import { type DrawnClass, drawClassForm } from "./class-forms.ts";
import { drawCoat, drawEdge, paint, stroke } from "./coats.ts";
import { between, chance, times, whole } from "./dice.ts";
import { drawFinish } from "./finish.ts";
import { type Drawing, form } from "./scene.ts";
import { type Placement, placed, polar, svgFile } from "./svg.ts";

/** The form's longest extent as a fraction of the picture's side. */
const EXTENT = [0.35, 0.8] as const;

/**
 * Draws an example of a class, `size` x `size` pixels.
 *
 * Colors, background, size, place, pose, texture and light are drawn without regard to the class.
 */
export function exampleDrawing(source: Rng, name: DrawnClass, size: number): Drawing {
  const brush = newBrush(source);
  const dark = chance(source, 0.5);
  const [below, above]: [Brush["lightness"], Brush["lightness"]] = [
    [0.04, 0.36],
    [0.6, 0.96],
  ];
  const behind = { ...brush, lightness: dark ? above : below };
  const front = { ...(chance(source, 0.5) ? unmatched(brush) : brush), lightness: dark ? below : above };
  const scale = 50 * between(source, ...EXTENT);
  const slack = 50 - scale; // a stretched form may reach out of the picture a little
  const place: Placement = {
    x: 50 + slack * between(source, -1, 1),
    y: 50 + slack * between(source, -1, 1),
    scale,
    turn: between(source, 0, 360),
    shear: between(source, -15, 15),
    stretch: between(source, 0.75, 1.33) * (chance(source, 0.5) ? 1 : -1),
  };
  const others = times(whole(source, 0, 4), () => bystander(behind));
  const subject = subjectOf(front, drawClassForm(source, name));
  const shadow = chance(source, 0.4) ? shadowOf(brush, subject.outline, place) : "";
  const hiding = times(whole(source, 0, 2), () => placed(form(behind), edgeOf(source, place)));
  const { overlay, blur } = drawFinish(brush);
  const background = drawBackground(behind, 0.15);
  const body = background + others.join("") + shadow + placed(subject.markup, place) + hiding.join("") + overlay;
  return { svg: svgFile(brush.definitions, body, size), blur: blur * size };
}

function subjectOf(
  brush: Brush,
  { outline, lines }: ReturnType<typeof drawClassForm>,
): { readonly outline: string; readonly markup: string } {
  const coat = drawCoat(brush);
  const cover = paint(brush, outline, coat, { edge: drawEdge(brush), holes: true });
  return { outline, markup: cover + (lines === undefined ? "" : stroke(lines, contrast(coat.main, 0.5), 0.045)) };
}

/** A form without a name behind the subject, of the background's lightness. */
function bystander(brush: Brush): string {
  const { source } = brush;
  const at = { x: between(source, 0, 100), y: between(source, 0, 100), scale: between(source, 6, 22) };
  return placed(form(brush), { ...at, turn: between(source, 0, 360) });
}

/** Where something stands that hides a part of the subject's rim. */
function edgeOf(source: Rng, { x, y, scale }: Placement): Placement {
  const [dx, dy] = polar(between(source, 0, 2 * Math.PI), scale * between(source, 0.75, 1.1));
  return { x: x + dx, y: y + dy, scale: scale * between(source, 0.15, 0.38), turn: between(source, 0, 360) };
}

/** The subject's own form again, dark, away from the light. */
function shadowOf({ light }: Brush, outline: string, place: Placement): string {
  const [dx, dy] = polar(light, -0.1 * place.scale);
  const dark = `<path d="${outline}" fill-rule="evenodd" fill-opacity="0.35"/>`;
  return placed(dark, { ...place, x: place.x + dx, y: place.y + dy });
}
