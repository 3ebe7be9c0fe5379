"""Write the golden files of the evidence anew: review reads the difference.

python registry/tests/evidence/golden.py
"""

from pathlib import Path

import sample  # beside this file
from flows_registry.evidence.files import as_files

HERE = Path(__file__).parent / "golden"


def main() -> None:
    """All that is made of the sample but the cases, which are the sample's own."""
    for made in (sample.certified, sample.refused):
        folder = HERE / made.__name__
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in as_files(made()).items():
            if name != "cases.jsonl":
                (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
