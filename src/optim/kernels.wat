;; Updates of optimizers, four float32 elements at a time. Array k of a kernel lies in page k (65,536 bytes) of the
;; memory; $end is a multiple of 16 bytes. The formulas are those of the file of the kernel's name, and of adam.ts.
(module
  (memory (export "memory") 5)

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
        (local.get $end)))))

  ;; Pages: parameter w, mean of squares s, velocity v where momentum is not 0, mean m where centered, gradient g.
  ;; g = g + l2 w; s = a s + c g g; m = a m + c g; d = g / (sqrt(max(s - m m, 0)) + epsilon); v = momentum v + d;
  ;; w = w - rate v. Without momentum v is d, and not centered m is 0.
  (func (export "rmsprop")
    (param $end i32) (param $l2 f32) (param $a f32) (param $c f32) (param $epsilon f32)
    (param $rate f32) (param $momentum f32) (param $centered i32)
    (local $i i32) (local $w v128) (local $g v128) (local $s v128) (local $m v128)
    (if (i32.eqz (local.get $end)) (then (return)))
    (loop $next
      (local.set $w (v128.load (local.get $i)))
      (local.set $g (f32x4.add
        (v128.load offset=262144 (local.get $i))
        (f32x4.mul (f32x4.splat (local.get $l2)) (local.get $w))))
      (local.set $s (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $a)) (v128.load offset=65536 (local.get $i)))
        (f32x4.mul (f32x4.splat (local.get $c)) (f32x4.mul (local.get $g) (local.get $g)))))
      (v128.store offset=65536 (local.get $i) (local.get $s))
      (if (local.get $centered) (then
        (local.set $m (f32x4.add
          (f32x4.mul (f32x4.splat (local.get $a)) (v128.load offset=196608 (local.get $i)))
          (f32x4.mul (f32x4.splat (local.get $c)) (local.get $g))))
        (v128.store offset=196608 (local.get $i) (local.get $m))
        (local.set $s (f32x4.max
          (f32x4.sub (local.get $s) (f32x4.mul (local.get $m) (local.get $m)))
          (f32x4.splat (f32.const 0))))))
      (local.set $g (f32x4.div (local.get $g)
        (f32x4.add (f32x4.sqrt (local.get $s)) (f32x4.splat (local.get $epsilon)))))
      (if (f32.ne (local.get $momentum) (f32.const 0)) (then
        (local.set $g (f32x4.add (local.get $g)
          (f32x4.mul (f32x4.splat (local.get $momentum)) (v128.load offset=131072 (local.get $i)))))
        (v128.store offset=131072 (local.get $i) (local.get $g))))
      (v128.store (local.get $i) (f32x4.sub (local.get $w)
        (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $g))))
      (br_if $next (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 16)))
        (local.get $end)))))

  ;; Pages: parameter w, sum of squares s, gradient g.
  ;; g = g + l2 w; s = s + g g; w = w - rate g / (sqrt(s + initial) + epsilon).
  (func (export "adagrad")
    (param $end i32) (param $l2 f32) (param $rate f32) (param $initial f32) (param $epsilon f32)
    (local $i i32) (local $w v128) (local $g v128) (local $s v128)
    (if (i32.eqz (local.get $end)) (then (return)))
    (loop $next
      (local.set $w (v128.load (local.get $i)))
      (local.set $g (f32x4.add
        (v128.load offset=131072 (local.get $i))
        (f32x4.mul (f32x4.splat (local.get $l2)) (local.get $w))))
      (local.set $s (f32x4.add
        (v128.load offset=65536 (local.get $i))
        (f32x4.mul (local.get $g) (local.get $g))))
      (v128.store offset=65536 (local.get $i) (local.get $s))
      (v128.store (local.get $i) (f32x4.sub (local.get $w)
        (f32x4.div
          (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $g))
          (f32x4.add
            (f32x4.sqrt (f32x4.add (local.get $s) (f32x4.splat (local.get $initial))))
            (f32x4.splat (local.get $epsilon))))))
      (br_if $next (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 16)))
        (local.get $end)))))

  ;; Pages: parameter w, momentum m, gradient g.
  ;; u = b1 m + c1 g; w = kept w - rate sign(u); m = b2 m + c2 g. The sign of 0 is 0, of what is no number none.
  (func (export "lion")
    (param $end i32) (param $b1 f32) (param $c1 f32) (param $b2 f32) (param $c2 f32)
    (param $kept f32) (param $rate f32)
    (local $i i32) (local $g v128) (local $m v128) (local $u v128)
    (if (i32.eqz (local.get $end)) (then (return)))
    (loop $next
      (local.set $g (v128.load offset=131072 (local.get $i)))
      (local.set $m (v128.load offset=65536 (local.get $i)))
      (local.set $u (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $b1)) (local.get $m))
        (f32x4.mul (f32x4.splat (local.get $c1)) (local.get $g))))
      (local.set $u (v128.bitselect
        (f32x4.sub
          (v128.and (f32x4.gt (local.get $u) (f32x4.splat (f32.const 0))) (f32x4.splat (f32.const 1)))
          (v128.and (f32x4.lt (local.get $u) (f32x4.splat (f32.const 0))) (f32x4.splat (f32.const 1))))
        (local.get $u)
        (f32x4.eq (local.get $u) (local.get $u))))
      (v128.store offset=65536 (local.get $i) (f32x4.add
        (f32x4.mul (f32x4.splat (local.get $b2)) (local.get $m))
        (f32x4.mul (f32x4.splat (local.get $c2)) (local.get $g))))
      (v128.store (local.get $i) (f32x4.sub
        (f32x4.mul (f32x4.splat (local.get $kept)) (v128.load (local.get $i)))
        (f32x4.mul (f32x4.splat (local.get $rate)) (local.get $u))))
      (br_if $next (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 16)))
        (local.get $end)))))

  ;; Pages: average a, parameter w. a = a + share (w - a).
  (func (export "average")
    (param $end i32) (param $share f32)
    (local $i i32) (local $a v128)
    (if (i32.eqz (local.get $end)) (then (return)))
    (loop $next
      (local.set $a (v128.load (local.get $i)))
      (v128.store (local.get $i) (f32x4.add (local.get $a)
        (f32x4.mul (f32x4.splat (local.get $share))
          (f32x4.sub (v128.load offset=65536 (local.get $i)) (local.get $a)))))
      (br_if $next (i32.lt_u
        (local.tee $i (i32.add (local.get $i) (i32.const 16)))
        (local.get $end))))))
