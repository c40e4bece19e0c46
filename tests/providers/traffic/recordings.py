"""Recorded traffic of real providers: where it is, and one recorded request with its response.

The recordings stay outside the project. Where they are absent there are none.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_FILE = Path(__file__).parents[4] / "shared" / "data" / "provider_traffic" / "provider_traffic.jsonl.gz"

NOT_HERE = f"The recorded traffic is not here: {_FILE}."


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One recorded request and its response."""

    name: str
    provider: str
    method: str
    url: str
    status: int
    stream: bool
    request: Any = field(repr=False)
    body: str = field(repr=False)

    @property
    def pieces(self) -> list[bytes] | None:
        """The events of a streamed body, byte for byte."""
        if not self.stream or self.status >= 300:
            return None
        return [part.encode() for part in re.split(r"(?<=\n\n)|(?<=\r\n\r\n)", self.body) if part]

    @property
    def events(self) -> list[Json]:
        """What the events of a streamed body say."""
        lines = (line.removeprefix("data:").strip() for line in self.body.splitlines() if line[:5] == "data:")
        return [json.loads(line) for line in lines if line and line != "[DONE]"]

    @property
    def failed(self) -> int | None:
        """The status of a recorded error, one in the midst of a stream included."""
        if self.status >= 300:
            return self.status
        if not self.stream:
            return None
        return next((event["error"].get("code", 500) for event in self.events if event.get("error")), None)


def recorded() -> list[Pair]:
    if not _FILE.exists():
        return []
    pairs = []
    with gzip.open(_FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            stem = re.sub(r"\.(gz|yaml)", "", row["file"])
            folders = [part for part in stem.split("/") if part not in {"tests", "models", "cassettes"}]
            pairs.append(
                Pair(
                    name=f"{row['provider']}/{'/'.join(folders[-2:])}-{row['n']}",
                    provider=row["provider"],
                    method=row["method"].upper(),
                    url=row["url"],
                    status=row["status"],
                    stream=row["stream"],
                    request=row["request"],
                    body=row["response_body"],
                )
            )
    return pairs
