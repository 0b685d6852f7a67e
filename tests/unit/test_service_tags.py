"""The file with the addresses of service tags."""

from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from app.service_tags import ServiceTagsFile
from app.settings.processes import Settings

LIST = (
    '{"changeNumber": 7, "values": [{"name": "Storage.WestEurope",'
    ' "properties": {"region": "westeurope", "addressPrefixes": ["13.66.0.0/16"]}}]}'
)


def written(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
    return path


def test_the_file_is_read_again(tmp_path):
    path = written(tmp_path / "tags.json", LIST)
    file = ServiceTagsFile(path)
    assert file.current.networks("storage.westeurope") == (ip_network("13.66.0.0/16"),)
    written(path, LIST.replace("13.66.0.0", "13.67.0.0"))
    file.reload()
    assert file.current.networks("Storage.WestEurope") == (ip_network("13.67.0.0/16"),)
    written(path, "{}")
    with pytest.raises(ValueError, match="no list of service tags"):
        file.reload()
    assert file.current.networks("Storage.WestEurope") == (ip_network("13.67.0.0/16"),)


def test_without_a_file_no_tag_has_addresses():
    assert ServiceTagsFile(None).current.networks("Storage") == ()


def test_a_file_that_cannot_be_used_is_told_at_the_start(tmp_path):
    for path, problem in (
        (tmp_path / "absent.json", "cannot be read"),
        (written(tmp_path / "other.json", "[]"), "no list of service tags"),
        (written(tmp_path / "wrong.json", LIST.replace("13.66.0.0/16", "13.66.0.0")), "is no CIDR"),
    ):
        with pytest.raises(ValidationError, match=problem):
            Settings(service_tags=path)
    exposed = written(tmp_path / "exposed.json", LIST)
    exposed.chmod(0o666)
    with pytest.raises(ValidationError, match="chmod go-w"):
        Settings(service_tags=exposed)
