"""Starts the server processes, which share one port, and ends them together.

    python server.py --port 50061 --processes 2 --models DIR --policy FILE
"""

import argparse
import asyncio
import multiprocessing
import multiprocessing.connection
import signal
import sys
from multiprocessing.synchronize import Semaphore
from pathlib import Path

import grpc

DRAIN_SECS = 5.0
START_PATIENCE_SECS = 60.0


async def serve(index: int, arguments: argparse.Namespace, ready: Semaphore) -> None:
    """One process: its own models, sessions and event loop."""
    from bonafide.v1.live_service_pb2_grpc import add_LiveServiceServicer_to_server
    from bonafide.v1.session_service_pb2_grpc import add_SessionServiceServicer_to_server

    import wire
    from decisions import Policy
    from models import Models
    from pipeline import Pipeline
    from service import Interviews, LiveService, SessionService

    policy = Policy(arguments.policy)
    interviews = Interviews(Pipeline(Models(arguments.models)), policy, wire.versions(arguments.models, policy.name))
    options = [
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", wire.MAX_MESSAGE_BYTES),
        ("grpc.max_concurrent_streams", 256),
    ]
    server = grpc.aio.server(options=options)
    add_LiveServiceServicer_to_server(LiveService(interviews), server)
    add_SessionServiceServicer_to_server(SessionService(interviews), server)
    server.add_insecure_port(f"{arguments.host}:{arguments.port}")
    if arguments.own_ports:
        server.add_insecure_port(f"{arguments.host}:{arguments.port + 1 + index}")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await server.start()
    ready.release()
    await stop.wait()
    await server.stop(DRAIN_SECS)


def run(index: int, arguments: argparse.Namespace, ready: Semaphore) -> None:
    """What a process does."""
    asyncio.run(serve(index, arguments, ready))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=50061)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--own-ports", action="store_true", help="each process listens on a port of its own as well: PORT+1, PORT+2 …")
    parser.add_argument("--models", type=Path, required=True, help="the folder that `bonafide models fetch` filled")
    parser.add_argument("--policy", type=Path, required=True, help="config/policy.toml")
    arguments = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    ready = context.Semaphore(0)
    processes = [context.Process(target=run, args=(index, arguments, ready)) for index in range(arguments.processes)]
    stopped = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True
        for process in processes:
            if process.pid is not None:
                process.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    for process in processes:
        process.start()
    if all(ready.acquire(timeout=START_PATIENCE_SECS) for _ in processes):
        print(f"serving on {arguments.host}:{arguments.port}, processes {' '.join(str(each.pid) for each in processes)}", flush=True)
    else:
        stop(0, None)
    # A process that ends by itself takes the others along: half a server would look like a slow one.
    multiprocessing.connection.wait([process.sentinel for process in processes])
    failed = not stopped
    stop(0, None)
    for process in processes:
        process.join()
    sys.exit(failed)


if __name__ == "__main__":
    main()
