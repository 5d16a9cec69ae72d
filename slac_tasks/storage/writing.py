"""Writes in a thread of their own, one after the other, while the process that gives them goes on."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType


class Writer:
    """Does one thing at a time while its caller goes on; nothing waits for its turn, so little is lost by a kill.

    A failure reaches the caller at its next call, as it was raised. Leaving the block waits for what is under way.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "writer")
        self._under_way: Future[None] | None = None

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if error is None:
                self.settle()
        finally:
            self._thread.shutdown()

    def then(self, act: Callable[[], None]) -> None:
        """Begin something, when what was given before is done.

        Raises:
            Exception: what the act before raised; this one is not begun.

        """
        self.settle()
        self._under_way = self._thread.submit(act)

    def settle(self) -> None:
        """Wait for what is under way.

        Raises:
            Exception: what it raised.

        """
        if self._under_way is not None:
            before, self._under_way = self._under_way, None
            before.result()
