"""Quantize a prepared model with onnxruntime.quantization and compare the result with ours, tensor by tensor.

usage: peer-parity.py PREPARED.onnx DATA.npz OURS.onnx... [--split calib] [--samples N] [--evaluate eval]

PREPARED.onnx is the float model from which OURS was made, so that nodes and tensors have the same names on both sides.
Both sides: min-max, uint8 activations, int8 weights with a scale a channel, QDQ. Prints a JSON array with one object for
each of OURS. Tensors are compared with a peer that chooses by itself what to quantize; outputs with a peer that is told
to quantize the nodes that ours quantizes, and once more after that peer's result was given our parameters.
"""

import argparse
import importlib
import json
import logging
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

Samples = importlib.import_module("peer-quantize").Samples

ACTIVATIONS = ("Relu", "Clip")
CREATE_OPTIONS = onnxruntime.SessionOptions


def one_thread():
    """Session options. How a sum is shared among threads decides its last bits."""
    options = CREATE_OPTIONS()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return options


class Graph:
    """A graph with what makes and what reads each tensor."""

    def __init__(self, path):
        graph = onnx.load(path).graph
        self.nodes = list(graph.node)
        self.by_name = {node.name: node for node in self.nodes}
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        self.outputs = [output.name for output in graph.output]
        self.maker = {name: node for node in self.nodes for name in node.output}
        self.readers = {}
        for node in self.nodes:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)

    def array(self, name):
        return numpy_helper.to_array(self.constants[name])

    def tensors(self):
        return set(self.maker) | set(self.readers)


def activation_parameters(graph, prepared):
    """{tensor of the prepared model: (scale, zero point)} of everything that is quantized at run time."""
    return {tensor: found[:2] for tensor, found in activation_makers(graph, prepared).items()}


def activation_makers(graph, prepared):
    """The same with the QuantizeLinear."""
    known = prepared.tensors()
    found = {}
    for node in graph.nodes:
        if node.op_type != "QuantizeLinear":
            continue
        behind = [name for reader in graph.readers.get(node.output[0], []) for name in reader.output]
        # A graph output keeps its name behind the pair, any other tensor in front of it or behind it.
        names = [name for name in [*behind, node.input[0]] if name in known]
        if not names:
            continue
        found[through_removed(names[0], graph, prepared)] = (
            graph.array(node.input[1]).ravel()[0],
            graph.array(node.input[2]).ravel()[0],
            node,
        )
    return found


def through_removed(tensor, graph, prepared):
    """The tensor behind the Relu and Clip nodes that a tool left out, as its parameters are theirs."""
    while True:
        readers = prepared.readers.get(tensor, [])
        if len(readers) != 1 or readers[0].op_type not in ACTIVATIONS or readers[0].name in graph.by_name:
            return tensor
        tensor = readers[0].output[0]


def constant_codes(graph, prepared):
    """{(node of the prepared model, input): (codes, scales, zero points)} of everything that is quantized beforehand."""
    found = {}
    for node in graph.nodes:
        if node.name not in prepared.by_name:
            continue
        for index, name in enumerate(node.input):
            maker = graph.maker.get(name)
            if maker is None or maker.op_type != "DequantizeLinear" or maker.input[0] not in graph.constants:
                continue
            codes, scales, zero_points = (graph.array(part) for part in maker.input[:3])
            axis = next((given.i for given in maker.attribute if given.name == "axis"), 1)
            found[node.name, index] = Constant(codes, scales.ravel(), zero_points.ravel(), axis, maker)
    return found


class Constant:
    """Codes with one scale a channel along `axis`, or one in all."""

    def __init__(self, codes, scales, zero_points, axis, maker):
        self.codes, self.scales, self.zero_points, self.maker = codes, scales, zero_points, maker
        self.axis = axis % codes.ndim if codes.ndim > 0 else 0

    def equals(self, other):
        return self.alike(other) and all(
            np.array_equal(a, b)
            for a, b in (
                (self.codes, other.codes),
                (self.scales, other.scales),
                (self.zero_points, other.zero_points),
            )
        )

    def alike(self, other):
        return self.codes.size == other.codes.size and self.scales.shape == other.scales.shape

    def channels(self):
        """Codes as int64 [scales, values a scale]."""
        codes = self.codes.astype(np.int64)
        return codes.reshape(1, -1) if len(self.scales) == 1 else np.moveaxis(codes, self.axis, 0).reshape(len(self.scales), -1)


def steps_apart(a, b):
    """How many float32 values apart two positive scales are."""
    return abs(int(np.float32(a).view(np.int32)) - int(np.float32(b).view(np.int32)))


def sharing(graph, prepared):
    """{tensor: all tensors that read the same scale}, as one initializer serves them."""
    groups = {}
    makers = activation_makers(graph, prepared)
    for tensor, (_, _, maker) in makers.items():
        groups.setdefault(maker.input[1], set()).add(tensor)
    return {tensor: groups[maker.input[1]] for tensor, (_, _, maker) in makers.items()}


