#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# enter.sh BASE COMMAND...: the first process of a pid namespace, already in namespaces of its own of every other
# kind (host.py calls it through unshare). Makes the machine's root once more as an overlay, so that the absolute
# paths of orlop exist and nothing that happens in it reaches the machine, and becomes COMMAND in it.
#   BASE/programs  becomes /usr/lib/orlop     BASE/units  becomes /run/orlop/units
#   BASE/store     becomes /var/lib/orlop     BASE/share  becomes /usr/share/orlop
# BASE/programs/before, where a test has written it, runs before COMMAND.
set -euo pipefail

base=$1
shift
root=$base/root
mkdir -p "$base"/{upper,work,root,store,units,share}
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
for dir in run tmp; do
	mount -t tmpfs tmpfs "$root/$dir"
done
mkdir -p "$root/usr/lib/orlop" "$root/usr/share/orlop" "$root/var/lib/orlop" "$root/run/orlop/units" "$root/old"
mount --bind "$base/programs" "$root/usr/lib/orlop"
mount --bind "$base/store" "$root/var/lib/orlop"
mount --bind "$base/share" "$root/usr/share/orlop"
mount --bind "$base/units" "$root/run/orlop/units"
cd "$root"
pivot_root . old
umount -l /old
if [ -x /usr/lib/orlop/before ]; then
	/usr/lib/orlop/before
fi
exec "$@" < /dev/null > /dev/null
