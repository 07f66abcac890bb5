"""The ONNX models of the folder that `bonafide models fetch` filled, each in a session on one thread."""

from pathlib import Path

import numpy as np
import onnxruntime

NAMES = ("ultraface", "facemesh", "embedding", "presentation", "deepfake")


class Models:
    """One session a model, for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.sessions = {
            name: onnxruntime.InferenceSession(str(folder / f"{name}.onnx"), options, providers=["CPUExecutionProvider"]) for name in NAMES
        }
        self._inputs = {name: session.get_inputs()[0].name for name, session in self.sessions.items()}

    def run(self, name: str, tensor: np.ndarray) -> list[np.ndarray]:
        """All outputs of a model."""
        return self.sessions[name].run(None, {self._inputs[name]: tensor})
