"""Writes every case of ONNX's backend tests as files: `python generate-backend-models.py FOLDER`, with `onnx` installed.

FOLDER/<kind>/<case>/model.onnx, and in its test_data_set_0, test_data_set_1, ... the files input_0.pb, output_0.pb and
so on, as the `onnx` package lays them out: a TensorProto each, or a SequenceProto or OptionalProto where the model's
input is one. Kinds: node, simple, light, pytorch-converted, pytorch-operator. The tests read FOLDER from the variable
PTQ_BACKEND_MODELS.
"""
import pathlib
import shutil
import sys

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import DATA_DIR, load_model_tests

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")


def main(folder):
    for kind in KINDS:
        cases = load_model_tests(kind=kind)
        for case in cases:
            target = folder / kind / case.name
            if case.model_dir is None:
                write_case(case, target)
            else:
                shutil.copytree(case.model_dir, target, dirs_exist_ok=True)
        print(f"{kind}: {len(cases)}")
    print(f"light: {write_light(folder / 'light')}")


def write_case(case, target):
    target.mkdir(parents=True, exist_ok=True)
    onnx.save(case.model, target / "model.onnx")
    graph = case.model.graph
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data = target / f"test_data_set_{number}"
        data.mkdir(exist_ok=True)
        for what, values, ports in (("input", inputs, graph.input), ("output", outputs, graph.output)):
            for index, (value, port) in enumerate(zip(values, ports)):
                (data / f"{what}_{index}.pb").write_bytes(to_proto(value, port).SerializeToString())


def to_proto(value, port):
    if not isinstance(value, (np.ndarray, np.generic, list, tuple, dict, int, float, str, type(None))):
        return value  # It is a message already.
    kind = port.type.WhichOneof("value")
    if kind == "sequence_type":
        return numpy_helper.from_list(list(value), port.name)
    if kind == "optional_type":
        return numpy_helper.from_optional(value, port.name)
    return numpy_helper.from_array(np.asarray(value), port.name)


def write_light(folder):
    """The well-known nets with constant weights; their input counts up from 0 to 1, as in ONNX's own runner."""
    models = sorted(pathlib.Path(DATA_DIR, "light").glob("light_*.onnx"))
    for path in models:
        target = folder / path.stem
        data = target / "test_data_set_0"
        data.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target / "model.onnx")
        shutil.copy(path.with_name(f"{path.stem}_output_0.pb"), data / "output_0.pb")
        graph = onnx.load(path).graph
        constants = {tensor.name for tensor in graph.initializer}
        inputs = [port for port in graph.input if port.name not in constants]
        for index, port in enumerate(inputs):
            dims = [dim.dim_value for dim in port.type.tensor_type.shape.dim]
            size = int(np.prod(dims))
            values = (np.arange(size) / size).reshape(dims).astype("f4")
            (data / f"input_{index}.pb").write_bytes(to_proto(values, port).SerializeToString())
    return len(models)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
