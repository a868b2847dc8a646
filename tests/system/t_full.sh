# SPDX-License-Identifier: MIT
# A full disk: in an image of its own, mounted in a namespace of its own.

stop
if [ -z "${IN_FULL:-}" ]; then
	truncate -s 96M "$T/disk.img"
	mkfs.ext4 -q -m 0 "$T/disk.img"
	mkdir -p "$T/disk"
	IN_FULL=1 unshare -m --propagation private bash -c '
		set -u
		mount -o loop "$T/disk.img" "$T/disk" || { echo "skip a full disk: this kernel lacks loop devices"; exit 0; }
		bash tests/system/full_inner.sh
		status=$?
		umount "$T/disk" || umount -l "$T/disk"
		exit $status' || echo "not ok the inner half of this test (status $?)"
fi
start