def compare_activations(ours, peer, same, shared):
    """`same`: the parameters of a peer that quantizes the same nodes; `shared`: what ours shares."""
    both = sorted(set(ours) & set(peer))
    different = []
    for tensor in both:
        if ours[tensor] == peer[tensor]:
            continue
        (scale, zero_point), (peer_scale, peer_zero_point) = ours[tensor], peer[tensor]
        different.append(
            {
                "tensor": tensor,
                "ours": [float(scale), int(zero_point)],
                "peer": [float(peer_scale), int(peer_zero_point)],
                "scaleSteps": steps_apart(scale, peer_scale),
                # The peer's own choice of nodes gave the tensor the parameters of another.
                "placement": same.get(tensor) == ours[tensor],
                # Ours gave it the parameters of another, to which the peer gives the same.
                "shared": any(peer.get(other) == ours[tensor] for other in shared[tensor] - {tensor}),
            }
        )
    return {
        "compared": len(both),
        "equal": len(both) - len(different),
        "different": different,
        "oursOnly": sorted(set(ours) - set(peer)),
        "peerOnly": sorted(set(peer) - set(ours)),
    }


def compare_constants(ours, peer, same, dtype):
    """Codes and scales of all constants of one type on both sides; `same`: of a peer that quantizes the same nodes."""
    pick = lambda constants: {key for key, constant in constants.items() if constant.codes.dtype == dtype}
    both = sorted(pick(ours) & pick(peer))
    different = [key for key in both if not ours[key].equals(peer[key])]
    return {
        "compared": len(both),
        "equal": len(both) - len(different),
        "different": [
            {"node": node, "input": index, **constant_difference(ours, peer, same, (node, index))}
            for node, index in different
        ],
        "oursOnly": ["{}:{}".format(*key) for key in sorted(pick(ours) - pick(peer))],
        "peerOnly": ["{}:{}".format(*key) for key in sorted(pick(peer) - pick(ours))],
    }


def constant_difference(ours, peer, same, key):
    """Why two constants differ, channel by channel."""
    own, other = ours[key], peer[key]
    # A bias has the scale of the input, which the peer's own choice of nodes may have given those of another tensor.
    if key in same and own.equals(same[key]):
        return {"alike": True, "placement": True}
    if not own.alike(other):
        return {"alike": False}
    # A bias has the channels of the weights whose products it is added to.
    node, index = key
    weights, peer_weights = ours.get((node, 1)), peer.get((node, 1))
    if index == 2 and weights is not None and len(weights.scales) == len(own.scales):
        vanishing, raised = channel_reasons(weights, peer_weights)
    else:
        vanishing, raised = channel_reasons(own, other)
    scales = own.scales != other.scales
    codes = (own.channels() != other.channels()).any(axis=1)
    if len(codes) != len(scales):
        scales = np.broadcast_to(scales, codes.shape)
    changed = scales | codes
    return {
        "alike": True,
        "channels": len(changed),
        "vanishing": int(np.sum(changed & vanishing)),
        "raised": int(np.sum(changed & raised)),
        "unexplained": int(np.sum(changed & ~vanishing & ~raised)),
        "scaleSteps": max(steps_apart(a, b) for a, b in zip(own.scales, other.scales)),
        "mostApart": int(np.abs(own.channels() - other.channels()).max()),
    }


def channel_reasons(weights, peer_weights):
    """Channels whose weights are all 0 on the grid, and those whose scale ours raised more for their bias."""
    vanishing = (weights.channels() == 0).all(axis=1)
    raised = ~vanishing & (weights.scales > peer_weights.scales * 1.00001)
    return vanishing, raised


def quantized_nodes(ours, prepared):
    """Names of the nodes that ours computes in int8, or has left out because rounding does what they did."""
    names = [node.name for node in prepared.nodes if node.name not in ours.by_name]
    for node in ours.nodes:
        if node.name not in prepared.by_name:
            continue
        made = [ours.maker.get(name) for name in node.input if name != "" and name not in ours.constants]
        fed = all(maker is not None and maker.op_type == "DequantizeLinear" for maker in made)
        weights = any(maker.input[0] in ours.constants for maker in made) if fed else False
        rounded = any(
            reader.op_type == "QuantizeLinear" for name in node.output for reader in ours.readers.get(name, [])
        )
        absorbed = node.op_type in ACTIVATIONS and rounded
        if absorbed or (fed and (weights or rounded)):
            names.append(node.name)
    return names


def kept_float(ours, nodes):
    """Operator types whose results ours hands on in float32, without rounding them."""
    types = set()
    for name in nodes:
        node = ours.by_name.get(name)
        if node is None or node.op_type not in ("Gemm", "MatMul"):
            continue
        readers = [reader for output in node.output for reader in ours.readers.get(output, [])]
        if not any(reader.op_type in ("QuantizeLinear", *ACTIVATIONS) for reader in readers):
            types.add(node.op_type)
    return sorted(types)


def quantize(prepared, samples, out, **options):
    quantize_static(
        prepared,
        out,
        samples,
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        **options,
    )


def run(path, samples):
    session = onnxruntime.InferenceSession(path, one_thread(), providers=["CPUExecutionProvider"])
    results = []
    while (feed := samples.get_next()) is not None:
        results.append(session.run(None, feed))
    return results


