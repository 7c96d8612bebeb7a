"""`python read-trace.py tensorflow|xprof HOST.xplane.pb`: prints as one JSON object what the tools of a viewer find in a trace.

`tensorflow` asks the converter inside TensorFlow, `xprof` the one of the package that TensorBoard's page comes with. Needs both
packages: what TensorFlow answers in binary form is read with the definitions of xprof."""
import collections
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
from xprof.protobuf import inference_stats_pb2, input_pipeline_pb2

# More slices than any trace of the tests has: the viewer leaves out what is too small to be seen.
EVERYTHING = "1000000"

# The viewers add the number of a step to the name of what began it.
NUMBERED = re.compile(r"(.+) \d+")


def tensorflow_converter():
    from tensorflow.python.profiler.internal import _pywrap_profiler_plugin as plugin

    def convert(path, tool):
        options = {"resolution": EVERYTHING} if tool == "trace_viewer@" else {}
        data, is_ok = plugin.xspace_to_tools_data([path], tool, options)
        if not is_ok:
            raise RuntimeError(f"{tool}: {data!r}")
        return data

    return convert


def xprof_converter():
    from xprof.convert import raw_to_tool_data

    def convert(path, tool):
        if tool == "tool_names":
            return ",".join(raw_to_tool_data.xspace_to_tool_names([path])).encode()
        options = {"resolution": EVERYTHING, "trace_viewer_options": {"resolution": EVERYTHING}}
        data, _ = raw_to_tool_data.xspace_to_tool_data([path], tool, options if tool == "trace_viewer@" else {})
        if data is None:
            raise RuntimeError(f"{tool}: no answer")
        return data.encode() if isinstance(data, str) else data

    return convert


def tables(data):
    """Tables for charts: rows as dictionaries, and the properties of each table."""
    parsed = json.loads(data)
    for table in parsed if isinstance(parsed, list) else [parsed]:
        columns = [column["id"] for column in table.get("cols", [])]
        rows = [dict(zip(columns, (cell.get("v") for cell in row["c"]))) for row in table.get("rows", [])]
        yield rows, table.get("p", {})


def is_json(data):
    return data[:1] in (b"[", b"{")


def steps(data):
    if not is_json(data):
        return len(input_pipeline_pb2.InputPipelineAnalysisResult.FromString(data).step_details)
    return sum(len(rows) for rows, _ in tables(data) if rows and "stepnum" in rows[0])


def requests(data):
    """How many requests there were of each model."""
    if not is_json(data):
        stats = inference_stats_pb2.InferenceStats.FromString(data)
        names = {index: name for name, index in stats.model_id_db.id_to_index.items()}
        return {names[key]: len(of.request_details) for key, of in stats.inference_stats_per_model.items()}
    all_tables = [rows for rows, _ in tables(data)]
    models = [row["model_name"] for row in all_tables[0]]
    per_model = [rows for rows in all_tables[1:] if rows and "request_id" in rows[0]]
    return {name: sum(row["request_id"] != "N/A" for row in rows) for name, rows in zip(models, per_model)}


def operators(data):
    """Occurrences and microseconds of each operator, on the host and on devices."""
    found = {"Host": {}, "Device": {}}
    rows, _ = next(iter(tables(data)))
    for row in rows:
        if row["type"] != "IDLE":
            found[row["host_or_device"]][row["operation"]] = {
                "type": row["type"],
                "occurrences": row["occurrences"],
                "totalUs": row["total_time"],
            }
    return found


def kernels(data):
    rows, _ = next(iter(tables(data)), ([], {}))
    return [{"name": r["kernel_name"], "op": r["op_name"], "occurrences": r["occurrences"], "totalUs": r["total_duration_us"]} for r in rows]


def memory(data):
    """The course of each allocator: microseconds and bytes."""
    return {
        allocator: [
            [int(point["timeOffsetPs"]) / 1e6, int(point["aggregationStats"]["heapAllocatedBytes"])]
            for point in profile["sampledTimelineSnapshots"]
        ]
        for allocator, profile in json.loads(data).get("memoryProfilePerAllocator", {}).items()
    }


def timeline(data):
    """Names of what the viewer shows: processes, threads, slices with their microseconds, and the values of counters."""
    threads, slices, counters = {}, [], {}
    processes = {}
    for event in json.loads(data)["traceEvents"]:
        phase, name = event.get("ph"), event.get("name")
        if phase == "M" and name == "process_name":
            processes[event["pid"]] = event["args"]["name"]
        elif phase == "M" and name == "thread_name":
            threads[event["pid"], event["tid"]] = event["args"]["name"]
        elif phase == "X":
            slices.append(event)
        elif phase == "C" and "entries" in event:
            # xprof puts all samples of a track into one event, as pairs of time and value.
            counters.setdefault(name, []).extend(entry[1] for entry in event["entries"])
        elif phase == "C":
            counters.setdefault(name, []).extend(float(value) for value in event["args"].values())
    return {
        "threads": sorted(f"{processes.get(pid)} | {name}" for (pid, _), name in threads.items()),
        "slices": len(slices),
        "steps": dict(collections.Counter(match[1] for s in slices if (match := NUMBERED.fullmatch(s["name"])))),
        "counters": counters,
    }


READERS = {
    "input_pipeline_analyzer": steps,
    "inference_profile": requests,
    "framework_op_stats": operators,
    "kernel_stats": kernels,
    "memory_profile": memory,
    "trace_viewer@": timeline,
    "overview_page": len,
    "tool_names": lambda data: data.decode().split(","),
}


def diagnostics(path):
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace.FromString(pathlib.Path(path).read_bytes())
    return {"hostnames": list(space.hostnames), "warnings": list(space.warnings), "errors": list(space.errors)}


def main():
    viewer, path = sys.argv[1:3]
    convert = {"tensorflow": tensorflow_converter, "xprof": xprof_converter}[viewer]()
    found = diagnostics(path) if viewer == "tensorflow" else {}
    for tool, read in READERS.items():
        with tempfile.TemporaryDirectory() as folder:
            # The converters keep what they computed beside a trace, and would take it from there.
            found[tool] = read(convert(shutil.copy(path, folder), tool))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
