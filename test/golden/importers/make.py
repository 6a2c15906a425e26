"""Makes the golden files of the Keras importers: small models with what they compute.

Run once with Keras 2 (Python 3.11, tensorflow-cpu 2.15.1: keras 2.15.0) and once with Keras 3 (keras 3.15.1 with
KERAS_BACKEND=torch, torch 2.15.0):

    python make.py

keras2.json.gz and keras3.json.gz hold one entry per model: its topology, the names and shapes of its weights, and some
of its outputs. No weights are stored: element i of weight k is 0.3 sin(0.7 i + k), and 0.75 + 0.25 sin(0.7 i + k) for
variances and counts. The input is sin(0.001 i + 0.1 (i mod 7)). whole-*.h5 and whole-*.keras are one model each, saved
by that version; their outputs are in whole-keras2.json and whole-keras3.json.
"""
import gzip
import json
import math
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.setdefault("KERAS_BACKEND", "torch")
import numpy as np

try:
    import tensorflow as tf
except ImportError:
    tf = None
import keras

L = keras.layers
MAJOR = int(keras.__version__.split(".")[0])
FOLDER = os.path.dirname(os.path.abspath(__file__))


def sequential(*layers, shape=(6, 7, 3)):
    return lambda: keras.Sequential([keras.Input(shape), *[make() for make in layers]])


def functional(build, shape=(6, 7, 3)):
    def make():
        inputs = keras.Input(shape)
        return keras.Model(inputs, build(inputs))

    return make


def one(layer, *args, shape=(6, 7, 3), **kwargs):
    return sequential(lambda: layer(*args, **kwargs), shape=shape)


def pair(layer, **kwargs):
    return functional(lambda x: layer(**kwargs)([L.Conv2D(4, 1)(x), L.Conv2D(4, 3, padding="same")(x)]))


def shared(x):
    conv = L.Conv2D(3, 3, padding="same", name="twice")
    return L.Add()([conv(x), conv(conv(x))])


def nested(x):
    inner = keras.Sequential([L.Input((6, 7, 4)), L.Conv2D(2, 3, name="c2"), L.Flatten(), L.Dense(3, name="d")], name="inner")
    i = keras.Input((6, 7, 3))
    outer = keras.Model(i, L.ReLU()(L.Conv2D(4, 1, name="c")(i)), name="outer")
    return inner(outer(x))


def reused(x):
    i = keras.Input((6, 7, 3))
    block = keras.Model(i, L.BatchNormalization(name="n")(L.Conv2D(3, 3, padding="same", name="c")(i)), name="block")
    return L.Concatenate()([block(x), block(block(x))])


def squeeze(x):
    s = L.GlobalAveragePooling2D()(x)
    s = L.Reshape((1, 1, 3))(s)
    s = L.Conv2D(3, 1, activation="sigmoid")(s)
    return L.Multiply()([x, s])


