#!/bin/sh
# Counts the visits in a file on the volume. The lock makes visits at the same time queue up; the
# rename and the syncs make the count survive a power cut at any moment.
cd /data || exit 1
exec 9> lock
flock 9
count=$(($(cat count 2> /dev/null || echo 0) + 1))
echo "$count" > count.new
fsync count.new
mv count.new count
fsync .
flock -u 9

printf 'Content-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n'
cat << END
<!DOCTYPE html>
<html lang="en">
<title>Hello from orlop</title>
<style>body { font: 1.2em sans-serif; margin: 4em auto; max-width: 30em; }</style>
<h1>Hello from $(hostname)</h1>
<p>This page was served $count times. The count lives on a volume: kill the container, reboot the
host, and it goes on.</p>
</html>
END
