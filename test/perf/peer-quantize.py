"""Quantize a model with onnxruntime.quantization and print what it cost, as one line of JSON.

usage: peer-quantize.py MODEL DATA.npz OUT.onnx [--method minmax|percentile|entropy] [--split calib] [--samples N]

Static INT8 in QDQ form, uint8 activations, int8 weights with a scale a channel, after the peer's own preprocessing.
DATA.npz holds `<split>/<input>` arrays, axis 0 counts the samples. Models older than opset 13 are lifted first, as
per-channel QDQ needs it.
"""

import argparse
import json
import logging
import re
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
from onnx import version_converter
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "percentile": CalibrationMethod.Percentile,
    "entropy": CalibrationMethod.Entropy,
}


class Samples(CalibrationDataReader):
    """The samples of one split, one at a time, with a leading axis of 1 where the model has one."""

    def __init__(self, model, data, split, limit=None):
        archive = np.load(data)
        prefix = f"{split}/"
        arrays = {key[len(prefix) :]: archive[key] for key in archive.files if key.startswith(prefix)}
        graph = onnx.load(model, load_external_data=False).graph
        ranks = {given.name: len(given.type.tensor_type.shape.dim) for given in graph.input}
        arrays = {name: values for name, values in arrays.items() if name in ranks}
        count = min(len(values) for values in arrays.values())
        self.count = count if limit is None else min(limit, count)
        self._feeds = (
            {
                name: values[index : index + 1] if ranks[name] == values.ndim else values[index]
                for name, values in arrays.items()
            }
            # Spread over the split, as the tool does (src/core/even-positions.ts).
            for index in (place * count // self.count for place in range(self.count))
        )

    def get_next(self):
        return next(self._feeds, None)


def peak_rss_bytes():
    """VmHWM. `ru_maxrss` begins at the peak of the process that started this one."""
    with open("/proc/self/status", encoding="utf-8") as status:
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024


def lifted(model):
    version = max(opset.version for opset in model.opset_import if opset.domain in ("", "ai.onnx"))
    return model if version >= 13 else version_converter.convert_version(model, 13)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--method", default="minmax", choices=METHODS)
    parser.add_argument("--split", default="calib")
    parser.add_argument("--samples", type=int)
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(lifted(onnx.load(given.model)), f"{folder}/lifted.onnx")
        quant_pre_process(f"{folder}/lifted.onnx", f"{folder}/prepared.onnx", skip_symbolic_shape=True)
        samples = Samples(f"{folder}/prepared.onnx", given.data, given.split, given.samples)
        quantize_static(
            f"{folder}/prepared.onnx",
            given.out,
            samples,
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=METHODS[given.method],
        )
    figures = {
        "version": onnxruntime.__version__,
        "samples": samples.count,
        "seconds": time.perf_counter() - start,
        "peakRssBytes": peak_rss_bytes(),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
