"""Train the bundled example: a small residual network on the handwritten digits that scikit-learn ships.

usage: train.py [--out DIR] [--epochs N] [--seed N]

Writes into DIR (default: the folder of this script)
  digits.onnx  input `image` float32 [N,1,8,8] in 0..1, output `logits` float32 [N,10]
  digits.npz   `calib/image` [256,1,8,8], `eval/image` [797,1,8,8], `labels` int64 [797] (of `eval`)

The evaluation images take no part in training: they choose no epoch and no hyperparameter. The schedule is fixed and
the weights of the last epoch are the ones exported. The ONNX graph keeps BatchNormalization apart from Conv, as an
exporter that does not optimize leaves it, so that quantizing the example exercises BatchNormalization folding.
"""

import argparse
import json
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

TRAIN_SAMPLES = 1000
CALIBRATION_SAMPLES = 256
BATCH_SIZE = 50
PEAK_LEARNING_RATE = 2e-3
BN_EPSILON = 1e-5
BN_MOMENTUM = 0.9
CLASSES = 10
OPSET = 17
IR_VERSION = 8

CITATION = (
    "Residual network for 8x8 handwritten digits, trained on load_digits() of scikit-learn, which is the test set of "
    "'Optical Recognition of Handwritten Digits', E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository, "
    "https://doi.org/10.24432/C50P49, CC BY 4.0. Input: grey levels divided by 16."
)


def network(b, image):
    """The architecture, once for both builders. `image` is [N,1,8,8]; returns the logits [N,10].

    The source images were 32x32 bitmaps of which every 4x4 block was counted; the network goes back to 32x32 first,
    because that is where wide 3x3 convolutions have enough pixels for int8 arithmetic to pay.
    """
    x = b.augment(b.upsample("upsample", image, 4))
    x = b.relu("stem_relu", b.batch_norm("stem_bn", b.conv("stem_conv", x, 48, 3)))
    x = block(b, "stage1", x, 48, stride=1)
    x = block(b, "stage2", x, 96, stride=2)
    x = block(b, "stage3", x, 128, stride=2)
    return b.linear("logits", b.global_average_pool("average", x), CLASSES)


def block(b, name, x, channels, stride):
    """Two 3x3 convolutions and a shortcut; with a stride, a 1x1 convolution brings the shortcut to the same shape."""
    y = b.relu(f"{name}_relu1", b.batch_norm(f"{name}_bn1", b.conv(f"{name}_conv1", x, channels, 3, stride)))
    y = b.batch_norm(f"{name}_bn2", b.conv(f"{name}_conv2", y, channels, 3))
    if stride > 1:
        x = b.batch_norm(f"{name}_shortcut_bn", b.conv(f"{name}_shortcut_conv", x, channels, 1, stride))
    return b.relu(f"{name}_relu2", b.add(f"{name}_add", y, x))


