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
