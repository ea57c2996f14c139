"""The pull request that a job runs for: its labels, and one comment that is written anew. All of it through GitHub's `gh`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PAGE = 100


class NoAnswer(Exception):
    """GitHub can't be asked, or says no."""


@dataclass(frozen=True)
class PullRequest:
    """A pull request, and what was known of it when the job began."""

    repository: str
    number: int
    event_labels: frozenset[str]

    @classmethod
    def of_event(cls) -> PullRequest | None:
        """That of the event that started the job; None where it was another event."""
        try:
            event = json.loads(Path(os.environ.get("GITHUB_EVENT_PATH", "")).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        request = event.get("pull_request") if isinstance(event, dict) else None
        if not request:
            return None
        labels = frozenset(str(label["name"]) for label in request.get("labels", []))
        return cls(os.environ.get("GITHUB_REPOSITORY", ""), int(request["number"]), labels)

    def labels(self) -> frozenset[str]:
        """Its labels now; those when the job began where GitHub can't be asked."""
        try:
            return frozenset(str(label["name"]) for label in self._list(f"issues/{self.number}/labels"))
        except NoAnswer:
            return self.event_labels

    def comment(self, marker: str, text: str | None) -> None:
        """Writes the comment that begins with a hidden marker, or a new one; no text: only one that is there. Raises NoAnswer."""
        there = next((item for item in self._list(f"issues/{self.number}/comments") if _ours(item, marker)), None)
        if there is not None:
            body = f"{marker}\n{text if text is not None else 'No study differs from the base any more.'}"
            if there["body"] != body:
                self._call(f"issues/comments/{there['id']}", "PATCH", {"body": body})
        elif text is not None:
            self._call(f"issues/{self.number}/comments", "POST", {"body": f"{marker}\n{text}"})

    def _list(self, path: str) -> Iterator[Any]:
        page = 0
        while True:
            page += 1
            items = self._call(f"{path}?per_page={PAGE}&page={page}")
            yield from items
            if len(items) < PAGE:
                return

    def _call(self, path: str, method: str = "GET", content: dict[str, str] | None = None) -> Any:
        """Asks GitHub; the content goes through the standard input, never through a shell. Raises NoAnswer."""
        if not os.environ.get("GH_TOKEN"):
            raise NoAnswer("there is no token")
        command = ["gh", "api", "--method", method, f"repos/{self.repository}/{path}"]
        if content is not None:
            command += ["--input", "-"]
        given = json.dumps(content) if content is not None else ""
        try:
            done = subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8", timeout=60)
            if done.returncode:
                raise NoAnswer(" ".join(done.stderr.split()) or f"gh ended with {done.returncode}")
            return json.loads(done.stdout or "null")
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            raise NoAnswer(str(error)) from None


def _ours(comment: Any, marker: str) -> bool:
    """Whether a job wrote a comment: anyone can write a marker into their own, and that stays theirs."""
    user = comment.get("user") or {}
    return user.get("type") == "Bot" and str(comment.get("body", "")).startswith(marker)
