;; Updates of optimizers, four float32 elements at a time. Array k of a kernel lies in page k (65,536 bytes) of the
;; memory; $end is a multiple of 16 bytes. The formulas are those of sgd.ts and adam.ts.
(module
  (memory (export "memory") 4)

  ;; Pages: parameter w, velocity v, gradient g.
  ;; g = g + decay w; v = momentum v + g; w = w - rate v, or w - rate (g + momentum v) with nesterov.
  (func (export "sgd")
    (param $end i32) (param $rate f32) (param $decay f32) (param $momentum f32) (param $nesterov i32)
    (local $i i32) (local $w v128) (local $g v128) (local $v v128)
    (if (i32.eqz (local.get $end)) (then (return)))
    (loop $next
      (local.set $w (v128.load (local.get $i)))
      (local.set $g (f32x4.add
        (v128.load offset=131072 (local.get $i))
        (f32x4.mul (f32x4.splat (local.get $decay)) (local.get $w))))
      (local.set $v (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $momentum)) (v128.load offset=65536 (local.get $i)))
        (local.get $g)))
      (v128.store offset=65536 (local.get $i) (local.get $v))
      (if (local.get $nesterov) (then
        (local.set $v (f32x4.add (local.get $g)
          (f32x4.mul (f32x4.splat (local.get $momentum)) (local.get $v))))))
      (v128.store (local.get $i) (f32x4.sub (local.get $w)
        (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $v))))
      (br_if $next (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 16)))
        (local.get $end)))))

  ;; Pages: parameter w, moments m and v, gradient g.
  ;; g = g + l2 w; m = b1 m + c1 g; v = b2 v + c2 g g; w = kept w - size m / (scale sqrt(v) + epsilon).
  (func (export "adam")
    (param $end i32) (param $l2 f32) (param $b1 f32) (param $c1 f32) (param $b2 f32) (param $c2 f32)
    (param $kept f32) (param $size f32) (param $scale f32) (param $epsilon f32)
    (local $i i32) (local $w v128) (local $g v128) (local $m v128) (local $v v128)
    (if (i32.eqz (local.get $end)) (then (return)))
    (loop $next
      (local.set $w (v128.load (local.get $i)))
      (local.set $g (f32x4.add
        (v128.load offset=196608 (local.get $i))
        (f32x4.mul (f32x4.splat (local.get $l2)) (local.get $w))))
      (local.set $m (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $b1)) (v128.load offset=65536 (local.get $i)))
        (f32x4.mul (f32x4.splat (local.get $c1)) (local.get $g))))
      (local.set $v (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $b2)) (v128.load offset=131072 (local.get $i)))
        (f32x4.mul (f32x4.splat (local.get $c2)) (f32x4.mul (local.get $g) (local.get $g)))))
      (v128.store offset=65536 (local.get $i) (local.get $m))
      (v128.store offset=131072 (local.get $i) (local.get $v))
      (v128.store (local.get $i) (f32x4.sub
        (f32x4.mul (f32x4.splat (local.get $kept)) (local.get $w))
        (f32x4.div
          (f32x4.mul (f32x4.splat (local.get $size)) (local.get $m))
          (f32x4.add
            (f32x4.mul (f32x4.splat (local.get $scale)) (f32x4.sqrt (local.get $v)))
            (f32x4.splat (local.get $epsilon))))))
      (br_if $next (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 16)))
        (local.get $end))))))
