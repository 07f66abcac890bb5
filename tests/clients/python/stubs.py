"""Compiles the wire contract for the client, so that nothing generated is kept in the repository."""

import atexit
import importlib
import importlib.resources
import pathlib
import shutil
import sys
import tempfile

from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[3] / "proto"


def load():
    """Gives back the modules (types, live, live_grpc, session, session_grpc, status)."""
    out = tempfile.mkdtemp(prefix="bonafide-stubs-")
    atexit.register(shutil.rmtree, out, ignore_errors=True)
    well_known = importlib.resources.files("grpc_tools") / "_proto"
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    arguments = ["protoc", f"-I{PROTO}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}", *files]
    if protoc.main(arguments) != 0:
        sys.exit("the wire contract does not compile")
    sys.path.insert(0, out)
    importlib.invalidate_caches()
    names = [
        "bonafide.v1.types_pb2",
        "bonafide.v1.live_service_pb2",
        "bonafide.v1.live_service_pb2_grpc",
        "bonafide.v1.session_service_pb2",
        "bonafide.v1.session_service_pb2_grpc",
        "google.rpc.status_pb2",
    ]
    return [importlib.import_module(name) for name in names]
