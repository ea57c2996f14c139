"""Which processes that hold claims are alive: each keeps a lock on a file of its own, which the system drops at its death."""

from __future__ import annotations

import uuid
from pathlib import Path

from filelock import FileLock, Timeout


class Owner:
    """This process as the holder of claims. Its lock needs no heartbeat: a killed process cannot keep it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.name = uuid.uuid4().hex[:16]
        self.lock = FileLock(folder / f"{self.name}.lock", thread_local=False)
        self.lock.acquire(timeout=0)

    def alive(self, name: str) -> bool:
        """Whether the process of that name is alive still."""
        if name == self.name:
            return True
        path = self.folder / f"{name}.lock"
        if not path.exists():
            return False
        probe = FileLock(path, thread_local=False)
        try:
            probe.acquire(timeout=0)
        except Timeout:
            return True
        probe.release()
        return False

    def others(self) -> dict[str, bool]:
        """The other processes that were seen here, and whether they are alive."""
        names = [path.stem for path in self.folder.glob("*.lock") if path.stem != self.name]
        return {name: self.alive(name) for name in names}

    def forget(self, name: str) -> None:
        """Removes the lock's file of a dead process."""
        (self.folder / f"{name}.lock").unlink(missing_ok=True)

    def leave(self) -> None:
        """Drops this process' own lock."""
        self.lock.release()
        self.forget(self.name)
