"""The records by which TensorBoard's HParams page lists runs by their settings. Needs no TensorFlow.

`tensorboard/plugins/hparams/plugin_data.proto` says what they hold; the writer of TensorBoard itself would load TensorFlow.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

START_TAG, END_TAG = "_hparams_/session_start_info", "_hparams_/session_end_info"


def session_start(name: str, settings: Mapping[str, Any]) -> Any:
    """A run begins, with its settings: numbers as numbers, anything else as text."""
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionStartInfo

    info = SessionStartInfo(group_name=name, start_time_secs=time.time())
    for key, value in settings.items():
        if isinstance(value, bool):
            info.hparams[key].bool_value = value
        elif isinstance(value, int | float):
            info.hparams[key].number_value = float(value)
        elif value != "":
            info.hparams[key].string_value = str(value)
    return _summary(START_TAG, HParamsPluginData(session_start_info=info))


def session_end(good: bool) -> Any:
    """A run ended, well or not."""
    from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo

    info = SessionEndInfo(status=STATUS_SUCCESS if good else STATUS_FAILURE, end_time_secs=time.time())
    return _summary(END_TAG, HParamsPluginData(session_end_info=info))


def _summary(tag: str, data: Any) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.metadata import create_summary_metadata
    from tensorboard.util import tensor_util

    value = Summary.Value(tag=tag, metadata=create_summary_metadata(data), tensor=tensor_util.make_tensor_proto(0.0))
    return Summary(value=[value])
