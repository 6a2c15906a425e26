"""Writes events.json: an event file by TensorBoard's own writer, as base64, with what is in it.

Run: python3 test/golden/callbacks/make_events.py
Then format: npx biome check --write test/golden/callbacks
"""
import base64
import json
import pathlib
import platform
import tempfile

import google.protobuf
import numpy
import tensorboard
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

TIME = 1700000000.25

with tempfile.TemporaryDirectory() as folder:
    writer = EventFileWriter(folder)
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    writer.add_event(event_pb2.Event(wall_time=TIME, step=0, session_log=start))
    for step, values in [(7, {"train/loss": 1.25, "validation/accuracy": 0.5}), (2**40, {"x": float("nan")})]:
        scalars = [summary_pb2.Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        writer.add_event(event_pb2.Event(wall_time=TIME, step=step, summary=summary_pb2.Summary(value=scalars)))
    text = text_pb("hyperparameters", "| a | ü |")
    writer.add_event(event_pb2.Event(wall_time=TIME, step=3, summary=text))
    writer.close()
    (file,) = pathlib.Path(folder).iterdir()
    content = file.read_bytes()

golden = {
    "madeBy": "test/golden/callbacks/make_events.py",
    "versions": {
        "tensorboard": tensorboard.__version__,
        "protobuf": google.protobuf.__version__,
        "numpy": numpy.__version__,
        "python": platform.python_version(),
    },
    "base64": base64.b64encode(content).decode(),
}
pathlib.Path(__file__).with_name("events.json").write_text(json.dumps(golden))
