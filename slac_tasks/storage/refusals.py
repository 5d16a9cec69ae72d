"""Whether a server that lets nobody in wants a person, or another try.

Of a connection that was not made psycopg2 hands on words alone, and a server writes those in its own language
(`lc_messages`). libpq says the code of a failure (SQLSTATE) in place of the words, where it is asked to before it
connects; psycopg2 hands out the pointer that this takes.
"""

import ctypes
import re
import select
from contextlib import closing

import psycopg2
import psycopg2.extensions

_WORDS = re.compile(
    "password authentication failed|does not exist|no pg_hba.conf entry|no password supplied|permission denied|"
    "is not permitted to log in|is not currently accepting connections|no such database|does not support SSL|"
    "certificate verify failed|"
    "invalid (port|integer|sslmode|connection)|received invalid response|expected authentication request"
)
"""What a person has to mend; the last two: another service answers there."""
_CODES = re.compile(r":  (28...|3D000|42501|55000)$", re.MULTILINE)
"""The same of what a server itself says: who may log in, which database there is, who may connect to it, and whether it
takes connections."""
_BY_SERVER = ":  "
"""Stands between the severity, in the server's language, and what it says; libpq's own failures have no severity."""
_SQLSTATE_ALONE = 3
"""PQERRORS_SQLSTATE of libpq-fe.h."""
_ANSWER_SEC = 10.0


def wants_person(url: str, reason: str) -> bool:
    """Return whether a person has to mend why no connection was made to `url`, for which libpq gave a reason."""
    if _WORDS.search(reason):
        return True
    return _BY_SERVER in reason and _CODES.search(_in_codes(url)) is not None


def _in_codes(url: str) -> str:
    """Return what a server says in codes to one who connects; nothing where it lets them in, or is silent."""
    try:
        set_verbosity = ctypes.CDLL(psycopg2._psycopg.__file__).PQsetErrorVerbosity
    except (OSError, AttributeError):  # a build of the driver that keeps its libpq to itself
        return ""
    try:
        with closing(psycopg2.connect(url, async_=True)) as connection:
            set_verbosity(ctypes.c_void_p(connection.pgconn_ptr), _SQLSTATE_ALONE)
            while (waits_for := connection.poll()) != psycopg2.extensions.POLL_OK:
                plugs = [connection.fileno()]
                is_read = waits_for == psycopg2.extensions.POLL_READ
                if not any(select.select(plugs if is_read else [], [] if is_read else plugs, [], _ANSWER_SEC)):
                    break
    except psycopg2.OperationalError as failure:
        return str(failure)
    return ""
