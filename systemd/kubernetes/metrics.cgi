#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What crivet tells its node alone, for busybox's httpd. Where crivet does not answer, the scrape fails.
# (The -T of Debian's static wget ends in a segmentation fault.)
if text=$(timeout 5 wget -q -O - "http://${CRIVET_METRICS:-127.0.0.1:9477}/metrics"); then
  printf 'Status: 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n%s\n' "$text"
else
  printf 'Status: 502 Bad Gateway\r\nContent-Type: text/plain\r\n\r\ncrivet does not answer on its node\n'
fi
