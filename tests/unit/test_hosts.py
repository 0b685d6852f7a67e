"""A URL with several hosts is as many URLs with one."""

import pytest

from app.store.hosts import urls_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me:p%40w@db/fairlead", ["postgresql://me:p%40w@db/fairlead"]),
        ("postgresql:///fairlead?host=/run/x", ["postgresql:/fairlead?host=%2Frun%2Fx"]),
        (
            "postgresql://me@db-1:5432,db-2,[::1]:6432/fairlead?sslmode=verify-full",
            [
                "postgresql://me@db-1:5432/fairlead?sslmode=verify-full",
                "postgresql://me@db-2/fairlead?sslmode=verify-full",
                "postgresql://me@[::1]:6432/fairlead?sslmode=verify-full",
            ],
        ),
        (
            "postgresql://me@/fairlead?host=/run/a%20b,/run/c&port=5433",
            [
                "postgresql://me@/fairlead?host=%2Frun%2Fa%20b&port=5433",
                "postgresql://me@/fairlead?host=%2Frun%2Fc&port=5433",
            ],
        ),
        (
            "postgresql://me@/fairlead?host=a,b&port=1,2",
            ["postgresql://me@/fairlead?host=a&port=1", "postgresql://me@/fairlead?host=b&port=2"],
        ),
        ("postgresql://me@/fairlead?host=a,b&port=1,2,3", ["postgresql://me@/fairlead?host=a,b&port=1,2,3"]),
    ],
)
def test_each_host_has_a_url_of_its_own(url, expected):
    assert [*urls_of(url)] == expected
