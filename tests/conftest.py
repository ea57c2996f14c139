"""Before any test: TensorFlow's environment as `dlspec run` sets it."""

from dlspec.interpreter.backend.environment import set_environment

set_environment()
