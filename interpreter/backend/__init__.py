"""TensorFlow as a process has it.

In: flags and environment. Out: the device, the compiled form, the caches, versions.
"""
