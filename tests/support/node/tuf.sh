# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Repositories of TUF 1.0, published with the reference library by the page's own script, as it stands there.

# with_tuf SCRIPT ARGUMENT...: with the reference library.
with_tuf() {
  PYTHONPATH=$root/tests/support/tuf:$parts_dir/tuf-sid/usr/lib/python3/dist-packages /usr/bin/python3 "$@" \
    >>"$node_dir/log/publish.log" 2>&1
}

# publish_tuf FOLDER CHANGE...: FOLDER/metadata, and FOLDER/targets where a change is a file.
publish_tuf() {
  # shellcheck disable=SC2016  # backquotes are meant
  sed -n '/^```python$/,/^```$/{/^```/d;p}' "$root/trust/tuf1/PUBLISHING.md" >"$node_dir/publish.py"
  with_tuf "$node_dir/publish.py" "$@"
}
