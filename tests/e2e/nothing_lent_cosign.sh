#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What nothing_lent.sh shows, of images that cosign signed.
exec "$(dirname "${BASH_SOURCE[0]}")/nothing_lent.sh" cosign
