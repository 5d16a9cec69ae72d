"""Who is asked next: work of many hosts side by side, none of which holds up the others."""

import heapq
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from slac_tasks.collect.downloads.hosts import Hosts
from slac_tasks.collect.downloads.reasons import Unfetched
from slac_tasks.collect.settings import Fetch

T = TypeVar("T")
R = TypeVar("R")


def in_turn(
    items: Sequence[T], host_of: Callable[[T], str], work: Callable[[T], R], hosts: Hosts, limits: Fetch
) -> Iterator[tuple[T, R | Unfetched]]:
    """Yield each item with what `work` made of it, as they end; where a retry may help it is tried again, later.

    Items without a host are bounded by the number of workers alone.
    """
    waiting: dict[str, list[tuple[float, int, int]]] = {}
    for index, item in enumerate(items):
        waiting.setdefault(host_of(item), []).append((0.0, index, 1))  # due, item, which try; a heap as it stands
    running: dict[Future[R], tuple[str, int, int]] = {}
    busy: Counter[str] = Counter()
    pool = ThreadPoolExecutor(limits.workers)
    try:
        while waiting or running:
            pause: float | None = None
            while waiting and len(running) < limits.workers:
                open_hosts = [host for host in waiting if not host or busy[host] < limits.workers_per_host]
                due, host = min(((_due(hosts, host, waiting[host], limits), host) for host in open_hosts),
                                default=(math.inf, ""))  # fmt: skip
                if due > (now := time.monotonic()):
                    pause = None if math.isinf(due) else due - now
                    break
                _, index, tries = heapq.heappop(waiting[host])
                if not waiting[host]:
                    del waiting[host]
                running[pool.submit(work, items[index])] = (host, index, tries)
                busy[host] += 1
            if not running:
                time.sleep(pause or 0.0)
                continue
            ended, _ = wait(running, timeout=pause, return_when=FIRST_COMPLETED)
            for future in ended:
                host, index, tries = running.pop(future)
                busy[host] -= 1
                try:
                    yield items[index], future.result()
                except Unfetched as no:
                    if no.retryable and tries < limits.tries:
                        # Twice as long after each try, and not at once for all that failed together.
                        later = time.monotonic() + 0.5 * 2.0**tries * (1 + index % 7 / 7)
                        heapq.heappush(waiting.setdefault(host, []), (later, index, tries + 1))
                    else:
                        yield items[index], no
    finally:
        pool.shutdown(cancel_futures=True)


def _due(hosts: Hosts, host: str, heap: list[tuple[float, int, int]], limits: Fetch) -> float:
    """Return when the host's next item may start.

    An item whose host asks for a longer pause than this process waits starts at once: it fails without a request.
    """
    free = hosts.free_at(host) if host else 0.0
    return max(heap[0][0], 0.0 if free > time.monotonic() + limits.max_wait_sec else free)
