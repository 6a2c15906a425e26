/** Conversion between IEEE 754 half precision (as raw bits) and single precision. */

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The value of a half-precision number given by its 16 bits. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24; // zero and subnormals
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The 16 bits of the half-precision number nearest to `value`, ties to even, overflow to infinity. */
export function numberToFloat16(value: number): number {
  f32[0] = value;
  const bits = u32[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112; // rebias from 127 to 15
  let mantissa = bits & 0x7fffff;
  if (exponent >= 31) return sign | 0x7c00 | (((bits >>> 23) & 0xff) === 255 && mantissa ? 0x200 : 0);
  if (exponent < -10) return sign;
  let shift = 13;
  if (exponent <= 0) {
    mantissa |= 0x800000;
    shift = 14 - exponent;
  }
  const half = (exponent > 0 ? exponent << 10 : 0) + (mantissa >>> shift);
  const rest = mantissa & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (half + (rest > tie || (rest === tie && half & 1) ? 1 : 0));
}

let table: Float32Array | undefined;

/** Converts an array of half-precision bits to single precision, exactly. */
export function float16ToFloat32(bits: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 65_536 }, (_, i) => float16ToNumber(i));
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]!]!;
  return out;
}
