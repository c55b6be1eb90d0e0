#!/bin/sh
# Counts the visits on the volume: one byte each at the end of a file. Appending needs no lock, and after
# a power cut at any moment the file holds every visit that was answered.
cd /data || exit 1
printf . >> visits
sync -d visits
count=$(wc -c < visits)

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
