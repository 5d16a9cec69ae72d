import errno

import pytest

from slac_tasks import errors


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.SlacError, 1),
        (errors.WrongArguments, 64),
        (errors.BrokenContract, 65),
        (errors.NotMade, 65),
        (errors.Temporary, 75),
        (errors.NotConfigured, 78),
    ],
)
def test_every_failure_has_its_exit_code(kind: type[errors.SlacError], code: int) -> None:
    assert kind.exit_code == code
    assert issubclass(kind, errors.SlacError)


def test_the_docstring_draws_every_failure() -> None:
    kinds = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]
    for kind in kinds:
        assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("failure", "full", "passes", "bug"),
    [
        (OSError(errno.ENOSPC, "full"), True, True, False),
        (OSError(errno.EDQUOT, "full"), True, True, False),
        (errors.Temporary("restarting"), False, True, False),
        (OSError(errno.EACCES, "no"), False, False, True),
        (errors.NotMade("later"), False, False, False),
        (RuntimeError("[Errno 28]"), False, False, True),
    ],
)
def test_failures_are_told_apart(failure: Exception, full: bool, passes: bool, bug: bool) -> None:
    assert errors.is_disk_full(failure) is full
    assert errors.may_pass(failure) is passes
    assert errors.is_bug(failure) is bug
