"""Downloads the bytes at an address into a file, with limits. A later try resumes where an earlier one ended.

A note beside the file holds the server's validator of the bytes. A download is resumed only if the server confirms
that it still has those bytes (If-Range, RFC 9110, 13.1.5); else the file starts anew. A process may be killed at any
instant: the file is always a prefix of the bytes that the note names.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slac_tasks.collect.downloads.answers import Answer
from slac_tasks.collect.downloads.reasons import Unfetched, of_status
from slac_tasks.collect.downloads.web import Web, host_of


def download(
    web: Web,
    url: str,
    target: Path,
    *,
    name: str,
    max_bytes: int,
    headers: Mapping[str, str] | None = None,
    trusted: bool = False,
) -> None:
    """Write the bytes at `url` to `target`; on return they are all there.

    `name` identifies the bytes, where the address itself changes from try to try.

    Raises:
        Unfetched: with the reason; a part may be left for the next try.

    """
    note = _note(target)
    have = target.stat().st_size if target.exists() else 0
    if not have or note.get("name") != name or not note.get("validator"):
        have = 0
    asked = dict(headers or {})
    if have:
        asked |= {"Range": f"bytes={have}-", "If-Range": note["validator"]}
    with web.ask(url, headers=asked, trusted=trusted) as answer:
        whole: int | None = None
        if answer.status == 416 and have:
            if answer.whole_size == have:
                return
            delete(target)
            raise Unfetched("network", f"holds {have} bytes, which the server does not know", retryable=True)
        if answer.status == 206:
            part = answer.part
            if part.first != have:
                delete(target)
                raise Unfetched("network", "answered with another part than the one asked for", retryable=True)
            whole = part.whole
        elif answer.status == 200:
            have = 0
        else:
            raise of_status(answer.status)
        size = answer.size or 0
        promised = have + size if whole is None else whole
        check_size(promised, max_bytes)
        if not have:
            _begin(target, {"name": name, "validator": answer.validator})
        _append(web, answer, target, have, max_bytes)
        if whole not in (None, have := target.stat().st_size):
            if have > whole:
                delete(target)
            raise Unfetched("wrong length", f"{have} bytes, want {whole}", retryable=True)


def check_size(size: int, max_bytes: int) -> None:
    """Raise `Unfetched` where a video holds more bytes than one may, before any of them is read."""
    if size > max_bytes:
        raise Unfetched("too large", f"{size} bytes, want at most {max_bytes}")


def _append(web: Web, answer: Answer, target: Path, have: int, max_bytes: int) -> None:
    host = host_of(answer.url)
    with target.open("ab") as file:
        while data := answer.read():
            have += len(data)
            if have > max_bytes:
                raise Unfetched("too large", f"more than {max_bytes} bytes")
            file.write(data)
            web.hosts.spend(host, len(data))


def _beside(target: Path) -> Path:
    return target.with_name(target.name + ".note")


def _note(target: Path) -> dict[str, Any]:
    try:
        note = json.loads(_beside(target).read_bytes())
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _begin(target: Path, note: Mapping[str, str]) -> None:
    """Empty the file, and only then write which bytes it will hold: never the other way round."""
    delete(target)
    target.touch()
    part = _beside(target).with_suffix(".part")
    part.write_text(json.dumps(note), encoding="utf-8")
    os.replace(part, _beside(target))


def delete(target: Path) -> None:
    """Delete a download and its note; the note first, for a download without one is never resumed."""
    _beside(target).unlink(missing_ok=True)
    target.unlink(missing_ok=True)
