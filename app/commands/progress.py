"""Progress on standard error: a bar on a terminal, a line a step elsewhere."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Reporter:
    """Shows one step at a time. Use as a context manager; call `progress` from anywhere."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stderr)
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._step = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TimeElapsedColumn(),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("Starting", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
            self._bar = None

    def progress(self, step: str, done: int, total: int) -> None:
        """Say how far a step is: `done` of `total`, in any unit."""
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=step, completed=done, total=total or None)
        elif step != self._step:
            sys.stderr.write(f"{step} …\n")
            sys.stderr.flush()
        self._step = step
