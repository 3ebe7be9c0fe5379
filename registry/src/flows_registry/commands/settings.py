"""What `list NAME` says of each backend's settings, read from the manifest."""

TYPE_CHECKING = False  # importing typing would cost a third of the start-up

if TYPE_CHECKING:
    from typing import Any

    from core_caps.claims.manifest import Setting
    from core_caps.plugins.discovery import Found

__all__ = ["print_settings", "settings_of"]


def settings_of(found: "Found") -> "dict[str, list[dict[str, Any]]]":
    """Backend → its settings as JSON-shaped rows; none where the manifest cannot be read."""
    from core_caps.errors import ManifestInvalid
    from core_caps.plugins.discovery import manifest_of

    try:
        backends = manifest_of(found).backends
    except ManifestInvalid:
        return {}
    return {
        name: [_row(setting) for setting in backend.config.values()]
        for name, backend in backends.items()
    }


def print_settings(rows: "list[dict[str, Any]]") -> None:
    """Print a backend's settings, a line each."""
    cells = [(row["name"], _given(row), _told(row)) for row in rows]
    widths = [max((len(row[column]) for row in cells), default=0) for column in (0, 1)]
    for name, given, told in cells:
        print(f"    {name.ljust(widths[0])}  {given.ljust(widths[1])}  {told}".rstrip())


def _row(setting: "Setting") -> "dict[str, Any]":
    return {
        "name": setting.name,
        "type": setting.type,
        "required": setting.required,
        "default": setting.default,
        "env": setting.env,
        "summary": setting.summary,
        "example": None if setting.type == "secret" else setting.example,
    }


def _given(row: "dict[str, Any]") -> str:
    """What may be given, and what it is where nothing is."""
    if row["required"]:
        return f"{row['type']}, required"
    return row["type"] if row["default"] in (None, "") else f"{row['type']}, {row['default']}"


def _told(row: "dict[str, Any]") -> str:
    said = [row["summary"]]
    if row["example"] is not None and row["example"] != row["default"]:
        said.append(f"as in {row['example']!r}")
    if row["env"]:
        said.append(f"or ${row['env']}")
    return "; ".join(filter(None, said))
