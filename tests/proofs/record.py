"""What a proof found: the table between two marks of `docs/proofs/<page>.md` is that of the last run."""

import os
import platform
import re
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "docs" / "proofs"

_RESULTS = re.compile(r"(?<=<!-- results -->\n).*?(?=<!-- end of results -->)", re.DOTALL)


@dataclass
class Record:
    """The figures of one run. `write` puts them into the page; the quick runs of the tests do not call it."""

    page: str  # "crashes" is docs/proofs/crashes.md
    command: str  # that anybody can repeat it with: "make prove-crashes"
    seed: int | None = None
    parts: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Add a table; the first column is text, the others are figures."""
        rule = ["---", *["---:"] * (len(header) - 1)]
        self.parts.append("\n".join("| " + " | ".join(map(str, row)) + " |" for row in (header, rule, *rows)))

    def say(self, line: str) -> None:
        """Add a sentence."""
        self.parts.append(line)

    def text(self) -> str:
        """Return all of it as Markdown, with how and where it was run."""
        lasted = round(time.monotonic() - self.started)
        how = [f"`{self.command}`", f"{lasted // 60} min {lasted % 60} s", time.strftime("%Y-%m-%d", time.gmtime())]
        how += [f"seed {self.seed}"] if self.seed is not None else []
        how += [f"commit {_commit()}", f"{os.cpu_count()} cores, {_memory()} GB, Python {platform.python_version()}"]
        return "\n\n".join([" · ".join(how), *self.parts]) + "\n"

    def write(self) -> None:
        """Put it into the page, in place of what the run before found, and print it."""
        text = self.text()
        print(text)  # noqa: T201  (whoever runs a proof wants to see it)
        path = PAGES / f"{self.page}.md"
        page = path.read_text()
        assert _RESULTS.search(page), f"{path.name} has no place for results"
        path.write_text(_RESULTS.sub(lambda _: f"\n{text}\n", page))


def _commit() -> str:
    asked = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    found = subprocess.run(asked, cwd=PAGES, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
