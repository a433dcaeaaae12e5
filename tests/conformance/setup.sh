#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the official clients into BUILD_DIR: setup.sh BUILD_DIR
# Needs node with npm, go and python3 with pip on the PATH. Does nothing when all is in place.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 BUILD_DIR" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
build=$(cd "$1" && pwd)

for tool in node npm go python3; do
    command -v "$tool" >/dev/null || { echo "setup.sh: $tool is missing" >&2; exit 1; }
done

# changed NAME FILE…: whether the files differ from those of the last time; finished NAME notes them.
changed() {
    name=$1; shift
    cat "$@" | cksum >"$build/$name.new"
    ! cmp -s "$build/$name.new" "$build/$name.done" || { rm "$build/$name.new"; return 1; }
}
finished() { mv "$build/$1.new" "$build/$1.done"; }

for client in js js_old; do
    if changed $client "$here/drivers/$client/package-lock.json"; then
        mkdir -p "$build/$client"
        cp "$here/drivers/$client/package.json" "$here/drivers/$client/package-lock.json" "$build/$client"
        (cd "$build/$client" && npm ci --silent --no-audit --no-fund)
        finished $client
    fi
done
if changed py "$here/drivers/py/requirements.txt"; then
    rm -rf "$build/py"
    python3 -m pip install --quiet --root-user-action=ignore --target "$build/py" -r "$here/drivers/py/requirements.txt"
    finished py
fi
if changed go_driver "$here"/drivers/go/*; then
    (cd "$here/drivers/go" && go build -o "$build/go_driver" .)
    finished go_driver
fi