def compare_outputs(ours, peer, reference):
    """How far two lists of results are apart, and how far ours is from float32."""
    pairs = [(a, b) for x, y in zip(ours, peer) for a, b in zip(x, y)]
    floats = [value for results in reference for value in results]
    noise = lambda a, b: float(np.linalg.norm(a.astype("f8") - b.astype("f8")))
    error, other = (sum(noise(pair[side], c) ** 2 for pair, c in zip(pairs, floats)) ** 0.5 for side in (0, 1))
    return {
        "tensors": len(pairs),
        "bitEqual": sum(a.tobytes() == b.tobytes() for a, b in pairs),
        "largestDifference": max(float(np.abs(a - b).max()) for a, b in pairs),
        "largestValue": max(float(np.abs(a).max()) for a, _ in pairs),
        # 1: as far from each other as ours is from float32.
        "relativeToError": sum(noise(a, b) ** 2 for a, b in pairs) ** 0.5 / error if error > 0 else 0.0,
        "peerErrorOverOurs": other / error if error > 0 else 1.0,
    }


def transplant(peer_path, target, ours, prepared):
    """
    Writes the peer's model with our scales, zero points and codes wherever both have some, and with float inputs of
    float nodes that the peer rounds although the tensor exists in float32. Returns the names of these nodes.
    """
    model = onnx.load(peer_path)
    peer = Graph(peer_path)
    constants = {tensor.name: tensor for tensor in model.graph.initializer}

    def put(name, values):
        shaped = np.ascontiguousarray(values).reshape(numpy_helper.to_array(constants[name]).shape)
        constants[name].CopyFrom(numpy_helper.from_array(shaped, name))

    own, other = constant_codes(ours, prepared), constant_codes(peer, prepared)
    for key in set(own) & set(other):
        if own[key].alike(other[key]):
            names = other[key].maker.input
            for name, values in zip(names, (own[key].codes, own[key].scales, own[key].zero_points)):
                put(name, values)
    parameters = activation_parameters(ours, prepared)
    for tensor, (scale, zero_point, maker) in activation_makers(peer, prepared).items():
        if tensor in parameters:
            put(maker.input[1], parameters[tensor][0])
            put(maker.input[2], parameters[tensor][1])
    rewired = set()
    for node in model.graph.node:
        own_node = ours.by_name.get(node.name)
        if own_node is None or node.name not in prepared.by_name:
            continue
        for index, name in enumerate(node.input):
            maker, own_maker = peer.maker.get(name), ours.maker.get(own_node.input[index])
            rounds = maker is not None and maker.op_type == "DequantizeLinear" and maker.input[0] in peer.maker
            if rounds and own_maker is not None and own_maker.op_type != "DequantizeLinear":
                node.input[index] = peer.maker[maker.input[0]].input[0]
                rewired.add(node.name)
    onnx.save(model, target)
    return sorted(rewired)


def compare(ours, free, same, prepared):
    """Everything that both sides quantize, by what it is."""
    parameters = [activation_parameters(graph, prepared) for graph in (ours, free, same)]
    constants = [constant_codes(graph, prepared) for graph in (ours, free, same)]
    return {
        "activations": compare_activations(*parameters, sharing(ours, prepared)),
        "weights": compare_constants(*constants, np.int8),
        "biases": compare_constants(*constants, np.int32),
        "operands": compare_constants(*constants, np.uint8),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("prepared")
    parser.add_argument("data")
    parser.add_argument("ours", nargs="+")
    parser.add_argument("--split", default="calib")
    parser.add_argument("--samples", type=int)
    parser.add_argument("--evaluate")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    # The peer's calibration makes its own session.
    onnxruntime.SessionOptions = one_thread
    samples = lambda: Samples(given.prepared, given.data, given.split, given.samples)
    prepared = Graph(given.prepared)
    reports = []
    with tempfile.TemporaryDirectory() as folder:
        free_path, same_path, transplanted = (f"{folder}/{name}.onnx" for name in ("free", "same", "transplanted"))
        quantize(given.prepared, samples(), free_path)
        for path in given.ours:
            ours = Graph(path)
            nodes = quantized_nodes(ours, prepared)
            options = {"OpTypesToExcludeOutputQuantization": kept_float(ours, nodes)}
            quantize(given.prepared, samples(), same_path, nodes_to_quantize=nodes, extra_options=options)
            rewired = transplant(same_path, transplanted, ours, prepared)
            report = compare(ours, Graph(free_path), Graph(same_path), prepared)
            reports.append(report | {"rewired": rewired})
            if given.evaluate is not None:
                results = [
                    run(model, Samples(given.prepared, given.data, given.evaluate, given.samples))
                    for model in (path, same_path, transplanted, given.prepared)
                ]
                own, same, replaced, reference = results
                reports[-1]["outputs"] = compare_outputs(own, same, reference)
                reports[-1]["transplanted"] = compare_outputs(own, replaced, reference)
    print(json.dumps(reports))


if __name__ == "__main__":
    main()
