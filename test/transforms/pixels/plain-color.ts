/** Changes of color in plain loops that follow Pillow's C sources step by step: what the kernels must equal bit for bit. */

/** `rgb2hsv_row` and `hsv2rgb_row` of `Convert.c`, with the hue turned between them. */
export function turnHue(data: Uint8Array, shift: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const [hue, saturation, value] = hsvOf(data[i]!, data[i + 1]!, data[i + 2]!);
    out.set(rgbOf((hue + shift) & 255, saturation, value), i);
  }
  return out;
}

function hsvOf(r: number, g: number, b: number): [hue: number, saturation: number, value: number] {
  const high = Math.max(r, g, b);
  const low = Math.min(r, g, b);
  if (high === low) return [0, 0, high];
  const range = high - low;
  const [rc, gc, bc] = [r, g, b].map((level) => Math.fround((high - level) / range)) as [number, number, number];
  let hue = 0;
  if (r === high) hue = Math.fround(bc - gc);
  else if (g === high) hue = Math.fround(2 + rc - bc);
  else hue = Math.fround(4 + gc - rc);
  hue = Math.fround((hue / 6 + 1) % 1);
  return [Math.trunc(hue * 255), Math.trunc(Math.fround(range / high) * 255), high];
}

function rgbOf(hue: number, saturation: number, value: number): number[] {
  if (saturation === 0) return [value, value, value];
  const place = (hue * 6) / 255;
  const sixth = Math.floor(place);
  const within = Math.fround(place - sixth);
  const share = Math.fround(saturation / 255);
  const p = Math.round(value * (1 - share));
  const q = Math.round(value * (1 - Math.fround(share * within)));
  const t = Math.round(value * (1 - share * (1 - within)));
  const orders = [
    [value, t, p],
    [q, value, p],
    [p, value, t],
    [p, q, value],
    [t, p, value],
    [value, p, q],
  ];
  return orders[sixth % 6]!;
}

/** `Blend.c` between the picture and its gray. */
export function saturate(data: Uint8Array, factor: number): Uint8Array {
  const single = Math.fround(factor);
  return data.map((level, i) => {
    const gray = grayAt(data, i - (i % 3));
    const blended = Math.fround(gray + Math.fround(single * (level - gray)));
    if (Number.isNaN(blended)) return 0;
    return Math.trunc(Math.min(255, Math.max(0, blended)));
  });
}

/** The mean of mode "L". */
export function meanGray(data: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i += 3) sum += grayAt(data, i);
  return sum / (data.length / 3);
}

function grayAt(data: Uint8Array, at: number): number {
  return (19595 * data[at]! + 38470 * data[at + 1]! + 7471 * data[at + 2]! + 0x8000) >> 16;
}