CASES = {
    "conv valid": one(L.Conv2D, 4, 3),
    "conv same": one(L.Conv2D, 4, 3, padding="same", activation="relu"),
    "conv same stride 2": one(L.Conv2D, 4, 3, strides=2, padding="same"),
    "conv same stride 2 even kernel": one(L.Conv2D, 4, (2, 4), strides=(2, 3), padding="same", use_bias=False),
    "conv same stride 3 small kernel": one(L.Conv2D, 4, 1, strides=3, padding="same"),
    "conv dilated": one(L.Conv2D, 4, 3, dilation_rate=2, padding="same"),
    "conv groups": one(L.Conv2D, 6, 3, groups=3),
    "conv valid stride 2": one(L.Conv2D, 4, (3, 2), strides=2),
    "depthwise": one(L.DepthwiseConv2D, 3, padding="same", activation="tanh"),
    "depthwise multiplier": one(L.DepthwiseConv2D, (3, 2), strides=2, depth_multiplier=2),
    "separable": one(L.SeparableConv2D, 5, 3, strides=2, padding="same", depth_multiplier=2, activation="relu6"),
    "transpose valid": one(L.Conv2DTranspose, 4, 3, strides=2, shape=(3, 2, 2)),
    "transpose same": one(L.Conv2DTranspose, 4, 3, strides=2, padding="same", shape=(3, 2, 2)),
    "transpose same even": one(L.Conv2DTranspose, 4, 4, strides=2, padding="same", shape=(3, 2, 2)),
    "transpose small kernel": one(L.Conv2DTranspose, 4, 2, strides=3, shape=(3, 2, 2)),
    "transpose small kernel same": one(L.Conv2DTranspose, 4, 2, strides=3, padding="same", shape=(3, 2, 2)),
    "transpose output padding": one(L.Conv2DTranspose, 4, 3, strides=2, output_padding=1, shape=(3, 2, 2)),
    "dense vector": one(L.Dense, 4, activation="softmax", shape=(5,)),
    "dense tokens": one(L.Dense, 4, shape=(5, 3)),
    "dense map": one(L.Dense, 4, activation="relu"),
    "flatten dense": sequential(lambda: L.Conv2D(2, 3), L.Flatten, lambda: L.Dense(4, activation="relu"), lambda: L.Dense(3)),
    "flatten dropout dense": sequential(lambda: L.MaxPooling2D(3), L.Flatten, lambda: L.Dropout(0.5), lambda: L.Dense(4)),
    "flatten": sequential(lambda: L.MaxPooling2D(2), L.Flatten),
    "flatten normalized": sequential(lambda: L.MaxPooling2D(2), L.Flatten, L.BatchNormalization, lambda: L.Dense(2)),
    "flatten softmax": sequential(lambda: L.MaxPooling2D(2), L.Flatten, L.Softmax),
    "flatten twice": functional(lambda x: L.Concatenate()([L.Flatten()(x), L.Flatten()(L.MaxPooling2D(2)(x))])),
    "batch normalization": one(L.BatchNormalization),
    "batch normalization bare": one(L.BatchNormalization, scale=False, center=False, epsilon=0.01),
    "batch normalization vector": one(L.BatchNormalization, shape=(5,)),
    "batch normalization tokens": one(L.BatchNormalization, shape=(5, 3)),
    "batch normalization rows": one(L.BatchNormalization, axis=1),
    "layer normalization": one(L.LayerNormalization),
    "layer normalization maps": one(L.LayerNormalization, axis=[1, 2, 3], epsilon=1e-5),
    "layer normalization bare": one(L.LayerNormalization, scale=False, center=False),
    "normalization fixed": one(L.Normalization, mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 0.5]),
    "normalization": one(L.Normalization),
    "rescaling": one(L.Rescaling, 1 / 127.5, offset=-1),
    "rescaling channels": one(L.Rescaling, [1.0, 2.0, 3.0], offset=[0.5, 0.25, 0.0]),
    "relu layer": one(L.ReLU),
    "relu limited": one(L.ReLU, max_value=0.5, negative_slope=0.1),
    "relu 6": one(L.ReLU, 6.0),
    "relu threshold": one(L.ReLU, threshold=0.3, max_value=0.8),
    "leaky relu": one(L.LeakyReLU, 0.2),
    "prelu": one(L.PReLU),
    "prelu shared": one(L.PReLU, shared_axes=[1, 2]),
    "elu layer": one(L.ELU, 0.7),
    "softmax layer": one(L.Softmax),
    "max pooling": one(L.MaxPooling2D, (2, 3)),
    "max pooling same": one(L.MaxPooling2D, 3, strides=2, padding="same"),
    "average pooling": one(L.AveragePooling2D, (2, 3)),
    "average pooling same": one(L.AveragePooling2D, 3, strides=2, padding="same"),
    "max pooling of padded": sequential(lambda: L.Conv2D(4, 1), lambda: L.ZeroPadding2D(1), lambda: L.MaxPooling2D(3, strides=2)),
    "max pooling of padded any size": sequential(lambda: L.ZeroPadding2D(1), lambda: L.ReLU(negative_slope=1.0), lambda: L.ZeroPadding2D(1), lambda: L.MaxPooling2D(3, strides=2), shape=(None, None, 3)),
    "global average": one(L.GlobalAveragePooling2D),
    "global average keepdims": one(L.GlobalAveragePooling2D, keepdims=True),
    "global max": one(L.GlobalMaxPooling2D),
    "add": pair(L.Add),
    "subtract": pair(L.Subtract),
    "multiply": pair(L.Multiply),
    "average": pair(L.Average),
    "maximum": pair(L.Maximum),
    "minimum": pair(L.Minimum),
    "concatenate": pair(L.Concatenate),
    "concatenate rows": pair(L.Concatenate, axis=1),
    "average pooling of padded": sequential(lambda: L.ZeroPadding2D(1), lambda: L.AveragePooling2D(3, strides=2)),
    "zero padding": one(L.ZeroPadding2D, ((0, 1), (2, 1))),
    "cropping": one(L.Cropping2D, ((1, 2), (0, 3))),
    "up sampling": one(L.UpSampling2D, (2, 3), shape=(3, 2, 2)),
    "up sampling bilinear": one(L.UpSampling2D, 2, interpolation="bilinear", shape=(3, 2, 2)),
    "resizing": one(L.Resizing, 4, 9),
    "resizing nearest": one(L.Resizing, 4, 9, interpolation="nearest"),
    "reshape": one(L.Reshape, (7, -1)),
    "reshape map": sequential(lambda: L.Reshape((3, 6, 7)), lambda: L.Conv2D(2, 2)),
    "permute": one(L.Permute, (3, 1, 2)),
    "permute map": sequential(lambda: L.Permute((2, 1, 3)), lambda: L.Conv2D(2, 2)),
    "dropout and noise": sequential(lambda: L.Dropout(0.5), lambda: L.SpatialDropout2D(0.5), lambda: L.GaussianNoise(1.0)),
    "random changes": sequential(lambda: L.RandomFlip("horizontal"), lambda: L.RandomRotation(0.2), lambda: L.RandomZoom(0.2), lambda: L.RandomContrast(0.2)),
    "shared layer": functional(shared),
    "nested models": functional(nested),
    "reused model": functional(reused),
    "squeeze and excitation": functional(squeeze),
    "any size": one(L.Conv2D, 2, 3, strides=2, padding="same", shape=(None, None, 3)),
    "any size pooled": sequential(lambda: L.MaxPooling2D(3, strides=2, padding="same"), lambda: L.AveragePooling2D(2, padding="same"), L.GlobalAveragePooling2D, lambda: L.Dense(2), shape=(None, None, 3)),
    "preprocess caffe": functional(lambda x: L.Conv2D(2, 1)(keras.applications.resnet50.preprocess_input(x))),
    "preprocess tf": functional(lambda x: L.Conv2D(2, 1)(keras.applications.mobilenet_v2.preprocess_input(x))),
    "arithmetic": functional(lambda x: (1.0 - x * 0.5) / 2.0 + x),
    "slices": functional(lambda x: x[:, 1:5:2, :, 1:]),
    "slice of channel": functional(lambda x: L.Flatten()(x[..., 1])),
    "slice of row": functional(lambda x: x[:, 2]),
}
if tf is None:
    del CASES["average pooling same"]  # PyTorch's backend repeats the border where padding is uneven; TensorFlow's does not
