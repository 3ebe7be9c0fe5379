"""Every store gives what it keeps, by name, and neither it nor an error of it shows a secret."""

from collections.abc import Callable
from pathlib import Path

import pytest
from core_caps import (
    EnvironmentSecrets,
    FileSecrets,
    FolderSecrets,
    MemorySecrets,
    Outcome,
    Secret,
    Secrets,
)
from core_caps.capabilities.secrets import SECRET_SIZE_BYTES_MAX
from core_caps.errors import ConfigInvalid, InvalidArgument

pytestmark = pytest.mark.feature("DC-02")

TEXT = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
Keep = Callable[[str, str], Secrets]


@pytest.fixture(params=["environment", "memory", "folder", "file"])
def keep(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keep:
    """Keeps one secret in a store of each kind."""

    def kept(name: str, text: str) -> Secrets:
        match request.param:
            case "environment":
                monkeypatch.setenv(name, text)
                return EnvironmentSecrets()
            case "memory":
                return MemorySecrets({name: text})
            case "folder":
                (tmp_path / name).write_text(text)
                return FolderSecrets(tmp_path)
            case _:
                path = tmp_path / ".env"
                path.write_text(f"# keys\n\n{name}='{text}'\nOTHER=else\n")
                return FileSecrets(str(path))

    return kept


async def test_a_store_gives_what_it_keeps(keep: Keep) -> None:
    store = keep("PAYMENT_KEY", TEXT)
    assert isinstance(store, Secrets)
    assert await store.get("PAYMENT_KEY") == Secret(TEXT)
    assert await store.get("PAYMENT_KE") is None


async def test_what_is_empty_is_absent(keep: Keep) -> None:
    assert await keep("PAYMENT_KEY", "").get("PAYMENT_KEY") is None


async def test_no_store_prints_what_it_keeps(keep: Keep) -> None:
    store = keep("PAYMENT_KEY", TEXT)
    shown = [repr(store), str(store), f"{store}", repr(vars(store)), repr(await store.get("X"))]
    assert not [text for text in shown if TEXT in text]


@pytest.mark.parametrize("name", ["", None, 5, b"PAYMENT_KEY", "a\0b"])
async def test_what_is_no_name_is_refused(keep: Keep, name: object) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await keep("PAYMENT_KEY", TEXT).get(name)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert refused.value.outcome is Outcome.NOT_APPLIED


async def test_a_secret_given_as_one_stays_one() -> None:
    assert await MemorySecrets({"a": Secret(TEXT)}).get("a") == Secret(TEXT)
    with pytest.raises(TypeError, match="a secret is text, not int"):
        MemorySecrets({"a": 5})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]


