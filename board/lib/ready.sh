#!/bin/bash
# SPDX-License-Identifier: MIT
# ready.sh BOARD: builds what an emulated board needs to run our tests, as far as
# it is not there. Prints the path of its input disk, and nothing else there.
set -euo pipefail
cd "$(dirname "$0")/../.."
board=$1
case $(awk '$1 == "arch" { print $2 }' "board/$board/machine") in
arm64) cross=CROSS=aarch64 ;;
armhf) cross=CROSS=armhf ;;
*) cross=CROSS= ;;
esac
make -j2 --no-print-directory "$cross" board-input >&2
board/lib/image.sh "$board" >&2
board/lib/input.sh "$board"
