# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the scripts that build the host image.

PATH=$PATH:/usr/sbin:/sbin # depmod and modprobe, for people who are not root

# The image is a chain of three archives that the kernel unpacks over one another: the system
# (Debian's), orlop, and one host's units. Each is packed when what it is made of changed.
#
# Identical input gives identical bytes: names sorted, owner root, fixed modes, one time stamp. The
# stamp is a constant and not the commit's date, so that an archive kept from an earlier commit is the
# one that a fresh build would make.
image_epoch=${SOURCE_DATE_EPOCH:-946684800}

# pack FOLDER FILE LEVEL: FOLDER as a cpio archive, compressed with zstd.
pack() {
	local folder=$1 file=$2 level=$3
	find "$folder" -type d -exec chmod 755 {} +
	find "$folder" -type f -perm /111 -exec chmod 755 {} +
	find "$folder" -type f ! -perm /111 -exec chmod 644 {} +
	find "$folder" -exec touch -h -d "@$image_epoch" {} +
	(cd "$folder" && find . -mindepth 1 -printf '%P\0' | LC_ALL=C sort -z |
		cpio --quiet -0 -o -H newc --reproducible -R +0:+0) > "$file.cpio"
	zstd -q -f -T0 --ultra "-$level" "$file.cpio" -o "$file.tmp"
	rm "$file.cpio"
	mv "$file.tmp" "$file"
}