class KerasBuilder:
    """Builds the trainable network. Keras tensors are channels-last, the only layout that its CPU kernels train."""

    def upsample(self, name, x, factor):
        return keras.layers.UpSampling2D(factor, interpolation="bilinear", name=name)(x)

    def augment(self, x):
        """Small shifts, rotations and changes of size while training; nothing at inference."""
        x = keras.layers.RandomTranslation(0.08, 0.08, fill_mode="constant")(x)
        x = keras.layers.RandomRotation(0.03, fill_mode="constant")(x)
        return keras.layers.RandomZoom(0.1, fill_mode="constant")(x)

    def conv(self, name, x, channels, kernel, stride=1):
        # Keras would pad a strided convolution on one side only; the usual layout pads both.
        if kernel > 1:
            x = keras.layers.ZeroPadding2D(kernel // 2)(x)
        return keras.layers.Conv2D(
            channels, kernel, stride, use_bias=False, kernel_initializer="he_normal", name=name
        )(x)

    def batch_norm(self, name, x):
        return keras.layers.BatchNormalization(epsilon=BN_EPSILON, momentum=BN_MOMENTUM, name=name)(x)

    def relu(self, name, x):
        return keras.layers.ReLU(name=name)(x)

    def add(self, name, x, y):
        return keras.layers.Add(name=name)([x, y])

    def global_average_pool(self, name, x):
        return keras.layers.GlobalAveragePooling2D(name=name)(x)

    def linear(self, name, x, units):
        return keras.layers.Dense(units, name=name)(x)


class OnnxBuilder:
    """Writes the same network as ONNX nodes, channels first, with the weights of a trained Keras model."""

    def __init__(self, model):
        self.model = model
        self.nodes = []
        self.initializers = []

    def node(self, op, name, inputs, **attributes):
        """Append a node whose only output is named like the node; returns that name."""
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, name, values):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values, "float32"), name))
        return name

    def weights(self, name):
        return [np.asarray(w) for w in self.model.get_layer(name).get_weights()]

    def upsample(self, name, x, factor):
        scales = self.constant(f"{name}.scales", [1, 1, factor, factor])
        # The empty name stands for `roi`, which only the mode tf_crop_and_resize reads.
        return self.node("Resize", name, [x, "", scales], mode="linear", coordinate_transformation_mode="half_pixel")

    def augment(self, x):
        return x

    def conv(self, name, x, channels, kernel, stride=1):
        (w,) = self.weights(name)
        weight = self.constant(f"{name}.weight", w.transpose(3, 2, 0, 1))
        shape = dict(kernel_shape=[kernel] * 2, pads=[kernel // 2] * 4, strides=[stride] * 2)
        return self.node("Conv", name, [x, weight], **shape)

    def batch_norm(self, name, x):
        parts = ("scale", "bias", "mean", "var")
        values = [self.constant(f"{name}.{part}", w) for part, w in zip(parts, self.weights(name), strict=True)]
        return self.node("BatchNormalization", name, [x, *values], epsilon=BN_EPSILON)

    def relu(self, name, x):
        return self.node("Relu", name, [x])

    def add(self, name, x, y):
        return self.node("Add", name, [x, y])

    def global_average_pool(self, name, x):
        pooled = self.node("GlobalAveragePool", name, [x])
        return self.node("Flatten", f"{name}_flatten", [pooled], axis=1)

    def linear(self, name, x, units):
        kernel, bias = self.weights(name)
        weight = self.constant(f"{name}.weight", kernel.T)
        return self.node("Gemm", name, [x, weight, self.constant(f"{name}.bias", bias)], transB=1)


def load_splits(seed):
    """Images float32 [N,1,8,8] in 0..1 and labels int64, stratified; `calib` is a part of `train`, `eval` is not."""
    digits = load_digits()
    images = (digits.images[:, None] / 16).astype("float32")
    labels = digits.target.astype("int64")
    train_x, eval_x, train_y, eval_y = train_test_split(
        images, labels, train_size=TRAIN_SAMPLES, stratify=labels, random_state=seed
    )
    calib_x, _ = train_test_split(train_x, train_size=CALIBRATION_SAMPLES, stratify=train_y, random_state=seed)
    return train_x, train_y, calib_x, eval_x, eval_y


def train(images, labels, epochs):
    """Train for a fixed number of epochs with AdamW, a warm-up of two epochs and a cosine decay to zero."""
    inputs = keras.Input((8, 8, 1), name="image")
    model = keras.Model(inputs, network(KerasBuilder(), inputs))
    steps = len(images) // BATCH_SIZE
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, (epochs - 2) * steps, warmup_target=PEAK_LEARNING_RATE, warmup_steps=2 * steps
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=0.01),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.05),
        metrics=["accuracy"],
    )
    model.fit(
        images.transpose(0, 2, 3, 1), np.eye(CLASSES, dtype="float32")[labels], BATCH_SIZE, epochs=epochs, verbose=2
    )
    return model


def export(model):
    """The trained network as a checked ONNX model."""
    builder = OnnxBuilder(model)
    output = network(builder, "image")
    graph = helper.make_graph(
        builder.nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", CLASSES])],
        builder.initializers,
        doc_string=CITATION,
    )
    exported = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="ptq-agent profiles/digits/train.py",
        producer_version="1",
        doc_string=CITATION,
    )
    onnx.checker.check_model(exported, full_check=True)
    return exported


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent)
    parser.add_argument("--epochs", type=int, default=25)
    parser.add_argument("--seed", type=int, default=1998)
    args = parser.parse_args()
    if args.epochs < 3:
        parser.error("--epochs must be at least 3: the first two are the warm-up")

    keras.utils.set_random_seed(args.seed)
    tf.config.experimental.enable_op_determinism()
    train_x, train_y, calib_x, eval_x, eval_y = load_splits(args.seed)
    model = train(train_x, train_y, args.epochs)
    exported = export(model)

    # The file must compute what was trained: the same logits on the evaluation images, from another runtime.
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    (logits,) = session.run(None, {"image": eval_x})
    reference = model.predict(eval_x.transpose(0, 2, 3, 1), verbose=0)
    difference = float(np.abs(logits - reference).max())
    if difference > 1e-3:
        raise SystemExit(f"the exported model differs from the trained one by {difference:.3g}; nothing was written")

    args.out.mkdir(parents=True, exist_ok=True)
    onnx.save(exported, args.out / "digits.onnx")
    np.savez(args.out / "digits.npz", **{"calib/image": calib_x, "eval/image": eval_x, "labels": eval_y})
    correct = int((logits.argmax(1) == eval_y).sum())
    print(
        json.dumps(
            {
                "top1": correct / len(eval_y),
                "correct": correct,
                "n": len(eval_y),
                "parameters": model.count_params(),
                "maxLogitDifferenceFromKeras": difference,
            }
        )
    )


if __name__ == "__main__":
    main()
