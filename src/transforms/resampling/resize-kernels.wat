;; The two passes of resize.ts on interleaved 8-bit RGB. A weight w of 22 fractional bits is kept as two 16-bit numbers,
;; w = 32768 high + low with low in [0, 32768), so that one instruction multiplies and adds the taps two by two; sums
;; wrap at 32 bits in both parts, and their total is exactly that of 32-bit products.
;; A table has, for each place of the result, 8 bytes $heads (offset of the first source byte, number of pairs of taps)
;; and $step bytes $weights (for each pair 8 bytes: low0 low1 high0 high1). Weights beyond the last tap are zero.
;; Up to 16 bytes beyond the source are read and up to 15 beyond the result are written.
(module
  (memory (export "memory") 1)

  (func $finish (param $low v128) (param $high v128) (result v128)
    (i32x4.shr_s
      (i32x4.add
        (i32x4.add (local.get $low) (i32x4.shl (local.get $high) (i32.const 15)))
        (i32x4.splat (i32.const 2097152))) ;; a half: rounds to nearest
      (i32.const 22)))

  ;; Rows of $columns pixels at $to from rows $stride bytes apart at $from. Lanes are red, green, blue, nothing.
  (func (export "horizontal")
    (param $from i32) (param $stride i32) (param $rows i32) (param $to i32) (param $columns i32)
    (param $heads i32) (param $weights i32) (param $step i32)
    (local $head i32) (local $end i32) (local $weight i32) (local $next i32) (local $source i32) (local $pairs i32)
    (local $low v128) (local $high v128) (local $pixels v128)
    (local.set $end (i32.add (local.get $heads) (i32.shl (local.get $columns) (i32.const 3))))
    (loop $row
      (local.set $head (local.get $heads))
      (local.set $next (local.get $weights))
      (loop $column
        (local.set $source (i32.add (local.get $from) (i32.load (local.get $head))))
        (local.set $pairs (i32.load offset=4 (local.get $head)))
        (local.set $weight (local.get $next))
        (local.set $low (v128.const i32x4 0 0 0 0))
        (local.set $high (v128.const i32x4 0 0 0 0))
        (loop $pair
          (local.set $pixels (i8x16.shuffle 0 16 3 16 1 16 4 16 2 16 5 16 16 16 16 16
            (v128.load64_zero (local.get $source)) (v128.const i32x4 0 0 0 0)))
          (local.set $low (i32x4.add (local.get $low)
            (i32x4.dot_i16x8_s (local.get $pixels) (v128.load32_splat (local.get $weight)))))
          (local.set $high (i32x4.add (local.get $high)
            (i32x4.dot_i16x8_s (local.get $pixels) (v128.load32_splat offset=4 (local.get $weight)))))
          (local.set $source (i32.add (local.get $source) (i32.const 6)))
          (local.set $weight (i32.add (local.get $weight) (i32.const 8)))
          (br_if $pair (local.tee $pairs (i32.sub (local.get $pairs) (i32.const 1)))))
        (local.set $pixels (call $finish (local.get $low) (local.get $high)))
        (local.set $pixels (i16x8.narrow_i32x4_s (local.get $pixels) (local.get $pixels)))
        (v128.store32_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $pixels) (local.get $pixels)))
        (local.set $to (i32.add (local.get $to) (i32.const 3)))
        (local.set $next (i32.add (local.get $next) (local.get $step)))
        (br_if $column (i32.lt_u (local.tee $head (i32.add (local.get $head) (i32.const 8))) (local.get $end))))
      (local.set $from (i32.add (local.get $from) (local.get $stride)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; $rows rows of $bytes bytes at $to from rows of as many bytes at $from. Lanes are neighbouring bytes.
  (func (export "vertical")
    (param $from i32) (param $bytes i32) (param $to i32) (param $rows i32)
    (param $heads i32) (param $weights i32) (param $step i32)
    (local $at i32) (local $source i32) (local $pairs i32) (local $weight i32)
    (local $a v128) (local $b v128) (local $left v128) (local $right v128) (local $wl v128) (local $wh v128)
    (local $l0 v128) (local $l1 v128) (local $l2 v128) (local $l3 v128)
    (local $h0 v128) (local $h1 v128) (local $h2 v128) (local $h3 v128)
    (loop $row
      (local.set $at (i32.const 0))
      (loop $block
        (local.set $source (i32.add (i32.add (local.get $from) (i32.load (local.get $heads))) (local.get $at)))
        (local.set $pairs (i32.load offset=4 (local.get $heads)))
        (local.set $weight (local.get $weights))
        (local.set $l0 (v128.const i32x4 0 0 0 0))
        (local.set $l1 (v128.const i32x4 0 0 0 0))
        (local.set $l2 (v128.const i32x4 0 0 0 0))
        (local.set $l3 (v128.const i32x4 0 0 0 0))
        (local.set $h0 (v128.const i32x4 0 0 0 0))
        (local.set $h1 (v128.const i32x4 0 0 0 0))
        (local.set $h2 (v128.const i32x4 0 0 0 0))
        (local.set $h3 (v128.const i32x4 0 0 0 0))
        (loop $pair
          (local.set $wl (v128.load32_splat (local.get $weight)))
          (local.set $wh (v128.load32_splat offset=4 (local.get $weight)))
          (local.set $a (v128.load (local.get $source)))
          (local.set $b (v128.load (i32.add (local.get $source) (local.get $bytes))))
          (local.set $left (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get $a) (local.get $b)))
          (local.set $right (i8x16.shuffle 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31 (local.get $a) (local.get $b)))
          (local.set $a (i16x8.extend_low_i8x16_u (local.get $left)))
          (local.set $b (i16x8.extend_high_i8x16_u (local.get $left)))
          (local.set $l0 (i32x4.add (local.get $l0) (i32x4.dot_i16x8_s (local.get $a) (local.get $wl))))
          (local.set $h0 (i32x4.add (local.get $h0) (i32x4.dot_i16x8_s (local.get $a) (local.get $wh))))
          (local.set $l1 (i32x4.add (local.get $l1) (i32x4.dot_i16x8_s (local.get $b) (local.get $wl))))
          (local.set $h1 (i32x4.add (local.get $h1) (i32x4.dot_i16x8_s (local.get $b) (local.get $wh))))
          (local.set $a (i16x8.extend_low_i8x16_u (local.get $right)))
          (local.set $b (i16x8.extend_high_i8x16_u (local.get $right)))
          (local.set $l2 (i32x4.add (local.get $l2) (i32x4.dot_i16x8_s (local.get $a) (local.get $wl))))
          (local.set $h2 (i32x4.add (local.get $h2) (i32x4.dot_i16x8_s (local.get $a) (local.get $wh))))
          (local.set $l3 (i32x4.add (local.get $l3) (i32x4.dot_i16x8_s (local.get $b) (local.get $wl))))
          (local.set $h3 (i32x4.add (local.get $h3) (i32x4.dot_i16x8_s (local.get $b) (local.get $wh))))
          (local.set $source (i32.add (local.get $source) (i32.shl (local.get $bytes) (i32.const 1))))
          (local.set $weight (i32.add (local.get $weight) (i32.const 8)))
          (br_if $pair (local.tee $pairs (i32.sub (local.get $pairs) (i32.const 1)))))
        (v128.store (i32.add (local.get $to) (local.get $at))
          (i8x16.narrow_i16x8_u
            (i16x8.narrow_i32x4_s
              (call $finish (local.get $l0) (local.get $h0))
              (call $finish (local.get $l1) (local.get $h1)))
            (i16x8.narrow_i32x4_s
              (call $finish (local.get $l2) (local.get $h2))
              (call $finish (local.get $l3) (local.get $h3)))))
        (br_if $block (i32.lt_u
          (local.tee $at (i32.add (local.get $at) (i32.const 16)))
          (local.get $bytes))))
      (local.set $to (i32.add (local.get $to) (local.get $bytes)))
      (local.set $heads (i32.add (local.get $heads) (i32.const 8)))
      (local.set $weights (i32.add (local.get $weights) (local.get $step)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))
