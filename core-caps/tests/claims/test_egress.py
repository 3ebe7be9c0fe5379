"""What a backend's egress comes to once its settings have values."""

import pytest
from core_caps.claims.egress import addresses

pytestmark = pytest.mark.feature("CK-04", "S2-09")


def test_an_entry_is_an_address_and_a_setting_may_stand_in_it() -> None:
    egress = ["api.example.com:443", "{bucket}.Files.example.com:{port}"]
    found = addresses(egress, {"bucket": "mine", "port": 8443})
    assert found == [("api.example.com", 443), ("mine.files.example.com", 8443)]


@pytest.mark.parametrize("text", ["a.example:443, b.example:80", "a.example:443,b.example:80,\n"])
def test_a_setting_may_list_several_addresses(text: str) -> None:
    assert addresses(["{hosts}"], {"hosts": text}) == [("a.example", 443), ("b.example", 80)]


def test_a_setting_that_lists_none_adds_none_and_each_counts_once() -> None:
    assert addresses(["{hosts}"], {"hosts": ""}) == []
    assert addresses(["{hosts}", "a.example:1"], {"hosts": "a.example:1, A.example:1"}) == [
        ("a.example", 1)
    ]


@pytest.mark.parametrize("text", ["a.example", "a.example:https", "a.example:"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        addresses(["{hosts}"], {"hosts": text})