class TestFolder:
    @pytest.mark.parametrize(
        ("content", "secret"),
        [
            ("text\n", "text"),
            ("text\r\n", "text"),
            ("text\n\n", "text\n"),
            (" text ", " text "),
            ("line\nline", "line\nline"),
            ("é\U0001f511", "é\U0001f511"),
            ("\n", None),
        ],
    )
    async def test_one_newline_at_the_end_does_not_count(
        self, tmp_path: Path, content: str, secret: str | None
    ) -> None:
        (tmp_path / "KEY").write_bytes(content.encode())
        wanted = None if secret is None else Secret(secret)
        assert await FolderSecrets(tmp_path).get("KEY") == wanted

    async def test_a_secret_that_was_changed_is_read_anew(self, tmp_path: Path) -> None:
        store = FolderSecrets(tmp_path)
        assert await store.get("KEY") is None
        for text in ("old", "new"):
            (tmp_path / "KEY").write_text(text)
            assert await store.get("KEY") == Secret(text)

    async def test_a_link_is_followed_as_kubernetes_mounts_secrets(self, tmp_path: Path) -> None:
        (tmp_path / "..data").mkdir()
        (tmp_path / "..data" / "KEY").write_text("text")
        (tmp_path / "KEY").symlink_to(tmp_path / "..data" / "KEY")
        assert await FolderSecrets(tmp_path).get("KEY") == Secret("text")

    @pytest.mark.parametrize("name", ["../KEY", "/etc/passwd", "a/b", "..", ".", ".env", "a b"])
    async def test_no_name_leads_out_of_the_folder(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "KEY").write_text("text")
        (tmp_path / "inner").mkdir()
        with pytest.raises(InvalidArgument, match="no plain file name"):
            await FolderSecrets(tmp_path / "inner").get(name)

    async def test_a_folder_or_nothing_is_no_secret(self, tmp_path: Path) -> None:
        (tmp_path / "KEY").mkdir()
        (tmp_path / "file").write_text("text")
        assert await FolderSecrets(tmp_path).get("KEY") is None
        assert await FolderSecrets(tmp_path / "absent").get("KEY") is None
        assert await FolderSecrets(tmp_path / "file").get("KEY") is None

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (b"sk_live\xff", "is no UTF-8 text"),
            (b"sk_live" + b"x" * SECRET_SIZE_BYTES_MAX, "is longer than 1048576 bytes"),
        ],
    )
    async def test_what_is_no_secret_is_told_and_not_shown(
        self, tmp_path: Path, content: bytes, told: str
    ) -> None:
        (tmp_path / "KEY").write_bytes(content)
        with pytest.raises(ConfigInvalid, match=told) as refused:
            await FolderSecrets(tmp_path).get("KEY")
        assert "sk_live" not in str(refused.value)
        assert refused.value.__context__ is None, "it would show the bytes"

    async def test_what_cannot_be_read_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "KEY").symlink_to(tmp_path / "KEY")
        with pytest.raises(ConfigInvalid, match="cannot be read"):
            await FolderSecrets(tmp_path).get("KEY")


class TestFile:
    @pytest.mark.parametrize(
        ("line", "secret"),
        [
            ("KEY=text", "text"),
            ("  export KEY = text  ", "text"),
            ("KEY=a=b#c", "a=b#c"),
            ("KEY='a b # \"c\" \\n $x'", 'a b # "c" \\n $x'),
            ('KEY="a # \\"b\\" \\\\ \\n\\t$x \\y"', 'a # "b" \\ \n\t$x y'),
            ("KEY=", None),
            ("KEY=''", None),
            ("#KEY=text", None),
            ("KEY=text\r", "text"),
            ("\ufeffKEY=text", "text"),
            ("KEY=a\u2028b", "a\u2028b"),
        ],
    )
    async def test_a_line_is_read_as_it_stands(
        self, tmp_path: Path, line: str, secret: str | None
    ) -> None:
        path = tmp_path / ".env"
        path.write_bytes(f"{line}\nOTHER=else\n".encode())
        wanted = None if secret is None else Secret(secret)
        assert await FileSecrets(path).get("KEY") == wanted
        assert await FileSecrets(path).get("OTHER") == Secret("else")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("sk_live", "line 1 is not NAME=secret"),
            ("A=1\n=sk_live", "line 2 is not NAME=secret"),
            ("A=sk_live # a comment", "line 1: put A in '…'"),
            ("A='sk_live", "line 1: put A in '…'"),
            ("A='sk_'live'", "line 1: put A in '…'"),
            ('A="sk_live\\"', "line 1: put A in '…'"),
            ('A="sk_"live"', "line 1: put A in '…'"),
            ("A=sk_'live", "line 1: put A in '…'"),
            ("A=1\nA=sk_live", "line 2 gives A again"),
        ],
    )
    async def test_a_line_that_says_two_things_is_told_and_not_shown(
        self, tmp_path: Path, text: str, told: str
    ) -> None:
        path = tmp_path / ".env"
        path.write_text(text)
        with pytest.raises(ConfigInvalid) as refused:
            await FileSecrets(path).get("B")
        assert told in str(refused.value)
        assert "sk_" not in str(refused.value)

    async def test_no_file_is_no_secret(self, tmp_path: Path) -> None:
        assert await FileSecrets(tmp_path / ".env").get("KEY") is None
