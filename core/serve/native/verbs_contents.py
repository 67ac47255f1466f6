"""How the verbs of :mod:`core.verbs.contents` go over the wire."""

from __future__ import annotations

from core.serve.native.verb import Verb
from core.verbs.contents import (
    Extracted,
    ExtractSpec,
    FieldChange,
    FileChange,
    FileEntry,
    FilesSpec,
    ImageWaste,
    Inspection,
)

CONTENTS: dict[str, Verb] = {
    "files": Verb((("spec", FilesSpec),), tuple[FileEntry, ...], stream=True),
    "read_file": Verb((("spec", FilesSpec),), bytes, stream=True),
    "pack": Verb((("spec", FilesSpec),), bytes, stream=True),
    "extract": Verb((("spec", ExtractSpec),), Extracted),
    "diff": Verb((("old", str), ("new", str)), tuple[FileChange, ...], stream=True),
    "diff_config": Verb((("old", str), ("new", str)), list[FieldChange], asks=True),
    "waste": Verb((("name", str),), ImageWaste, asks=True),
    "inspect": Verb((("name", str),), Inspection, asks=True),
}
