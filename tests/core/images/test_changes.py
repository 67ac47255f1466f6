"""Lines of a Dockerfile applied to a config."""

from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidInput
from core.images.changes import apply_changes, parse_run_config

CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "cmd as words": ('CMD ["a", "b c"]', {"Cmd": ["a", "b c"]}),
    "cmd for a shell": ("CMD a 'b c'", {"Cmd": ["/bin/sh", "-c", "a 'b c'"]}),
    "entrypoint": ('ENTRYPOINT ["a"]', {"Entrypoint": ["a"]}),
    "env": ('ENV A=1 B="2 $HOME" C=${X:-y}', {"Env": ["HOME=/h", "A=1", "B=2 /h", "C=y"]}),
    "env the old way": ("ENV A one two", {"Env": ["HOME=/h", "A=one two"]}),
    "env again": ("ENV HOME=/else", {"Env": ["HOME=/else"]}),
    "expose": (
        "EXPOSE 80 53/udp 8000-8001",
        {"ExposedPorts": {"80/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}}},
    ),
    "label": ('LABEL a=1 "b c"="d e"', {"Labels": {"a": "1", "b c": "d e"}}),
    "onbuild": ("ONBUILD RUN true", {"OnBuild": ["RUN true"]}),
    "stop signal": ("STOPSIGNAL SIGRTMIN+3", {"StopSignal": "SIGRTMIN+3"}),
    "user": ("USER 1000:1000", {"User": "1000:1000"}),
    "volumes": ('VOLUME ["/a b", "/c"]', {"Volumes": {"/a b": {}, "/c": {}}}),
    "workdir": ("WORKDIR $HOME/../a", {"WorkingDir": "/a"}),
    "no healthcheck": ("HEALTHCHECK NONE", {"Healthcheck": {"Test": ["NONE"]}}),
    "healthcheck": (
        "HEALTHCHECK --interval=1m30s --retries=2 CMD true",
        {
            "Healthcheck": {
                "Test": ["CMD-SHELL", "true"], "Interval": 90 * 10**9, "Retries": 2,
            }
        },
    ),
    "shell": ('SHELL ["/bin/bash", "-c"]', {"Shell": ["/bin/bash", "-c"]}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_line_changes_the_config(name: str) -> None:
    line, wanted = CHANGES[name]
    before: dict[str, Any] = {"Env": ["HOME=/h"], "WorkingDir": "/w"}
    run = dict(before)
    apply_changes(run, [line])
    assert run == {**before, **wanted}


def test_a_new_entrypoint_drops_the_inherited_cmd_alone() -> None:
    run: dict[str, Any] = {"Cmd": ["old"]}
    apply_changes(run, ['ENTRYPOINT ["a"]'])
    assert run == {"Entrypoint": ["a"]}
    apply_changes(run, ['CMD ["b"]', 'ENTRYPOINT ["c"]'])
    assert run == {"Entrypoint": ["c"], "Cmd": ["b"]}


@pytest.mark.parametrize(
    "line",
    [
        "RUN true", "FROM x", "COPY a b", "NOSUCH x", "EXPOSE none", "EXPOSE 99999", "ENV A",
        "ENV =b", "LABEL a", "USER a b", "STOPSIGNAL what?", "ONBUILD FROM x",
        "HEALTHCHECK maybe", "HEALTHCHECK --interval=soon CMD true", "SHELL /bin/sh", "CMD", "",
    ],
)  # fmt: skip
def test_what_changes_no_config_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(InvalidInput, match="change:2"):
        apply_changes({}, ["USER root", line])


@pytest.mark.parametrize("text", ['{"Cmd": ["a"]}', '{"config": {"Cmd": ["a"], "User": null}}'])
def test_a_whole_config_is_taken_in_either_form(text: str) -> None:
    assert parse_run_config(text) == {"Cmd": ["a"]}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"Cmd": "a"}', '{"Env": [1]}', '{"User": 0}'])
def test_a_config_of_the_wrong_kind_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="config: "):
        parse_run_config(text)
