;; Changes of interleaved 8-bit RGB from $at to $end: in place where there is no $to, in units of several pixels. Up to
;; 48 bytes beyond $end are read and changed.
(module
  (memory (export "memory") 3)

  ;; Replaces levels, each channel by its table of 256 bytes: red from address 0, green from 256, blue from 512.
  (func (export "levels") (param $at i32) (param $end i32)
    (loop $next
      (i32.store8 (local.get $at) (i32.load8_u (i32.load8_u (local.get $at))))
      (i32.store8 offset=1 (local.get $at) (i32.load8_u offset=256 (i32.load8_u offset=1 (local.get $at))))
      (i32.store8 offset=2 (local.get $at) (i32.load8_u offset=512 (i32.load8_u offset=2 (local.get $at))))
      (i32.store8 offset=3 (local.get $at) (i32.load8_u (i32.load8_u offset=3 (local.get $at))))
      (i32.store8 offset=4 (local.get $at) (i32.load8_u offset=256 (i32.load8_u offset=4 (local.get $at))))
      (i32.store8 offset=5 (local.get $at) (i32.load8_u offset=512 (i32.load8_u offset=5 (local.get $at))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 6))) (local.get $end)))))

  ;; The sum of the grays, ITU-R 601 with 16 fractional bits, of whole groups of four pixels. The weight of green is
  ;; halved between two products, so that all weights are signed 16-bit numbers.
  (func (export "graySum") (param $at i32) (param $end i32) (result i32)
    (local $pixels v128) (local $sum v128)
    (loop $next
      (local.set $pixels (v128.load (local.get $at)))
      (local.set $sum (i32x4.add (local.get $sum) (i32x4.shr_u
        (i32x4.add
          (i32x4.add
            (i32x4.dot_i16x8_s
              (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 255 1 255 3 255 4 255 6 255 7 255 9 255 10 255))
              (v128.const i16x8 19595 19235 19595 19235 19595 19235 19595 19235))
            (i32x4.dot_i16x8_s
              (i8x16.swizzle (local.get $pixels) (v128.const i8x16 1 255 2 255 4 255 5 255 7 255 8 255 10 255 11 255))
              (v128.const i16x8 19235 7471 19235 7471 19235 7471 19235 7471)))
          (v128.const i32x4 32768 32768 32768 32768))
        (i32.const 16))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 12))) (local.get $end))))
    (i32.add
      (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
      (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))

  ;; Blends each pixel with its gray, four at a time: gray + factor * (level - gray) in float32, truncated, 0 to 255.
  ;; What is added last, 2 ** 23, leaves the whole number in the lowest byte.
  (func (export "saturate") (param $at i32) (param $end i32) (param $single f32)
    (local $pixels v128) (local $gray v128) (local $grayLevel v128) (local $r v128) (local $g v128) (local $b v128)
    (local $factor v128) (local $black v128) (local $white v128) (local $magic v128)
    (local.set $factor (f32x4.splat (local.get $single)))
    (local.set $white (f32x4.splat (f32.const 255)))
    (local.set $magic (f32x4.splat (f32.const 8388608)))
    (loop $next
      (local.set $pixels (v128.load (local.get $at)))
      (local.set $gray (i32x4.shr_u
        (i32x4.add
          (i32x4.add
            (i32x4.dot_i16x8_s
              (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 255 1 255 3 255 4 255 6 255 7 255 9 255 10 255))
              (v128.const i16x8 19595 19235 19595 19235 19595 19235 19595 19235))
            (i32x4.dot_i16x8_s
              (i8x16.swizzle (local.get $pixels) (v128.const i8x16 1 255 2 255 4 255 5 255 7 255 8 255 10 255 11 255))
              (v128.const i16x8 19235 7471 19235 7471 19235 7471 19235 7471)))
          (v128.const i32x4 32768 32768 32768 32768))
        (i32.const 16)))
      (local.set $grayLevel (f32x4.convert_i32x4_s (local.get $gray)))
      (local.set $r
        (i8x16.swizzle (local.get $pixels) (v128.const i8x16 0 255 255 255 3 255 255 255 6 255 255 255 9 255 255 255)))
      (local.set $g
        (i8x16.swizzle (local.get $pixels) (v128.const i8x16 1 255 255 255 4 255 255 255 7 255 255 255 10 255 255 255)))
      (local.set $b
        (i8x16.swizzle (local.get $pixels) (v128.const i8x16 2 255 255 255 5 255 255 255 8 255 255 255 11 255 255 255)))
      (local.set $r (f32x4.add (local.get $grayLevel)
        (f32x4.mul (local.get $factor) (f32x4.convert_i32x4_s (i32x4.sub (local.get $r) (local.get $gray))))))
      (local.set $g (f32x4.add (local.get $grayLevel)
        (f32x4.mul (local.get $factor) (f32x4.convert_i32x4_s (i32x4.sub (local.get $g) (local.get $gray))))))
      (local.set $b (f32x4.add (local.get $grayLevel)
        (f32x4.mul (local.get $factor) (f32x4.convert_i32x4_s (i32x4.sub (local.get $b) (local.get $gray))))))
      ;; pmax(black, NaN) is black: an infinite factor leaves gray pixels at NaN.
      (local.set $r (f32x4.add (local.get $magic)
        (f32x4.floor (f32x4.pmin (local.get $white) (f32x4.pmax (local.get $black) (local.get $r))))))
      (local.set $g (f32x4.add (local.get $magic)
        (f32x4.floor (f32x4.pmin (local.get $white) (f32x4.pmax (local.get $black) (local.get $g))))))
      (local.set $b (f32x4.add (local.get $magic)
        (f32x4.floor (f32x4.pmin (local.get $white) (f32x4.pmax (local.get $black) (local.get $b))))))
      (local.set $pixels (v128.or
        (v128.or
          (i8x16.swizzle (local.get $r) (v128.const i8x16 0 255 255 4 255 255 8 255 255 12 255 255 255 255 255 255))
          (i8x16.swizzle (local.get $g) (v128.const i8x16 255 0 255 255 4 255 255 8 255 255 12 255 255 255 255 255)))
        (i8x16.swizzle (local.get $b) (v128.const i8x16 255 255 0 255 255 4 255 255 8 255 255 12 255 255 255 255))))
      (v128.store64_lane 0 (local.get $at) (local.get $pixels))
      (v128.store32_lane offset=8 2 (local.get $at) (local.get $pixels))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 12))) (local.get $end)))))

  ;; Writes the pixels of each row of $width bytes to $to from the last to the first, five at a time. What is written
  ;; beyond a row the next one replaces. Up to 16 bytes before $at are read.
  (func (export "mirror") (param $at i32) (param $end i32) (param $width i32) (param $to i32)
    (local $from i32) (local $out i32)
    (loop $row
      (local.set $from (i32.add (local.get $at) (local.get $width)))
      (local.set $out (local.get $to))
      (loop $next
        (v128.store (local.get $out) (i8x16.swizzle
          (v128.load (local.tee $from (i32.sub (local.get $from) (i32.const 15))))
          (v128.const i8x16 12 13 14 9 10 11 6 7 8 3 4 5 0 1 2 255)))
        (local.set $out (i32.add (local.get $out) (i32.const 15)))
        (br_if $next (i32.gt_u (local.get $from) (local.get $at))))
      (local.set $to (i32.add (local.get $to) (local.get $width)))
      (br_if $row (i32.lt_u (local.tee $at (i32.add (local.get $at) (local.get $width))) (local.get $end)))))

  ;; Writes float32 values to $to by the tables of 256 values each for red, green and blue from address 1024. Values of
  ;; one pixel lie $apart bytes apart, those of one channel $step bytes.
  (func (export "values")
    (param $at i32) (param $end i32) (param $to i32) (param $apart i32) (param $step i32)
    (local $second i32) (local $third i32)
    (local.set $second (i32.add (local.get $to) (local.get $apart)))
    (local.set $third (i32.add (local.get $second) (local.get $apart)))
    (loop $next
      (f32.store (local.get $to)
        (f32.load offset=1024 (i32.shl (i32.load8_u (local.get $at)) (i32.const 2))))
      (f32.store (local.get $second)
        (f32.load offset=2048 (i32.shl (i32.load8_u offset=1 (local.get $at)) (i32.const 2))))
      (f32.store (local.get $third)
        (f32.load offset=3072 (i32.shl (i32.load8_u offset=2 (local.get $at)) (i32.const 2))))
      (local.set $to (i32.add (local.get $to) (local.get $step)))
      (local.set $second (i32.add (local.get $second) (local.get $step)))
      (local.set $third (i32.add (local.get $third) (local.get $step)))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 3))) (local.get $end))))))
