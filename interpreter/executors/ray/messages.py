"""Messages of running workers: an actor on the driver's node collects them, and the driver reads them from it."""

from __future__ import annotations

import queue
import threading
from typing import Any

import ray
from ray.exceptions import RayError

WAIT_SECONDS = 60.0

Message = tuple[int, int, str, tuple[Any, ...]]
"""A job's number, the attempt at it, what is told, and its values."""


class Inbox:
    """The actor. It holds what was told since it was last emptied; of checkpoints the newest of each job alone."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.checkpoints: dict[int, Message] = {}
        self.ending = False

    def tell(self, messages: list[Message]) -> bool:
        """Takes up what a worker tells; says whether the worker is to end at its next evaluation."""
        for message in messages:
            if message[2] == "checkpoint":
                self.checkpoints[message[0]] = message
            else:
                self.messages.append(message)
        return self.ending

    def take(self) -> list[Message]:
        """Gives out all that was told, and forgets it."""
        messages = [*self.messages, *self.checkpoints.values()]
        self.messages, self.checkpoints = [], {}
        return messages

    def end(self) -> None:
        """From now on every worker is told to end."""
        self.ending = True


class Reporter:
    """A worker's side: sends from a thread of its own, one call under way at a time, so that training never waits.

    Between messages it asks every `beat` seconds whether to end, and sets `stop` then. What cannot be sent is dropped:
    progress is lost by that, a result never.
    """

    def __init__(self, inbox: Any, number: int, attempt: int, beat: float, stop: threading.Event) -> None:
        self.inbox = inbox
        self.number = number
        self.attempt = attempt
        self.beat = beat
        self.stop = stop
        self.queue: queue.Queue[Message | None] = queue.Queue()
        self.heard = threading.Event()
        self.thread = threading.Thread(target=self._send, name="dlspec-reporter", daemon=True)

    def __enter__(self) -> Reporter:
        self.tell("begun", ray.util.get_node_ip_address())
        self.thread.start()
        self.heard.wait()  # not ray.get: Ray lends out the cores of a task whose main thread waits in it
        return self

    def __exit__(self, *_: object) -> None:
        self.queue.put(None)
        self.thread.join()

    def tell(self, kind: str, *values: Any) -> None:
        """Has something sent."""
        self.queue.put((self.number, self.attempt, kind, values))

    def _send(self) -> None:
        going = True
        while going:
            batch: list[Message | None] = []
            try:
                batch.append(self.queue.get(timeout=self.beat))
                while True:
                    batch.append(self.queue.get_nowait())
            except queue.Empty:
                pass
            going = None not in batch
            self._deliver([message for message in batch if message is not None])

    def _deliver(self, batch: list[Message]) -> None:
        try:
            if ray.get(self.inbox.tell.remote(batch), timeout=WAIT_SECONDS):
                self.stop.set()
        except RayError:
            pass
        self.heard.set()