NAMES = "relu relu6 sigmoid tanh softmax linear elu selu softplus softsign exponential swish gelu hard_sigmoid".split()
if MAJOR >= 3:
    NAMES += "silu leaky_relu log_softmax mish celu hard_silu hard_tanh".split()
    CASES["channels first"] = sequential(
        lambda: L.Conv2D(4, 3, padding="same", data_format="channels_first"),
        lambda: L.BatchNormalization(axis=1),
        lambda: L.MaxPooling2D(2, data_format="channels_first"),
        lambda: L.Flatten(data_format="channels_first"),
        lambda: L.Dense(3),
        shape=(3, 6, 7),
    )
    CASES["activation layers"] = sequential(
        lambda: L.Conv2D(3, 1, activation=L.LeakyReLU(0.3)), lambda: L.Activation(L.ReLU(max_value=1.0))
    )
    CASES["functions"] = functional(
        lambda x: keras.ops.concatenate([keras.ops.silu(keras.ops.relu6(x)), keras.ops.exp(x)], axis=-1)
    )
    CASES["mean"] = functional(lambda x: keras.ops.mean(x, axis=(1, 2)))
else:
    CASES["slices reversed"] = functional(lambda x: x[:, ::-1, 5:1:-2])
    CASES["functions"] = functional(lambda x: tf.concat([tf.nn.swish(tf.nn.relu6(x)), tf.math.exp(x)], axis=-1))
    CASES["mean"] = functional(lambda x: tf.reduce_mean(x, axis=[1, 2]))
