"""What `fairlead xds` refuses."""

import pytest

from app.cli import UsageError, execute

DATABASE = ("--database-url", "postgresql://nobody@/none")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--xds-host", "0.0.0.0"], "lets other machines in: give --xds-cert-file"),  # noqa: S104 - refused
        (["--xds-host", "192.0.2.1"], "lets other machines in"),
        (["--xds-host", "nowhere"], "nowhere"),
        (["--xds-cert-file", __file__], "need each other"),
        (["--xds-port", "0"], "listens nowhere: give a --xds-socket"),
        (["--xds-services-per-plane", "0"], "greater than or equal to 1"),
    ],
)
def test_what_would_not_work_or_be_unsafe_is_refused(arguments, said):
    with pytest.raises(UsageError) as refused:
        execute(["xds", *DATABASE, *arguments])
    assert said in " ".join(refused.value.args)
