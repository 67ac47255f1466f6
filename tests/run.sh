#!/usr/bin/env bash
# Install what the tests need, then run every check: ruff, mypy, import-linter, pytest.
#
#   tests/run.sh [PYTEST ARGUMENT]...     as root, on Debian or Ubuntu, with ../shared beside the clone
#
# Environment: PYTHON (default /usr/bin/python3, 3.11 or newer), DISTRODECK_WORKERS (default 2).
# Ends with pytest's summary; the exit code is 0 only if every check passed.
set -euo pipefail
umask 022

repository=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
cd "$repository"
python=${PYTHON:-/usr/bin/python3}
fixtures=$repository/../shared/fixtures/fixtures.sh
packages=(
  bash buildah ca-certificates docker-registry fonts-dejavu-core git htop less librsvg2-bin mc nano openssh-server podman
  procps python3 python3-dev python3-venv runc skopeo tmux uidmap umoci util-linux vim
)

say() { printf '== %s\n' "$*"; }
die() { printf 'tests/run.sh: %s\n' "$*" >&2; exit 2; }

[ "$(id -u)" = 0 ] || die "needs root: the tests make users, mounts and sandboxes"
[ -x "$fixtures" ] || die "$fixtures is missing: put the folder shared beside the clone"

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "apt-get install ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q
  # RUNLEVEL=1: an installed sshd must not start
  RUNLEVEL=1 apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

# Ordinary users run the code too. A clone they cannot reach (below /root, say) is copied to where they can.
if ! setpriv --reuid=65534 --regid=65534 --clear-groups test -r "$repository/pyproject.toml" -a -x "$repository"; then
  copy=/var/tmp/distrodeck-tests-$(printf %s "$repository" | sha256sum | cut -c1-8)/clone
  say "ordinary users cannot read $repository: testing a copy in $copy"
  mkdir -p "$copy"
  find "$copy" -mindepth 1 -maxdepth 1 ! -name .venv -exec rm -rf {} +
  git -c safe.directory="$repository" ls-files -z --cached --others --exclude-standard |
    tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory="$copy" --no-same-owner
  chmod -R a+rX "$copy/.." 2>/dev/null || true
  ln -sfn "$(cd "$repository/../shared" && pwd -P)" "$copy/../shared"
  exec bash "$copy/tests/run.sh" "$@"
fi

stamp=$("$python" -c 'import sys; print(sys.version)')$(cat pyproject.toml)
if [ "$(cat .venv/installed-for 2>/dev/null)" != "$stamp" ]; then
  say "$python -m venv .venv, pip install -e .[test]"
  umask 022
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
  printf '%s\n' "$stamp" >.venv/installed-for
fi

say "images and servers for the tests"
code=0
"$fixtures" all >/dev/null || code=$?
if [ "$code" = 3 ]; then
  "$fixtures" deps
  "$fixtures" all >/dev/null
elif [ "$code" != 0 ]; then
  die "$fixtures all ended with $code"
fi

failed=()
check() {
  say "$*"
  ".venv/bin/$1" "${@:2}" </dev/null || failed+=("$1")
}
check ruff check .
check ruff format --check .
check mypy
check lint-imports
[ ${#failed[@]} = 0 ] || say "NOT CLEAN: ${failed[*]}"

say "pytest"
.venv/bin/python -m pytest -n "${DISTRODECK_WORKERS:-2}" --dist=worksteal "$@" </dev/null || failed+=(pytest)
[ ${#failed[@]} = 0 ]
