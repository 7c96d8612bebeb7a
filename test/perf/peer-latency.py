"""Runs a model in a closed loop, as ordered on stdin, one JSON object a line: {"seconds": s} or {"queries": n}.

Answers each with a line of JSON: {"startNs": [...], "doneNs": [...]} on the monotonic clock. The first line printed says that
the model is loaded. Inputs are made from a fixed seed.
"""

import json
import sys
import time

import numpy
import onnxruntime


def main():
    path, data_path, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = feeds_of(session, data_path)
    print(json.dumps({"samples": len(feeds)}), flush=True)
    position = 0
    for line in sys.stdin:
        order = json.loads(line)
        end = time.perf_counter_ns() + int(order.get("seconds", 0) * 1e9)
        least = order.get("queries", 1)
        start_ns, done_ns = [], []
        while True:
            feed = feeds[position % len(feeds)]
            position += 1
            start = time.perf_counter_ns()
            session.run(None, feed)
            done = time.perf_counter_ns()
            start_ns.append(start)
            done_ns.append(done)
            if done >= end and len(done_ns) >= least:
                break
        print(json.dumps({"startNs": start_ns, "doneNs": done_ns}), flush=True)


def feeds_of(session, data_path):
    """One feed a sample of the evaluation split, with a leading axis of 1 where the model wants it; at most 256."""
    arrays = numpy.load(data_path)
    columns = {}
    for port in session.get_inputs():
        values = arrays["eval/" + port.name]
        columns[port.name] = values[:256] if len(port.shape) == values.ndim - 1 else values[:256, None]
    count = min(len(values) for values in columns.values())
    return [{name: numpy.ascontiguousarray(values[i]) for name, values in columns.items()} for i in range(count)]


main()
