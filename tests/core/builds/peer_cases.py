"""Dockerfiles that two builders are given, with the files of their contexts."""

from __future__ import annotations

import io
import os
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TIME = 1_600_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A Dockerfile on ``BASE``, a busybox."""

    dockerfile: str
    files: dict[str, str | bytes] = field(default_factory=dict)
    """Path to content; a path that ends with ``/`` is an empty folder, ``-> …`` a link."""
    modes: dict[str, int] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    target: str = ""

    def write(self, folder: Path, base: str) -> None:
        """Make the context, always with the same times."""
        (folder / "Dockerfile").write_text(self.dockerfile.replace("BASE", base))
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name.endswith("/"):
                path.mkdir(exist_ok=True)
            elif isinstance(content, str) and content.startswith("-> "):
                path.symlink_to(content[3:])
            else:
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        for name, mode in self.modes.items():
            (folder / name).chmod(mode)
        for path in sorted(folder.rglob("*"), reverse=True):
            os.utime(path, (TIME, TIME), follow_symlinks=False)


def archive(compression: str = "", **files: str) -> bytes:
    """A tar archive whose files are of user 1000."""
    made = io.BytesIO()
    mode = f"w:{compression}"
    with tarfile.open(fileobj=made, mode=mode) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size, info.mtime, info.mode = len(content), TIME, 0o640
            info.uid, info.gid = 1000, 1001
            tar.addfile(info, io.BytesIO(content.encode()))
    return made.getvalue()


TREE = {"a.txt": "a", "b.txt": "b", "d/e/f.txt": "f", "d/g.txt": "g", "d/link": "-> g.txt"}

CASES = {
    "copy": Case(
        dockerfile=(
            "FROM BASE\nCOPY a.txt /\nCOPY a.txt /new/deep/name\nCOPY b.txt /etc/\n"
            "COPY d /dst\nCOPY d /etc\nCOPY d/ /other/\nCOPY d/e d/g.txt /two/\n"
            "COPY *.txt /g/\nCOPY d/?.txt [ab].txt /h/\nCOPY d* /i/\n"
        ),
        files={**TREE, "dd/x": "x"},
        modes={"d/e": 0o750, "d/g.txt": 0o600},
    ),
    "links": Case(
        dockerfile=(
            "FROM BASE\nCOPY a.txt /tmp/\n"
            "RUN mkdir /real && ln -s real /alias; cat /tmp/a.txt > /run/kept\n"
            "COPY a.txt /alias/\nCOPY d /alias/sub\nCOPY d/link /followed\nCOPY tofolder /dir/\n"
        ),
        files={**TREE, "tofolder": "-> d"},
    ),
    "owners": Case(
        dockerfile=(
            "FROM BASE\nCOPY --chown=7:8 a.txt d /one/\nCOPY --chown=root:root b.txt /two\n"
            "RUN echo joe:x:1234:1235::/:/bin/sh >> /etc/passwd; echo extra:x:777: >> /etc/group\n"
            "COPY --chown=joe a.txt /three\nCOPY --chown=joe:extra d /four\n"
            "COPY --chmod=640 a.txt /five\nCOPY --chown=55 a.txt /six\n"
        ),
        files=TREE,
    ),
    "archives": Case(
        dockerfile=(
            "FROM BASE\nADD a.tar /plain\nADD a.tgz /gz/\nADD a.tbz /bz/\nADD a.txz /xz\n"
            "COPY a.tgz /kept.tgz\nADD a.txt /text\n"
        ),
        files={
            **TREE,
            "a.tar": archive(x="1", y__z="2"),
            "a.tgz": archive("gz", x="1"),
            "a.tbz": archive("bz2", x="1"),
            "a.txz": archive("xz", x="1"),
        },
    ),
    "variables": Case(
        dockerfile=(
            "ARG TAG=latest\nFROM BASE:$TAG\nARG WHO=me\nARG TWO=${WHO}-two\nARG GIVEN=no\n"
            "ENV A=$WHO B=\"${TWO} x\" C=${NONE:-default} D=${WHO:+set} E=\\$A F='$A' G=${GIVEN}\n"
            "ENV OLD style value\nENV A=changed H=$A\n"
            'WORKDIR /w/$H\nRUN echo $A $B $GIVEN $TWO > out\nLABEL l.$H=$C two="b c"\n'
            "USER $H\nEXPOSE 80 $WHO${NONE:-53}/udp\n".replace("$WHO${", "${")
        ),
        arguments={"GIVEN": "yes"},
    ),
    "config": Case(
        dockerfile=(
            'FROM BASE\nSHELL ["/bin/sh", "-ec"]\nRUN ["/bin/touch", "/two $HOME"]\n'
            'CMD ["a"]\nENTRYPOINT ["/bin/x", "y"]\nCMD ["echo", "hi"]\n'
            'VOLUME /data /more\nVOLUME ["/json vol"]\nEXPOSE 80 443/tcp 53/udp\nUSER 12:34\n'
            "STOPSIGNAL SIGUSR1\nLABEL a=b c='d e'\nWORKDIR /x\nWORKDIR y\n"
            "HEALTHCHECK --interval=5s --timeout=3s --retries=4 CMD wget -q x || exit 1\n"
            "MAINTAINER Some Body <s@b>\n"
        ),
    ),
    "stages": Case(
        dockerfile=(
            "FROM BASE AS one\nRUN mkdir /o && echo 1 > /o/1 && chown 3:4 /o/1 && ln -s 1 /o/l\n"
            "FROM BASE AS unused\nRUN false\n"
            "FROM one AS two\nRUN rm /o/1 && echo 2 > /o/2 && chmod 700 /o\n"
            "FROM scratch\nCOPY --from=two /o /out\nCOPY --from=one /o/1 /o/l /\n"
            "COPY --from=0 /o/1 /zero\nCOPY --from=BASE /bin/busybox /bin/\n"
        ),
    ),
    "deletions": Case(
        dockerfile=(
            "FROM BASE\nRUN mkdir -p /p/q && echo x > /p/q/r && echo y > /p/s\n"
            "RUN rm -r /p/q /etc/passwd && mkdir /p/q && echo new > /p/q/n\n"
            "RUN rm -r /p && echo file > /p\nFROM BASE\n"
        ),
        target="0",
    ),
    "ignore": Case(
        dockerfile="FROM BASE\nCOPY . /all/\nCOPY d /d/\n",
        files={
            **TREE,
            ".dockerignore": "# comment\n*.txt\n!b.txt\nd/e\n**/g.txt\n.dockerignore\nDockerfile\n",
        },
    ),
}