for name in NAMES:
    CASES[f"activation {name}"] = one(L.Activation, name)


def fill(model):
    for k, w in enumerate(model.weights):
        name = w.name if MAJOR < 3 else w.path
        wave = np.sin(0.7 * np.arange(math.prod(w.shape)) + k)
        positive = any(part in name for part in ("variance", "count"))
        values = 0.75 + 0.25 * wave if positive else 0.3 * wave
        w.assign(values.reshape(w.shape).astype("float32"))
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def image(shape):
    shape = [size or given for size, given in zip(shape, (8, 9, 3))]
    i = np.arange(math.prod(shape))
    return np.sin(0.001 * i + 0.1 * (i % 7)).reshape([1, *shape]).astype("float32")


def run(model, x):
    y = model(x, training=False)
    y = keras.ops.convert_to_numpy(y) if MAJOR >= 3 else y.numpy()
    flat = y.reshape(-1)
    step = max(1, len(flat) // 60)  # a sample is enough
    return {"shape": list(y.shape), "step": step, "values": [float(f"{v:.7g}") for v in flat[::step]]}


NOISE = ("initializer", "regularizer", "constraint", "build_config", "compile_config", "momentum", "trainable")


def without_noise(value):
    """The topology without fields that say nothing about what is computed."""
    if isinstance(value, dict):
        return {k: without_noise(v) for k, v in value.items() if not k.endswith(NOISE)}
    return [without_noise(v) for v in value] if isinstance(value, list) else value


def entry(name, make):
    model = make()
    fill(model)
    shape = model.input_shape[1:]
    x = image(shape)
    names = [w.name if MAJOR < 3 else w.path for w in model.weights]
    return {
        "name": name,
        "topology": without_noise(json.loads(model.to_json())),
        "weights": [[n.removesuffix(":0"), list(w.shape)] for n, w in zip(names, model.weights)],
        "input": list(x.shape),
        "output": run(model, x),
    }


def whole():
    """A model with everything that matters for finding weights in files."""
    i = keras.Input((8, 8, 3), name="picture")
    c = L.Conv2D(4, 3, padding="same", use_bias=False, name="conv")(i)
    base = keras.Model(i, L.Activation("swish", name="act")(L.BatchNormalization(name="norm")(c)), name="base")
    base.trainable = False
    inputs = keras.Input((8, 8, 3), name="image")
    x = base(keras.applications.mobilenet_v2.preprocess_input(inputs))
    x = L.SeparableConv2D(5, 3, strides=2, padding="same", name="separable")(x)
    conv = L.Conv2D(5, 1, name="conv")
    x = L.Add(name="sum")([conv(x), conv(conv(x))])
    head = keras.Sequential([L.Flatten(name="flat"), L.Dense(3, name="dense"), L.PReLU(name="prelu")], name="head")
    return keras.Model(inputs, L.Dense(4, name="scores")(head(x)), name="whole")


def main():
    keras.backend.clear_session()
    cases = []
    for name, make in CASES.items():
        try:
            cases.append(entry(name, make))
        except Exception as error:  # a layer that this version or backend lacks
            print("left out:", name, str(error).splitlines()[0][:120])
    text = json.dumps({"keras": keras.__version__, "cases": cases}, separators=(",", ":"))
    with open(os.path.join(FOLDER, f"keras{MAJOR}.json.gz"), "wb") as file:
        file.write(gzip.compress(text.encode(), 9, mtime=0))
    model = whole()
    fill(model)
    x = image((8, 8, 3))
    model.save(os.path.join(FOLDER, f"whole-keras{MAJOR}.keras"))
    # The other file has the state of an optimizer too.
    model.compile(keras.optimizers.SGD(momentum=0.9), "categorical_crossentropy")
    model.train_on_batch(x, np.eye(4, dtype="float32")[:1])
    fill(model)
    model.save(os.path.join(FOLDER, f"whole-keras{MAJOR}.h5"))
    with open(os.path.join(FOLDER, f"whole-keras{MAJOR}.json"), "w") as file:
        json.dump({"keras": keras.__version__, "output": run(model, x)}, file)
        file.write("\n")


main()
