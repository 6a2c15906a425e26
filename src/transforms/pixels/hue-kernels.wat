;; Turns the hue of interleaved 8-bit RGB in place, sixteen pixels at a time, in the memory of pixel-kernels.wat.
;;
;; Bit for bit what Pillow's RGB to HSV to RGB (`Convert.c`) makes of every color, with HSV of 8 bits each. Pillow's
;; steps in double precision are single precision or whole numbers here where all results were found to be the same.
;; Adding 2 ** 23 to a whole float leaves the number in the lowest byte.
(module
  (import "pixels" "memory" (memory 1))

  ;; From $at to $end, by $shift 255ths of the circle; up to 48 bytes beyond $end are changed.
  (func (export "hue") (param $at i32) (param $end i32) (param $shift i32)
    (local $first v128) (local $second v128) (local $third v128) (local $r v128) (local $g v128) (local $b v128)
    (local $high v128) (local $low v128) (local $range v128) (local $drop v128) (local $isRed v128)
    (local $isRedOrGreen v128) (local $side v128) (local $start v128) (local $sign v128) (local $ranges v128)
    (local $sixths v128) (local $turns v128) (local $hue0 v128) (local $sat0 v128) (local $hue1 v128)
    (local $sat1 v128) (local $hue2 v128) (local $sat2 v128) (local $hue3 v128) (local $sat3 v128) (local $hue v128)
    (local $saturation v128) (local $level v128) (local $strength v128) (local $angle v128) (local $sixth0 v128)
    (local $far v128) (local $isEven v128) (local $share v128) (local $middle0 v128) (local $product v128)
    (local $lowest0 v128) (local $sixth1 v128) (local $middle1 v128) (local $lowest1 v128) (local $sixth v128)
    (local $middle v128) (local $lowest v128) (local $two v128) (local $spread0 v128) (local $one v128)
    (local $six v128) (local $white v128) (local $magic v128) (local $byte v128) (local $spread1 v128)
    (local $spread2 v128) (local $spread3 v128) (local $wide85 v128) (local $wide1 v128) (local $half v128)
    (local $part v128)
    (local.set $two (i8x16.splat (i32.const 2)))
    (local.set $spread0 (v128.const i8x16 0 255 255 255 1 255 255 255 2 255 255 255 3 255 255 255))
    (local.set $one (f32x4.splat (f32.const 1)))
    (local.set $six (f32x4.splat (f32.const 6)))
    (local.set $white (f32x4.splat (f32.const 255)))
    (local.set $magic (f32x4.splat (f32.const 8388608)))
    (local.set $byte (i32x4.splat (i32.const 255)))
    (local.set $spread1 (v128.const i8x16 4 255 255 255 5 255 255 255 6 255 255 255 7 255 255 255))
    (local.set $spread2 (v128.const i8x16 8 255 255 255 9 255 255 255 10 255 255 255 11 255 255 255))
    (local.set $spread3 (v128.const i8x16 12 255 255 255 13 255 255 255 14 255 255 255 15 255 255 255))
    (local.set $wide85 (i16x8.splat (i32.const 85)))
    (local.set $wide1 (i16x8.splat (i32.const 1)))
    (local.set $half (f32x4.splat (f32.const 10837.5)))
    (local.set $part (f32x4.splat (f32.div (f32.const 1) (f32.const 21675))))
    (loop $next
      (local.set $first (v128.load (local.get $at)))
      (local.set $second (v128.load offset=16 (local.get $at)))
      (local.set $third (v128.load offset=32 (local.get $at)))
      (local.set $r
        (v128.or
          (v128.or
            (i8x16.swizzle (local.get $first)
              (v128.const i8x16 0 3 6 9 12 15 255 255 255 255 255 255 255 255 255 255))
            (i8x16.swizzle (local.get $second)
              (v128.const i8x16 255 255 255 255 255 255 2 5 8 11 14 255 255 255 255 255)))
          (i8x16.swizzle (local.get $third)
            (v128.const i8x16 255 255 255 255 255 255 255 255 255 255 255 1 4 7 10 13))))
      (local.set $g
        (v128.or
          (v128.or
            (i8x16.swizzle (local.get $first)
              (v128.const i8x16 1 4 7 10 13 255 255 255 255 255 255 255 255 255 255 255))
            (i8x16.swizzle (local.get $second)
              (v128.const i8x16 255 255 255 255 255 0 3 6 9 12 15 255 255 255 255 255)))
          (i8x16.swizzle (local.get $third)
            (v128.const i8x16 255 255 255 255 255 255 255 255 255 255 255 2 5 8 11 14))))
      (local.set $b (v128.or
        (v128.or
          (i8x16.swizzle (local.get $first)
            (v128.const i8x16 2 5 8 11 14 255 255 255 255 255 255 255 255 255 255 255))
          (i8x16.swizzle (local.get $second)
            (v128.const i8x16 255 255 255 255 255 1 4 7 10 13 255 255 255 255 255 255)))
        (i8x16.swizzle (local.get $third) (v128.const i8x16 255 255 255 255 255 255 255 255 255 255 0 3 6 9 12 15))))
      (local.set $high (i8x16.max_u (i8x16.max_u (local.get $r) (local.get $g)) (local.get $b)))
      (local.set $low (i8x16.min_u (i8x16.min_u (local.get $r) (local.get $g)) (local.get $b)))
      (local.set $range (i8x16.sub (local.get $high) (local.get $low)))
      ;; The middle channel is what the exclusive or of all three leaves of the others.
      (local.set $drop (i8x16.sub (local.get $high) (v128.xor
        (v128.xor (v128.xor (local.get $r) (local.get $g)) (v128.xor (local.get $b) (local.get $low)))
        (local.get $high))))
      ;; The hue in sixths of the circle is, with drop / range = d,
      ;;   1 - d or d - 1 if red is highest, 3 - d or d + 1 if green is, 5 - d or d + 3 if blue is;
      ;; the former if, in this order, blue, red, or green is lowest. $start is the number before d, plus 1.
      (local.set $isRed (i8x16.eq (local.get $r) (local.get $high)))
      (local.set $isRedOrGreen (v128.or (local.get $isRed) (i8x16.eq (local.get $g) (local.get $high))))
      (local.set $side (v128.bitselect
        (i8x16.eq (local.get $r) (local.get $low))
        (i8x16.eq (local.get $g) (local.get $low))
        (v128.andnot (local.get $isRedOrGreen) (local.get $isRed))))
      (local.set $start (i8x16.add
        (i8x16.sub (v128.xor (v128.and (local.get $side) (local.get $two)) (local.get $isRed)) (local.get $isRed))
        (i8x16.add (local.get $two) (v128.andnot (local.get $two) (local.get $isRedOrGreen)))))
      (local.set $sign (v128.and (v128.xor (local.get $side) (local.get $isRed)) (i8x16.splat (i32.const 128))))
      ;; Hue and saturation of 8 bits, four pixels at a time; 0 / 0 ends as 0.
      (local.set $ranges (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $range) (local.get $spread0))))
      (local.set $sixths
        (f32x4.add
          (f32x4.sub (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $start) (local.get $spread0))) (local.get $one))
          (v128.xor
            (f32x4.div
              (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $drop) (local.get $spread0)))
              (local.get $ranges))
            (i8x16.swizzle (local.get $sign)
              (v128.const i8x16 255 255 255 0 255 255 255 1 255 255 255 2 255 255 255 3)))))
      (local.set $turns (f32x4.div (local.get $sixths) (local.get $six)))
      (local.set $turns
        (f32x4.add (local.get $turns) (v128.and (i32x4.shr_s (local.get $turns) (i32.const 31)) (local.get $one))))
      (local.set $hue0 (v128.and
        (f32x4.add (f32x4.floor (f32x4.mul (local.get $turns) (local.get $white))) (local.get $magic))
        (local.get $byte)))
      (local.set $sat0 (v128.and
        (f32x4.add
          (f32x4.floor (f32x4.div
            (f32x4.mul (local.get $ranges) (local.get $white))
            (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $high) (local.get $spread0)))))
          (local.get $magic))
        (local.get $byte)))
      ;; The next four.
      (local.set $ranges (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $range) (local.get $spread1))))
      (local.set $sixths
        (f32x4.add
          (f32x4.sub (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $start) (local.get $spread1))) (local.get $one))
          (v128.xor
            (f32x4.div
              (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $drop) (local.get $spread1)))
              (local.get $ranges))
            (i8x16.swizzle (local.get $sign)
              (v128.const i8x16 255 255 255 4 255 255 255 5 255 255 255 6 255 255 255 7)))))
      (local.set $turns (f32x4.div (local.get $sixths) (local.get $six)))
      (local.set $turns
        (f32x4.add (local.get $turns) (v128.and (i32x4.shr_s (local.get $turns) (i32.const 31)) (local.get $one))))
      (local.set $hue1 (v128.and
        (f32x4.add (f32x4.floor (f32x4.mul (local.get $turns) (local.get $white))) (local.get $magic))
        (local.get $byte)))
      (local.set $sat1 (v128.and
        (f32x4.add
          (f32x4.floor (f32x4.div
            (f32x4.mul (local.get $ranges) (local.get $white))
            (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $high) (local.get $spread1)))))
          (local.get $magic))
        (local.get $byte)))
      ;; The next four.
      (local.set $ranges (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $range) (local.get $spread2))))
      (local.set $sixths (f32x4.add
        (f32x4.sub (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $start) (local.get $spread2))) (local.get $one))
        (v128.xor
          (f32x4.div
            (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $drop) (local.get $spread2)))
            (local.get $ranges))
          (i8x16.swizzle (local.get $sign)
            (v128.const i8x16 255 255 255 8 255 255 255 9 255 255 255 10 255 255 255 11)))))
      (local.set $turns (f32x4.div (local.get $sixths) (local.get $six)))
      (local.set $turns
        (f32x4.add (local.get $turns) (v128.and (i32x4.shr_s (local.get $turns) (i32.const 31)) (local.get $one))))
      (local.set $hue2 (v128.and
        (f32x4.add (f32x4.floor (f32x4.mul (local.get $turns) (local.get $white))) (local.get $magic))
        (local.get $byte)))
      (local.set $sat2 (v128.and
        (f32x4.add
          (f32x4.floor (f32x4.div
            (f32x4.mul (local.get $ranges) (local.get $white))
            (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $high) (local.get $spread2)))))
          (local.get $magic))
        (local.get $byte)))
      ;; The last four.
      (local.set $ranges (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $range) (local.get $spread3))))
      (local.set $sixths (f32x4.add
        (f32x4.sub (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $start) (local.get $spread3))) (local.get $one))
        (v128.xor
          (f32x4.div
            (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $drop) (local.get $spread3)))
            (local.get $ranges))
          (i8x16.swizzle (local.get $sign)
            (v128.const i8x16 255 255 255 12 255 255 255 13 255 255 255 14 255 255 255 15)))))
      (local.set $turns (f32x4.div (local.get $sixths) (local.get $six)))
      (local.set $turns
        (f32x4.add (local.get $turns) (v128.and (i32x4.shr_s (local.get $turns) (i32.const 31)) (local.get $one))))
      (local.set $hue3 (v128.and
        (f32x4.add (f32x4.floor (f32x4.mul (local.get $turns) (local.get $white))) (local.get $magic))
        (local.get $byte)))
      (local.set $sat3 (v128.and
        (f32x4.add
          (f32x4.floor (f32x4.div
            (f32x4.mul (local.get $ranges) (local.get $white))
            (f32x4.convert_i32x4_s (i8x16.swizzle (local.get $high) (local.get $spread3)))))
          (local.get $magic))
        (local.get $byte)))
      (local.set $hue (i8x16.add
        (i8x16.narrow_i16x8_u
          (i16x8.narrow_i32x4_s (local.get $hue0) (local.get $hue1))
          (i16x8.narrow_i32x4_s (local.get $hue2) (local.get $hue3)))
        (i8x16.splat (local.get $shift))))
      (local.set $saturation (i8x16.narrow_i16x8_u
        (i16x8.narrow_i32x4_s (local.get $sat0) (local.get $sat1))
        (i16x8.narrow_i32x4_s (local.get $sat2) (local.get $sat3))))
      ;; Which sixth the hue is in, and how far, in 85ths, from the end where the middle channel is the highest one:
      ;; the middle channel is high * (1 - saturation / 255 * far / 85), the lowest high * (1 - saturation / 255).
      ;; Both are rounded exactly: nothing lies half-way between two levels.
      (local.set $level (i16x8.extend_low_i8x16_u (local.get $high)))
      (local.set $strength (i16x8.extend_low_i8x16_u (local.get $saturation)))
      (local.set $angle (i16x8.extend_low_i8x16_u (local.get $hue)))
      (local.set $sixth0 (i16x8.shr_u (i16x8.mul (local.get $angle) (i16x8.splat (i32.const 193))) (i32.const 13)))
      (local.set $far (i16x8.sub
        (i16x8.add (local.get $angle) (local.get $angle))
        (i16x8.mul (local.get $sixth0) (local.get $wide85))))
      (local.set $isEven (i16x8.sub (v128.and (local.get $sixth0) (local.get $wide1)) (local.get $wide1)))
      (local.set $far (i16x8.add
        (i16x8.sub (v128.xor (local.get $far) (local.get $isEven)) (local.get $isEven))
        (v128.and (local.get $isEven) (local.get $wide85))))
      (local.set $share
        (i16x8.sub (i16x8.splat (i32.const 21675)) (i16x8.mul (local.get $strength) (local.get $far))))
      (local.set $middle0 (i16x8.narrow_i32x4_s
        (v128.and
          (f32x4.add
            (f32x4.floor (f32x4.mul
              (f32x4.add
                (f32x4.convert_i32x4_s (i32x4.extmul_low_i16x8_s (local.get $level) (local.get $share)))
                (local.get $half))
              (local.get $part)))
            (local.get $magic))
          (local.get $byte))
        (v128.and
          (f32x4.add
            (f32x4.floor (f32x4.mul
              (f32x4.add
                (f32x4.convert_i32x4_s (i32x4.extmul_high_i16x8_s (local.get $level) (local.get $share)))
                (local.get $half))
              (local.get $part)))
            (local.get $magic))
          (local.get $byte))))
      (local.set $product (i16x8.add
        (i16x8.mul (local.get $level) (i16x8.sub (i16x8.splat (i32.const 255)) (local.get $strength)))
        (i16x8.splat (i32.const 128))))
      (local.set $lowest0
        (i16x8.shr_u (i16x8.add (local.get $product) (i16x8.shr_u (local.get $product) (i32.const 8))) (i32.const 8)))
      ;; The same for the other eight pixels.
      (local.set $level (i16x8.extend_high_i8x16_u (local.get $high)))
      (local.set $strength (i16x8.extend_high_i8x16_u (local.get $saturation)))
      (local.set $angle (i16x8.extend_high_i8x16_u (local.get $hue)))
      (local.set $sixth1 (i16x8.shr_u (i16x8.mul (local.get $angle) (i16x8.splat (i32.const 193))) (i32.const 13)))
      (local.set $far (i16x8.sub
        (i16x8.add (local.get $angle) (local.get $angle))
        (i16x8.mul (local.get $sixth1) (local.get $wide85))))
      (local.set $isEven (i16x8.sub (v128.and (local.get $sixth1) (local.get $wide1)) (local.get $wide1)))
      (local.set $far (i16x8.add
        (i16x8.sub (v128.xor (local.get $far) (local.get $isEven)) (local.get $isEven))
        (v128.and (local.get $isEven) (local.get $wide85))))
      (local.set $share
        (i16x8.sub (i16x8.splat (i32.const 21675)) (i16x8.mul (local.get $strength) (local.get $far))))
      (local.set $middle1 (i16x8.narrow_i32x4_s
        (v128.and
          (f32x4.add
            (f32x4.floor (f32x4.mul
              (f32x4.add
                (f32x4.convert_i32x4_s (i32x4.extmul_low_i16x8_s (local.get $level) (local.get $share)))
                (local.get $half))
              (local.get $part)))
            (local.get $magic))
          (local.get $byte))
        (v128.and
          (f32x4.add
            (f32x4.floor (f32x4.mul
              (f32x4.add
                (f32x4.convert_i32x4_s (i32x4.extmul_high_i16x8_s (local.get $level) (local.get $share)))
                (local.get $half))
              (local.get $part)))
            (local.get $magic))
          (local.get $byte))))
      (local.set $product (i16x8.add
        (i16x8.mul (local.get $level) (i16x8.sub (i16x8.splat (i32.const 255)) (local.get $strength)))
        (i16x8.splat (i32.const 128))))
      (local.set $lowest1
        (i16x8.shr_u (i16x8.add (local.get $product) (i16x8.shr_u (local.get $product) (i32.const 8))) (i32.const 8)))
      (local.set $sixth (i8x16.narrow_i16x8_u (local.get $sixth0) (local.get $sixth1)))
      (local.set $middle (i8x16.narrow_i16x8_u (local.get $middle0) (local.get $middle1)))
      (local.set $lowest (i8x16.narrow_i16x8_u (local.get $lowest0) (local.get $lowest1)))
      ;; Which of the three each channel is, by sixth; hue 255 gives sixth 6, which is red again.
      (local.set $r (v128.bitselect (local.get $high)
        (v128.bitselect (local.get $middle)
          (local.get $lowest)
          (i8x16.swizzle (v128.const i8x16 0 -1 0 0 -1 0 0 0 0 0 0 0 0 0 0 0) (local.get $sixth)))
        (i8x16.swizzle (v128.const i8x16 -1 0 0 0 0 -1 -1 0 0 0 0 0 0 0 0 0) (local.get $sixth))))
      (local.set $g (v128.bitselect (local.get $high)
        (v128.bitselect (local.get $middle)
          (local.get $lowest)
          (i8x16.swizzle (v128.const i8x16 -1 0 0 -1 0 0 -1 0 0 0 0 0 0 0 0 0) (local.get $sixth)))
        (i8x16.swizzle (v128.const i8x16 0 -1 -1 0 0 0 0 0 0 0 0 0 0 0 0 0) (local.get $sixth))))
      (local.set $b (v128.bitselect (local.get $high)
        (v128.bitselect (local.get $middle)
          (local.get $lowest)
          (i8x16.swizzle (v128.const i8x16 0 0 -1 0 0 -1 0 0 0 0 0 0 0 0 0 0) (local.get $sixth)))
        (i8x16.swizzle (v128.const i8x16 0 0 0 -1 -1 0 0 0 0 0 0 0 0 0 0 0) (local.get $sixth))))
      (v128.store (local.get $at) (v128.or
        (v128.or
          (i8x16.swizzle (local.get $r) (v128.const i8x16 0 255 255 1 255 255 2 255 255 3 255 255 4 255 255 5))
          (i8x16.swizzle (local.get $g) (v128.const i8x16 255 0 255 255 1 255 255 2 255 255 3 255 255 4 255 255)))
        (i8x16.swizzle (local.get $b) (v128.const i8x16 255 255 0 255 255 1 255 255 2 255 255 3 255 255 4 255))))
      (v128.store offset=16 (local.get $at) (v128.or
        (v128.or
          (i8x16.swizzle (local.get $r) (v128.const i8x16 255 255 6 255 255 7 255 255 8 255 255 9 255 255 10 255))
          (i8x16.swizzle (local.get $g) (v128.const i8x16 5 255 255 6 255 255 7 255 255 8 255 255 9 255 255 10)))
        (i8x16.swizzle (local.get $b) (v128.const i8x16 255 5 255 255 6 255 255 7 255 255 8 255 255 9 255 255))))
      (v128.store offset=32 (local.get $at)
        (v128.or
          (v128.or
            (i8x16.swizzle (local.get $r)
              (v128.const i8x16 255 11 255 255 12 255 255 13 255 255 14 255 255 15 255 255))
            (i8x16.swizzle (local.get $g)
              (v128.const i8x16 255 255 11 255 255 12 255 255 13 255 255 14 255 255 15 255)))
          (i8x16.swizzle (local.get $b) (v128.const i8x16 10 255 255 11 255 255 12 255 255 13 255 255 14 255 255 15))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 48))) (local.get $end))))))
