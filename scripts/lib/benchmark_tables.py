"""Composes docs/benchmarks.md: the template's placeholders become tables of what was measured.

    benchmark_tables.py OUT CRITERION TEMPLATE

OUT holds the reports of scripts/benchmark, CRITERION the estimates of the benches (seconds of CPU time).
"""

import csv
import json
import os
import platform
import re
import statistics
import sys
from datetime import date
from pathlib import Path

OUT, CRITERION, TEMPLATE = (Path(argument) for argument in sys.argv[1:4])


def millis(*name: str) -> str:
    """The median of a bench, in milliseconds."""
    path = CRITERION.joinpath(*name, "new", "estimates.json")
    median = json.loads(path.read_text())["median"]["point_estimate"] * 1e3
    return f"{median:.1f}" if median >= 10 else f"{median:.2f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def machine() -> str:
    info = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", info)
    family, generation = (re.search(rf"{name}\s*: (.*)", info) for name in ("cpu family", "model\t"))
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1]) / 1024**2
    kind = f" of family {family[1]}, model {generation[1]}" if family and generation else ""
    vectors = [name for name in ("avx2", "avx512f") if re.search(rf"\b{name}\b", info)]
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, {model[1] if model else platform.machine()}{kind} ({', '.join(vectors)}), {memory:.0f} GiB, "
        f"Linux {platform.release().split('-')[0]}; {date.today()}; load average at the end {load}."
    )


def stages() -> str:
    rows = [
        ["decode: JPEG", millis("decode_720p", "jpeg")],
        ["decode: H.264 unit", millis("decode_720p", "h264_unit")],
        ["all of an I420 picture to RGB", millis("decode_720p", "i420, converted whole")],
    ]
    models = [
        ("detector", "ultraface"),
        ("mesh", "facemesh"),
        ("identity", "embedding"),
        ("presentation, both views", "presentation"),
        ("deepfake, 224x224", "deepfake"),
    ]
    rows += [[f"model: {title}", millis("models", name)] for title, name in models]
    return table(["Stage", "ms"], rows)


def preparation() -> str:
    rows = [
        ("the small grey picture of a frame", "thumbnail"),
        ("detector", "detection"),
        ("mesh, face 200x260 px", "mesh"),
        ("mesh, face 480x600 px", "mesh, close face"),
        ("alignment", "align"),
        ("identity", "embedding"),
        ("presentation, both views", "presentation"),
        ("quality of a face", "quality"),
    ]
    kinds = ["prepare 1280x720 RGB", "prepare 1280x720 I420"]
    return table(["Preparation", "RGB", "I420"], [[title, *(millis(kind, name) for kind in kinds)] for title, name in rows])


def frames() -> str:
    rows = [
        ("no face search: picture figures alone", "no face search"),
        ("tracked: mesh, quality, pose, and the detector at its intervals", "tracked"),
        ("tracked, with a still", "tracked, still"),
        ("tracked, with identity", "tracked, embedded"),
        ("tracked, with presentation", "tracked, presentation"),
        ("tracked, with deepfake", "tracked, deepfake"),
        ("everything", "everything"),
    ]
    return table(["Frame", "ms"], [[title, millis("frame_720p", name)] for title, name in rows])


def report(name: str) -> dict:
    return json.loads((OUT / name / "report.json").read_text())


def loads() -> str:
    rows = []
    kinds = [
        ("40 at 2 frames a second", "alone"),
        ("100 at 2", "interviews"),
        ("100 at 10, which is too many", "overload"),
    ]
    for title, name in kinds:
        load = report(name)
        counts, latency = load["counts"], load["latency_millis"]
        rows.append([
            title,
            f"{counts['frames_sent']:,}",
            f"{1000 * load['server']['cpu_secs'] / counts['frames_sent']:.1f} ms",
            f"{100 * counts['frames_dropped'] / counts['frames_sent']:.1f} %",
            f"{latency['p50']:,.0f} ms",
            f"{latency['p99']:,.0f} ms",
            f"{load['all_secs'] - load['sending_secs']:.1f} s",
        ])
    head = ["Sessions", "frames sent", "CPU a frame", "dropped", "latency, median", "99th percentile", "last answer after the load"]
    return table(head, rows)


def alone() -> str:
    levels = report("alone")["alone"]
    return f"{levels['n_equal']} of {levels['n_compared']}"


def costs() -> str:
    rows = []
    for sessions in (1, 10, 50, 100, 200):
        load = report(f"cost-{sessions}")
        rows.append([
            str(sessions),
            f"{1000 * load['server']['cpu_secs'] / load['session_secs']:.1f} ms",
            f"{load['latency_millis']['p99']:.0f} ms",
            str(load["counts"]["frames_dropped"]),
            f"{load['server']['rss_max_bytes'] / 1024**2:.0f} MiB",
        ])
    return table(["Sessions", "CPU a session and second", "99th percentile", "dropped", "memory at most"], rows)


def recording() -> str:
    with (OUT / "recording.csv").open() as file:
        rows = [[float(value) for value in row] for row in csv.reader(file)]
    walls, cpus = zip(*rows)
    return (
        f"{statistics.median(walls):.1f} s of wall time ({min(walls):.1f} to {max(walls):.1f} in {len(rows)} runs), "
        f"{statistics.median(cpus):.1f} s of CPU time."
    )


parts = {
    "machine": machine,
    "stages": stages,
    "preparation": preparation,
    "frames": frames,
    "loads": loads,
    "alone": alone,
    "costs": costs,
    "recording": recording,
}
print(re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]](), TEMPLATE.read_text()), end="")
